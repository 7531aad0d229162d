// Package chaos holds the tests of merged lists over real sockets, between processes: its
// tests start gateways, and put a proxy before each of them that does what networks and
// hostile peers do.
package chaos
