package federation

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// A Source is which gateways a list is of.
type Source string

const (
	// SourceLocal is the gateway's own rows.
	SourceLocal Source = "local"
	// SourceAll is the gateway's own rows and those of all its peers.
	SourceAll Source = "all"
)

const (
	peerPrefix      = "peer:"
	federatedPrefix = "federated:"
)

// peerPattern is what a peer's name looks like. No character of it needs an escape in
// JSON, and none sorts before the colon of a longer prefix.
var peerPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// ErrInvalidSource is what every error of ParseSource matches.
var ErrInvalidSource = errors.New("federation: a source is local, all or peer:NAME")

// ParseSource reads local, all, or peer:NAME, for which federated:NAME is accepted too. A
// name has up to 64 letters, digits, dots, underscores and hyphens, and begins with a
// letter or digit.
func ParseSource(text string) (Source, error) {
	for _, s := range []Source{SourceLocal, SourceAll} {
		if text == string(s) {
			return s, nil // and no part of a body, which would live as long
		}
	}
	name, isPeer := strings.CutPrefix(text, peerPrefix)
	if !isPeer {
		name, isPeer = strings.CutPrefix(text, federatedPrefix)
	}
	if !isPeer || !peerPattern.MatchString(name) {
		return "", ErrInvalidSource
	}
	return Source(peerPrefix + name), nil
}

// A Peer is another gateway, as one grant may ask it.
type Peer struct {
	// Name is what the source peer:NAME has. It names one gateway, whoever asks.
	Name string

	// Client asks the gateway with the credential of the grant that the peer gave to
	// the one who asks here.
	Client *Client
}

// maxPeers is how many peers one list may have.
const maxPeers = 64

// checkPeers refuses what cannot be asked.
func checkPeers(peers []Peer) error {
	if len(peers) > maxPeers {
		return fmt.Errorf("federation: %d peers where %d are the most", len(peers), maxPeers)
	}
	seen := make(map[string]bool, len(peers))
	for _, p := range peers {
		switch {
		case !peerPattern.MatchString(p.Name):
			return fmt.Errorf("federation: %q is no name of a peer", bounded(p.Name, maxLoggedName))
		case seen[p.Name]:
			return fmt.Errorf("federation: the peer %s is there twice", p.Name)
		case p.Client == nil:
			return fmt.Errorf("federation: the peer %s has no client", p.Name)
		}
		seen[p.Name] = true
	}
	return nil
}
