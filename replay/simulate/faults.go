package simulate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Faults are what may go wrong, as probabilities. The zero value is a world where nothing does.
type Faults struct {
	Loss    float64 // of a datagram
	Repeat  float64 // a datagram arrives twice, or more often
	Reorder float64 // a datagram is overtaken, by up to seconds
	Split   float64 // how much of the time there is a split between two nodes
	Forge   float64 // somebody on the path sends a changed or a made-up datagram for one he saw
	Kill    float64 // deaths a minute and node
	Restart float64 // orders to shut down, a minute and node
	Refuse  float64 // of a request to the kernel
	Slow    float64 // a completion of the keyring or the kernel comes late, by up to seconds
	Disk    float64 // a commit takes long
	Late    float64 // a timer is noticed late, by up to seconds
	Wrong   float64 // a node says something of its own SA that cannot be read, or answers with INVALID_SYNTAX
	Vault   float64 // a death takes an SA's secrets with it
}

// kind is a fault by its word on the command line.
type kind struct {
	name     string
	at       func(*Faults) *float64
	usual    float64 // where no number is given
	strength float64 // the most that `all` draws
}

var kinds = []kind{
	{"loss", func(f *Faults) *float64 { return &f.Loss }, 0.1, 0.5},
	{"repeat", func(f *Faults) *float64 { return &f.Repeat }, 0.1, 0.4},
	{"reorder", func(f *Faults) *float64 { return &f.Reorder }, 0.1, 0.5},
	{"split", func(f *Faults) *float64 { return &f.Split }, 0.1, 0.5},
	{"forge", func(f *Faults) *float64 { return &f.Forge }, 0.05, 0.3},
	{"kill", func(f *Faults) *float64 { return &f.Kill }, 1, 3},
	{"restart", func(f *Faults) *float64 { return &f.Restart }, 0.2, 0.6},
	{"refuse", func(f *Faults) *float64 { return &f.Refuse }, 0.05, 0.3},
	{"slow", func(f *Faults) *float64 { return &f.Slow }, 0.1, 0.5},
	{"disk", func(f *Faults) *float64 { return &f.Disk }, 0.05, 0.3},
	{"late", func(f *Faults) *float64 { return &f.Late }, 0.05, 0.3},
	{"wrong", func(f *Faults) *float64 { return &f.Wrong }, 0.01, 0.03},
	{"vault", func(f *Faults) *float64 { return &f.Vault }, 0.05, 0.3},
}

// Kinds are the words for faults.
func Kinds() []string {
	var names []string
	for _, k := range kinds {
		names = append(names, k.name)
	}
	return names
}

// Choice is which faults a run may have: fixed, or drawn for each seed from all.
type Choice struct {
	All   bool
	Fixed Faults
}

// ParseFaults reads `loss=0.1,repeat,split`, or `all`; nothing is no faults.
func ParseFaults(s string) (Choice, error) {
	var c Choice
	if s == "all" {
		return Choice{All: true}, nil
	}
	for word := range strings.SplitSeq(s, ",") {
		if word == "" {
			continue
		}
		name, number, given := strings.Cut(word, "=")
		i := slices.IndexFunc(kinds, func(k kind) bool { return k.name == name })
		if i < 0 {
			return c, fmt.Errorf("there is no fault %q; try: all, or some of %s", name, strings.Join(Kinds(), ","))
		}
		p := kinds[i].usual
		if given {
			var err error
			if p, err = strconv.ParseFloat(number, 64); err != nil || p < 0 || p > 10 {
				return c, fmt.Errorf("%q is no probability or rate; try: %s=%g", word, name, kinds[i].usual)
			}
		}
		*kinds[i].at(&c.Fixed) = p
	}
	return c, nil
}

// String is the choice as ParseFaults reads it.
func (c Choice) String() string {
	if c.All {
		return "all"
	}
	var words []string
	for _, k := range kinds {
		if p := *k.at(&c.Fixed); p > 0 {
			words = append(words, fmt.Sprintf("%s=%g", k.name, p))
		}
	}
	return strings.Join(words, ",")
}

// of is what the seed has of them: of all, each kind is there in three seeds of five, in any strength.
func (c Choice) of(seed uint64) Faults {
	if !c.All {
		return c.Fixed
	}
	var f Faults
	chance := stream(seed, "faults")
	for _, k := range kinds {
		strength := chance.Float64()
		if maybe(chance, 0.6) {
			*k.at(&f) = k.strength * strength
		}
	}
	return f
}
