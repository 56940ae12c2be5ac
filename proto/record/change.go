package record

// Change is one difference between two states, as it is printed: `ike7.window  waiting: - -> delete-ike`. The reducer finds
// them (reducer.Diff), package text prints them; neither needs the other.
type Change struct {
	Path     string // ike7.window, child12.state
	From, To string
}
