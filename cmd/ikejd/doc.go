// Command ikejd is an IKEv2 daemon whose whole life is one journal, and what reads that journal back. main is a few lines
// around cli.Run, which has every command; there is no central type. It imports package cli only.
package main
