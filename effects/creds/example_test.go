package creds_test

import (
	"fmt"

	"github.com/ikejd/ikejd/effects/creds"
)

func ExampleStore() {
	store := creds.NewStore()
	secret, err := creds.ParseSecret("0sAQIDBAUGBwg=")
	if err != nil {
		fmt.Println(err)
		return
	}
	var owners []creds.ID
	for _, text := range []string{"moon.example.org", "carol@example.org"} {
		idType, data, err := creds.ParseID(text)
		if err != nil {
			fmt.Println(err)
			return
		}
		owners = append(owners, creds.ID{Type: idType, Data: data})
	}
	store.Put("ike-carol", owners, secret)
	psk, ok := store.PSK(owners[0], owners[1])
	fmt.Println(store, ok, len(psk), psk)
	// Output: 1 secrets true 8 (secret)
}
