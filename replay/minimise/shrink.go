package minimise

import "context"

// Shrink leaves out of items what is not needed for shows to stay true: delta debugging (Zeller and Hildebrandt, 2002), by
// halves, quarters and so on down to single items. It takes for granted that shows is true of all. Each call of shows is
// with a slice of its own. Where ctx ends first the best so far is given, and whole is false.
func Shrink[T any](ctx context.Context, items []T, shows func([]T) bool) (least []T, whole bool) {
	if len(items) > 0 && ctx.Err() == nil && shows(nil) {
		return nil, true
	}
	for parts := 2; len(items) > 1; {
		parts = min(parts, len(items))
		smaller := false
		for i := range parts {
			if ctx.Err() != nil {
				return items, false
			}
			from, to := i*len(items)/parts, (i+1)*len(items)/parts
			if rest := without(items, from, to); shows(rest) {
				items, smaller = rest, true
				parts = max(parts-1, 2)
				break
			}
		}
		if !smaller {
			if parts == len(items) {
				break
			}
			parts *= 2
		}
	}
	return items, ctx.Err() == nil
}

func without[T any](items []T, from, to int) []T {
	rest := make([]T, 0, len(items)-(to-from))
	return append(append(rest, items[:from]...), items[to:]...)
}
