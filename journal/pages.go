package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"slices"
)

// A segment is a bbolt file. This file reads one without bbolt, for bbolt trusts what it maps: on a damaged file it
// panics, in goroutines of its own too, recurses without end or faults. Every page taken here is checked first, so a
// segment that passes can be handed to bbolt, and one that does not can be read around the damage.

const (
	pageSize     = 16 << 10 // half the CPU of 4 KiB pages in big batches: bbolt makes one write a page
	pageHeader   = 16       // id 8, flags 2, count 2, overflow 4
	elementSize  = 16       // leaf: flags, pos, ksize, vsize; branch: pos, ksize, page id 8
	bucketHeader = 16       // root page 8, sequence 8; the page itself follows when root is 0
	metaSize     = 64       // within one sector, so a write of it is there or is not
	sectorSize   = 512
	maxDepth     = 16
)

const (
	branchPage   = 0x01
	leafPage     = 0x02
	metaPage     = 0x04
	freelistPage = 0x10

	metaMagic   = 0xED0CDAED
	metaVersion = 2

	bucketFlag = 0x01
)

var native = binary.NativeEndian // bbolt writes its structures as the machine has them

// cutMark stands where the meta page of a torn transaction was.
const cutMark = "cut off by ikejd: this transaction was torn"

// meta is what of a bbolt meta page we need.
type meta struct {
	slot  int64
	root  uint64
	pages uint64 // one above the highest page in use
	txid  uint64
}

// image is a bbolt file, or a copy of one, as octets.
type image struct {
	r     io.ReaderAt
	size  int64
	name  string   // of the segment, for errors
	seen  []uint64 // bitmap of pages met; nil while pages are not counted
	reuse [][]byte // a buffer for each depth; nil when pages belong to the reader
}

// metas gives the valid meta pages, newest first. A meta page lies in one sector, so no crash leaves it half
// written; one that is neither valid nor marked by a cut of ours was damaged, and whether it was that of the last
// transaction or of the one before nobody can tell: the segment is refused.
func (im *image) metas() ([]meta, error) {
	var found []meta
	for slot := range int64(2) {
		var b [pageHeader + metaSize]byte
		if _, err := im.r.ReadAt(b[:], slot*pageSize); err != nil {
			return nil, fmt.Errorf("meta page %d cannot be read: %w", slot, err)
		}
		m, err := parseMeta(b[:], slot)
		switch {
		case err == nil:
			found = append(found, m)
		case !bytes.HasPrefix(b[:], []byte(cutMark)):
			return nil, fmt.Errorf("meta page %d: %w", slot, err)
		}
	}
	if len(found) == 2 && found[1].txid > found[0].txid {
		found[0], found[1] = found[1], found[0]
	}
	if len(found) == 0 {
		return nil, errors.New("both meta pages were cut off")
	}
	return found, nil
}

func parseMeta(b []byte, slot int64) (meta, error) {
	body := b[pageHeader:]
	sum := fnv.New64a()
	sum.Write(body[:metaSize-8])
	m := meta{slot, native.Uint64(body[16:]), native.Uint64(body[40:]), native.Uint64(body[48:])}
	switch {
	case sum.Sum64() != native.Uint64(body[56:]):
		return meta{}, errors.New("does not match its checksum")
	case native.Uint64(b) != uint64(slot) || native.Uint16(b[8:]) != metaPage:
		return meta{}, errors.New("has a wrong header")
	case native.Uint32(body) != metaMagic, native.Uint32(body[4:]) != metaVersion, native.Uint32(body[8:]) != pageSize:
		return meta{}, errors.New("is of another format")
	}
	return m, nil
}

// errPage is damage to the tree: what lies below that page is lost to the walk.
type errPage struct {
	page uint64
	what string
}

func (e *errPage) Error() string { return fmt.Sprintf("has a page, %d, that %s", e.page, e.what) }

// read gives page id with its overflow, header checked.
func (im *image) read(m meta, id uint64, depth int) ([]byte, error) {
	if id < 2 || id >= m.pages {
		return nil, &errPage{id, "is out of range"}
	}
	if depth >= maxDepth {
		return nil, &errPage{id, "is too deep in its tree"}
	}
	b := im.buffer(depth)[:pageSize]
	if _, err := im.r.ReadAt(b, int64(id)*pageSize); err != nil {
		return nil, &errPage{id, "cannot be read: " + err.Error()}
	}
	overflow := uint64(native.Uint32(b[12:]))
	if native.Uint64(b) != id || overflow >= m.pages-id || int64(m.pages)*pageSize > im.size {
		return nil, &errPage{id, "has a wrong header"}
	}
	if im.seen != nil {
		for p := id; p <= id+overflow; p++ {
			if im.seen[p/64]&(1<<(p%64)) != 0 {
				return nil, &errPage{id, "has two places in the tree"}
			}
			im.seen[p/64] |= 1 << (p % 64)
		}
	}
	if overflow == 0 {
		return b, nil
	}
	size := int(overflow+1) * pageSize
	b = slices.Grow(b, size-pageSize)[:size]
	if _, err := im.r.ReadAt(b[pageSize:], int64(id+1)*pageSize); err != nil {
		return nil, &errPage{id, "cannot be read: " + err.Error()}
	}
	return b, nil
}

