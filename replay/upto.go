package replay

import (
	"iter"

	"github.com/ikejd/ikejd/journal"
)

// upTo is a Source that ends after a step: the journal as it was then.
type upTo struct {
	Source
	last journal.Position
}

// UpTo is src as it was after step, which it has. It is not closed with it; its end has no head.
func UpTo(src Source, step uint64) (Source, error) {
	r, err := Record(src, step)
	if err != nil {
		return nil, err
	}
	return &upTo{src, journal.Position{Step: step, Time: int64(r.GetTime())}}, nil
}

func (u *upTo) Last() journal.Position { return u.last }

// Live is true where the journal goes on: somebody wrote it then.
func (u *upTo) Live() bool { return u.Source.Live() || u.last.Step < u.Source.Last().Step }

func (u *upTo) Entries(from uint64) iter.Seq2[journal.Entry, error] {
	return func(yield func(journal.Entry, error) bool) {
		for e, err := range u.Source.Entries(from) {
			if err == nil && e.Step > u.last.Step || !yield(e, err) {
				return
			}
		}
	}
}

func (u *upTo) Close() error { return nil }
