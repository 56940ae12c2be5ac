// Command ikejd is an IKEv2 daemon whose whole life is one journal, and what reads that journal back.
package main

import (
	"context"
	"os"
	"os/signal"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(cli.Run(ctx, os.Args[1:], cli.Standard()))
}
