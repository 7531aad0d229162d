package federationtest

import (
	"cmp"
	"slices"
)

// A Level is a part of the contract that a gateway may offer without the next one.
type Level string

// The levels.
const (
	List   Level = "list"    // lists, capabilities, and what all verbs have in common
	Get    Level = "get"     // single rows
	FanOut Level = "fan-out" // lists over several gateways
)

// A testCase is one promise of the contract.
type testCase struct {
	number int // stays with the promise: 1xx list, 2xx get, 3xx fan-out
	name   string
	run    func(*probe)
}

func (c testCase) level() Level {
	return []Level{List, Get, FanOut}[c.number/100-1]
}

// cases are all of them, in the order of their numbers.
var cases = func() []testCase {
	all := slices.Concat(pageCases, requestCases, refusalCases, wireCases, getCases, fanOutCases)
	slices.SortFunc(all, func(a, b testCase) int { return cmp.Compare(a.number, b.number) })
	return all
}()
