package engine_test

import (
	"testing"

	"github.com/ikejd/ikejd/journal"
	"github.com/ikejd/ikejd/proto/record"
	"google.golang.org/protobuf/proto"
)

// records are those of a journal, decoded.
func records(t testing.TB, j *journal.Journal) []*record.Record {
	t.Helper()
	var all []*record.Record
	for entry, err := range j.Read(0) {
		if err != nil {
			t.Fatal(err)
		}
		r := &record.Record{}
		if err := proto.Unmarshal(entry.Data, r); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}
