// Command list measures what a page of listquery costs, side by side with other ways to
// read the same rows: by their primary keys, which nothing can beat, by the statements of
// the gateway that fedkit replaces, by OFFSET, and by a keyset in gorm.
//
//	go run ./bench/list -rows 3000000 -rounds 15 -out list.md -svg list.svg
//
// It makes its data in a throwaway Postgres server, the same every time: 3,000,000 tasks
// of 1,000 teams, and as many again that are far from even. That takes some minutes, and
// so does the measurement. Times are good for comparison with each other only, and so the
// multiples of the floor are what counts.
package main
