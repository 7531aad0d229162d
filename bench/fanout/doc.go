// Fanout measures what a page of a merged list costs next to what its slowest peer takes
// for a page of its own: time, rows that are fetched, memory. The peers are handlers of
// package federation over real HTTP, each with a delay in place of the way there.
//
//	go run ./bench/fanout
package main
