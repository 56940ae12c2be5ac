package kernel_test

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/ikejd/ikejd/effects/kernel"
	"github.com/ikejd/ikejd/effects/kernel/kerneltest"
)

func Example() {
	var dataplane kernel.Dataplane = kernel.NewModel(kernel.ModelConfig{})
	child := kerneltest.Child(0xc1f2a3b4, 0x00ab12cd)
	fmt.Println(dataplane.Install(child))
	err := dataplane.Install(child)
	fmt.Println(errors.Is(err, syscall.EEXIST), err)
	fmt.Println(child)
	// Output:
	// <nil>
	// true install child 0xc1f2a3b4: file exists: inbound state to 192.0.2.1 is there already; remove it first
	// ESP 0xc1f2a3b4 in, 0x00ab12cd out, 192.0.2.1 - 192.0.2.2
}
