package cli

import (
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Std is the outside of a command.
type Std struct {
	In       io.Reader
	Out, Err io.Writer
	Now      func() time.Time
	Local    *time.Location
	Terminal bool // Out is a terminal
	Width    int  // of the terminal; 0: unlimited
}

// Standard is the process's own.
func Standard() Std {
	s := Std{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Now: time.Now, Local: time.Local}
	if size, err := unix.IoctlGetWinsize(int(os.Stdout.Fd()), unix.TIOCGWINSZ); err == nil {
		s.Terminal, s.Width = true, int(size.Col)
	}
	return s
}
