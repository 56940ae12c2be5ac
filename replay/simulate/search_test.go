package simulate

import "testing"

// B-36: all orders in which two crossing set-ups can arrive; `make sim` adds up to two losses, here there is none, or one.
func TestCrossings(t *testing.T) {
	losses := 1
	if testing.Short() {
		losses = 0
	}
	w, wrong := search(1, losses)
	if wrong != nil {
		t.Fatal(wrong)
	}
	if want := len(crossings(losses)); w.Tally.Seeds != want {
		t.Errorf("%d orders were played, not %d", w.Tally.Seeds, want)
	}
}
