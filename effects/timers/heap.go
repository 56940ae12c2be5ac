package timers

// A heap with four children a slot: half the levels of a binary one, and the four deadlines that are
// compared lie in one or two cache lines. Deadlines and nodes are two slices for that reason.

const arity = 4

// heap is ordered by deadline, and by key where deadlines are equal.
type heap struct {
	deadlines []int64 // event time, ns; Invariant: len(deadlines) == len(refs)
	refs      []ref
}

// less says whether a timer of this deadline comes before the one in a slot.
func (q *Queue) less(deadline int64, r ref, slot uint32) bool {
	if d := q.heap.deadlines[slot]; deadline != d {
		return deadline < d
	}
	return q.store.at(r).before(q.store.at(q.heap.refs[slot]))
}

// place puts a timer into a slot.
func (q *Queue) place(slot uint32, deadline int64, r ref) {
	q.heap.deadlines[slot], q.heap.refs[slot] = deadline, r
	q.store.at(r).slot = slot
}

// push adds a timer.
func (q *Queue) push(r ref, deadline int64) {
	q.heap.deadlines = append(q.heap.deadlines, deadline)
	q.heap.refs = append(q.heap.refs, r)
	q.up(uint32(len(q.heap.refs)-1), deadline, r)
}

// move gives the timer in a slot another deadline.
func (q *Queue) move(slot uint32, deadline int64) {
	r := q.heap.refs[slot]
	if deadline < q.heap.deadlines[slot] {
		q.up(slot, deadline, r)
		return
	}
	q.down(slot, deadline, r)
}

// drop takes the timer in a slot out; the last one fills the gap.
func (q *Queue) drop(slot uint32) {
	last := uint32(len(q.heap.refs) - 1)
	deadline, r := q.heap.deadlines[last], q.heap.refs[last]
	q.heap.deadlines, q.heap.refs = q.heap.deadlines[:last], q.heap.refs[:last]
	switch {
	case slot == last:
		if last == 0 {
			q.heap = heap{} // an empty queue holds nothing
		}
	case slot > 0 && q.less(deadline, r, (slot-1)/arity):
		q.up(slot, deadline, r)
	default:
		q.down(slot, deadline, r)
	}
}

// up settles a timer that is to be in this slot or nearer the top.
func (q *Queue) up(slot uint32, deadline int64, r ref) {
	for slot > 0 {
		parent := (slot - 1) / arity
		if !q.less(deadline, r, parent) {
			break
		}
		q.place(slot, q.heap.deadlines[parent], q.heap.refs[parent])
		slot = parent
	}
	q.place(slot, deadline, r)
}

// down settles a timer that is to be in this slot or further from the top.
func (q *Queue) down(slot uint32, deadline int64, r ref) {
	size := uint32(len(q.heap.refs))
	for {
		first := arity*slot + 1
		if first >= size {
			break
		}
		least := first
		for child := first + 1; child < min(first+arity, size); child++ {
			if q.less(q.heap.deadlines[child], q.heap.refs[child], least) {
				least = child
			}
		}
		if q.less(deadline, r, least) {
			break
		}
		q.place(slot, q.heap.deadlines[least], q.heap.refs[least])
		slot = least
	}
	q.place(slot, deadline, r)
}
