// Package strictjson reads JSON into a tree and refuses every text that two
// readers could understand differently, or that encoding/json repairs in
// silence: duplicate member names, strings that are not UTF-8 or hold half of a
// surrogate pair, anything after the value, a byte order mark.
//
// Member names are exact: whoever walks the tree compares them with ==, so that
// "Limit" and "limit" are two names. A null stays a value of its own kind and
// never stands for an absent one.
package strictjson

// Kind is the type of a Value.
type Kind uint8

// The kinds of JSON. The zero Kind belongs to no value.
const (
	Null Kind = iota + 1
	Bool
	Number
	String
	Array
	Object
)

// String names the kind as messages to people do.
func (k Kind) String() string {
	switch k {
	case Null:
		return "null"
	case Bool:
		return "a boolean"
	case Number:
		return "a number"
	case String:
		return "a string"
	case Array:
		return "an array"
	case Object:
		return "an object"
	}
	return "no value"
}

// Value is one value and what is in it.
type Value struct {
	Kind Kind
	// Offset is where the value begins, in bytes from the start of the text.
	Offset int64
	// Text is the string of a String with its escapes resolved, and the
	// literal of a Number or Bool as it was written: "1e2" and "100" differ.
	Text string
	// Members are what an Object holds, in the order of the text. No two have
	// the same name.
	Members []Member
	// Items are what an Array holds.
	Items []Value
}

// Member is one name and value of an object.
type Member struct {
	Name   string
	Offset int64 // of the name
	Value  Value
}
