package conf

import "fmt"

// nearest is the name that text was most likely meant to be, "" where none is near.
func nearest(text string, names []string) string {
	best, distance := "", 1+max(1, len(text)/3)
	for _, name := range names {
		if d := editDistance(text, name, distance); d < distance {
			best, distance = name, d
		}
	}
	return best
}

// didYouMean is the end of an error about an unknown name: the nearest one, or else advice.
func didYouMean(text string, names []string, advice string) string {
	if near := nearest(text, names); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return advice
}

// editDistance counts the letters to insert, remove, replace or swap with their neighbour; limit or more is limit.
func editDistance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	before, row, next := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next[j+1] = min(row[j]+cost, row[j+1]+1, next[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row, next = row, next, before
	}
	return min(row[len(b)], limit)
}