// buffer is room for a page, and for the overflow that leaves of few large rows have.
func (im *image) buffer(depth int) []byte {
	if im.reuse == nil {
		return make([]byte, pageSize)
	}
	if im.reuse[depth] == nil {
		im.reuse[depth] = make([]byte, 4*pageSize)
	}
	return im.reuse[depth]
}

// element gives key and value of element i of a page, or key and child of a branch page.
func element(page []byte, i int, branch bool) (key, value []byte, word uint64, ok bool) {
	at := pageHeader + i*elementSize
	if at+elementSize > len(page) {
		return nil, nil, 0, false
	}
	e := page[at:]
	var pos, ksize, vsize uint64
	if branch {
		pos, ksize, word = uint64(native.Uint32(e)), uint64(native.Uint32(e[4:])), native.Uint64(e[8:])
	} else {
		word, pos = uint64(native.Uint32(e)), uint64(native.Uint32(e[4:]))
		ksize, vsize = uint64(native.Uint32(e[8:])), uint64(native.Uint32(e[12:]))
	}
	k := uint64(at) + pos
	v := k + ksize
	end := v + vsize
	if pos < elementSize || ksize == 0 || end > uint64(len(page)) {
		return nil, nil, 0, false
	}
	return page[k:v:v], page[v:end:end], word, true
}

// tree is one bucket: a root page, or a page inline in its parent's value.
type tree struct {
	root   uint64
	inline []byte
}

// walk is one way through a tree in order of keys, beginning with the page that from lies in (nil: with the first).
// Damage to a page goes to bad, which returns nil to have the walk go on beside it.
type walk struct {
	im    *image
	m     meta
	from  []byte
	flags uint32 // bbolt's, that every element must have
	visit func(key, value []byte) error
	bad   func(error) error
}

// walk visits the rows of t.
func (im *image) walk(m meta, t tree, from []byte, visit func(key, value []byte) error, bad func(error) error) error {
	w := walk{im, m, from, 0, visit, bad}
	if t.inline != nil {
		return w.leaf(t.inline, 0, nil, nil)
	}
	return w.node(t.root, nil, nil, 0)
}

// node visits the tree below page id, whose keys must lie in [low, high).
func (w *walk) node(id uint64, low, high []byte, depth int) error {
	page, err := w.im.read(w.m, id, depth)
	if err != nil {
		return w.bad(err)
	}
	switch native.Uint16(page[8:]) {
	case leafPage:
		return w.leaf(page, id, low, high)
	case branchPage:
	default:
		return w.bad(&errPage{id, "is of a wrong kind"})
	}
	count := int(native.Uint16(page[10:]))
	if count == 0 {
		return w.bad(&errPage{id, "has no child"})
	}
	for i := range count {
		key, _, child, ok := element(page, i, true)
		if !ok || !within(key, low, high, i == 0) {
			return w.bad(&errPage{id, "has keys out of order"})
		}
		low = key
		next := high
		if i+1 < count {
			if next, _, _, ok = element(page, i+1, true); !ok {
				return w.bad(&errPage{id, "has an element out of bounds"})
			}
			if w.from != nil && bytes.Compare(next, w.from) <= 0 {
				continue // all keys of this child are below it
			}
		}
		if err := w.node(child, key, next, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) leaf(page []byte, id uint64, low, high []byte) error {
	if len(page) < pageHeader || native.Uint16(page[8:]) != leafPage {
		return w.bad(&errPage{id, "is of a wrong kind"})
	}
	for i := range int(native.Uint16(page[10:])) {
		key, value, flags, ok := element(page, i, false)
		if !ok || flags != uint64(w.flags) || !within(key, low, high, i == 0) {
			return w.bad(&errPage{id, "has keys out of order"})
		}
		low = key
		if err := w.visit(key, value); err != nil {
			return err
		}
	}
	return nil
}

// within says whether key may follow low: above it, or equal where low is the parent's key for the first.
func within(key, low, high []byte, first bool) bool {
	order := bytes.Compare(key, low)
	return (order > 0 || first && order == 0) && (high == nil || bytes.Compare(key, high) < 0)
}

// trees gives the buckets of the root page by name.
func (im *image) trees(m meta) (map[string]tree, error) {
	found := map[string]tree{}
	w := walk{im: im, m: m, flags: bucketFlag, bad: func(err error) error { return err }}
	w.visit = func(key, value []byte) error {
		if len(value) < bucketHeader {
			return &errPage{m.root, "has a bucket that is too short"}
		}
		t := tree{root: native.Uint64(value)}
		if t.root == 0 {
			t.inline = bytes.Clone(value[bucketHeader:])
		}
		found[string(key)] = t
		return nil
	}
	return found, w.node(m.root, nil, nil, 0)
}
