package etcdlock

import (
	"crypto/rand"
	"errors"
	"strconv"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// A value is what a record's key holds: a line of fields, and the text of the record.
//
//	1 TOKEN quiet|loud STAMP TERM TERM ...
type value struct {
	token uint64
	quiet bool
	stamp string // drawn afresh for each swap, which finds itself by it
	terms []term
	text  string
}

const (
	valueFormat = "1"
	quiet, loud = "quiet", "loud"
)

func newStamp() string { return rand.Text()[:16] }

func (v value) encode() string {
	manner := loud
	if v.quiet {
		manner = quiet
	}
	b := make([]byte, 0, len(v.text)+64*(1+len(v.terms)))
	b = append(b, valueFormat+" "...)
	b = strconv.AppendUint(b, v.token, 10)
	b = append(b, " "+manner+" "+v.stamp...)
	for _, t := range v.terms {
		b = t.encode(append(b, ' '))
	}
	return string(append(append(b, '\n'), v.text...))
}

var errValue = errors.New("not the value of a record")

// decodeValue reads what encode wrote, at a revision.
func decodeValue(s string, revision int64) (v value, err error) {
	head, text, ok := strings.Cut(s, "\n")
	fields := strings.Split(head, " ")
	if !ok || len(fields) < 4 || fields[0] != valueFormat || fields[2] != quiet && fields[2] != loud {
		return value{}, errValue
	}
	v = value{quiet: fields[2] == quiet, stamp: fields[3], text: text}
	if v.token, err = strconv.ParseUint(fields[1], 10, 64); err != nil {
		return value{}, errValue
	}
	for _, field := range fields[4:] {
		t, ok := decodeTerm(field, revision)
		if !ok {
			return value{}, errValue
		}
		v.terms = append(v.terms, t)
	}
	return v, nil
}

// A term is one that a record names: ID:LENGTH:LEASE:BEGUN.
type term struct {
	id     string
	length time.Duration
	lease  clientv3.LeaseID // that lasts as long at least; zero for a term that is over
	begun  int64            // the revision, another one whenever the term begins again
}

// thisRevision is begun of a term that begins with the value it is in: who writes that
// does not know its revision yet.
const thisRevision = 0

func (t term) encode(b []byte) []byte {
	b = append(append(b, t.id...), ':')
	b = append(strconv.AppendInt(b, int64(t.length), 10), ':')
	b = append(strconv.AppendInt(b, int64(t.lease), 16), ':')
	return strconv.AppendInt(b, t.begun, 10)
}

func decodeTerm(s string, revision int64) (term, bool) {
	fields := strings.Split(s, ":")
	if len(fields) != 4 {
		return term{}, false
	}
	length, lengthErr := strconv.ParseInt(fields[1], 10, 64)
	lease, leaseErr := strconv.ParseInt(fields[2], 16, 64)
	begun, begunErr := strconv.ParseInt(fields[3], 10, 64)
	if begun == thisRevision {
		begun = revision
	}
	return term{fields[0], time.Duration(length), clientv3.LeaseID(lease), begun}, errors.Join(lengthErr, leaseErr, begunErr) == nil
}
