// Command load measures what a gateway of fedkit serves to a second process over TLS on
// the same machine: pages per second, and how long one takes, at 1, 16 and 256
// connections, side by side with a handler that has no fedkit around the query; and
// whether its memory stays flat.
//
//	go run ./bench/load -rounds 40 -flat 10m -out load.md -svg load.svg
//
// The gateway is a process of its own, this program once more, and its rows are in a
// throwaway Postgres server. All three share the machine, so that numbers are good for
// comparison with each other only.
package main
