package journal_test

import (
	"fmt"
	"os"

	"github.com/ikejd/ikejd/journal"
)

func Example() {
	dir, err := os.MkdirTemp("", "journal")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	j, err := journal.Open(dir, journal.Options{NoPrewrite: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer j.Close()
	err = j.Append(&journal.Batch{
		First:   j.Last().Step + 1,
		Time:    1_795_575_600_000_000_000,
		Records: [][]byte{[]byte("a request came"), []byte("it was answered")},
		Vault:   []journal.VaultChange{{Ref: 1, Sealed: []byte("sealed keys")}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for e, err := range j.Read(1) {
		fmt.Println(e.Step, string(e.Data), err)
	}
	fmt.Println("ends at step", j.Last().Step, "head", j.Last().Head.String()[:4])
	// Output:
	// 1 a request came <nil>
	// 2 it was answered <nil>
	// ends at step 2 head 775e
}
