package etcdlock

import (
	"crypto/rand"
	"errors"
	"strconv"
	"strings"

	"github.com/mosaicstack/fedkit/fleetlock"
)

// A value is what a record's key holds: a line of fields, and the text of the record.
//
//	1 TOKEN quiet|loud STAMP TERM TERM ...
type value struct {
	token uint64
	quiet bool
	stamp string // drawn afresh for each swap, which finds itself by it
	terms []string
	text  string
}

const (
	valueFormat = "1"
	quiet, loud = "quiet", "loud"
)

func newValue(r fleetlock.Record) value {
	v := value{token: r.Token, quiet: r.Quiet, stamp: rand.Text(), text: r.Text}
	for _, t := range r.Terms {
		v.terms = append(v.terms, t.ID)
	}
	return v
}

func (v value) encode() string {
	manner := loud
	if v.quiet {
		manner = quiet
	}
	fields := append([]string{valueFormat, strconv.FormatUint(v.token, 10), manner, v.stamp}, v.terms...)
	return strings.Join(fields, " ") + "\n" + v.text
}

var errValue = errors.New("not the value of a record")

// decodeValue reads what encode wrote.
func decodeValue(s string) (v value, err error) {
	head, text, ok := strings.Cut(s, "\n")
	fields := strings.Split(head, " ")
	if !ok || len(fields) < 4 || fields[0] != valueFormat || fields[2] != quiet && fields[2] != loud {
		return value{}, errValue
	}
	v = value{quiet: fields[2] == quiet, stamp: fields[3], terms: fields[4:], text: text}
	if v.token, err = strconv.ParseUint(fields[1], 10, 64); err != nil {
		return value{}, errValue
	}
	return v, nil
}
