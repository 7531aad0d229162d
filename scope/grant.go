package scope

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// Grant is what the host's authenticator found for the credential of one
// request: an active grant.
type Grant struct {
	// ID names the grant. It is required.
	ID string
	// Peer names the gateway that holds the grant.
	Peer string
	// Subject is the host's user on whose behalf the peer reads. It is
	// required.
	Subject string
	// Revision changes whenever the stored grant does, so that a change
	// during a request can be noticed.
	Revision int64
	// Scope is what Parse made of the stored scope. A host whose Parse failed
	// leaves it zero, and the request is denied as invalid_scope.
	Scope Scope
}

var (
	errZeroScope = errors.New("the grant has no valid scope")
	errGrantID   = errors.New("the grant's ID is empty, not UTF-8 or has a NUL")
	errSubject   = errors.New("the grant's Subject is empty, not UTF-8 or has a NUL")
)

// Check refuses a grant that cannot stand for anybody: row 5 of the decision
// table, for verbs that evaluate nothing. An empty subject is not
// "nobody in particular" but a bug in the host, and a NUL or a broken rune
// would reach databases that cut or replace it and so compare another id.
func (g Grant) Check() error {
	switch {
	case g.Scope.IsZero():
		return errZeroScope
	case !isID(g.ID):
		return errGrantID
	case !isID(g.Subject):
		return errSubject
	}
	return nil
}

func isID(id string) bool {
	return id != "" && utf8.ValidString(id) && strings.IndexByte(id, 0) < 0
}
