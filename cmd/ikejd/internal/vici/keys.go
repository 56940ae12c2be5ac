package vici

// The two values of every yes-or-no key.
const (
	Yes = "yes"
	No  = "no"
)

// Keys that responses share.
const (
	KeySuccess = "success" // Yes or No
	KeyErrmsg  = "errmsg"  // why not, where success is No
)
