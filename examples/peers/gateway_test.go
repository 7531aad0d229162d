package main

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/scope"
)

func TestNobodyGetsInWithoutACertificateOfThatGateway(t *testing.T) {
	t.Parallel()
	gateways, err := startTrio(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(gateways.stop)
	eastern := gateways.cards[home].Peers[0] // home, as east knows it
	own, err := eastern.Own.certificate()
	if err != nil {
		t.Fatal(err)
	}
	roots, err := poolOf(gateways.cards[west].Roots)
	if err != nil {
		t.Fatal(err)
	}
	for name, certificates := range map[string][]tls.Certificate{"no certificate": nil, "one of east": {own}} {
		client := &http.Client{Timeout: patience, Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: certificates},
		}}
		response, err := client.Post(gateways.cards[west].url()+federation.Prefix+"list/tasks", "", nil)
		if err == nil {
			response.Body.Close()
			t.Errorf("west answers %s to %s, want a broken handshake", response.Status, name)
		} else if !strings.Contains(err.Error(), "remote error: tls:") {
			t.Errorf("west fails with %v to %s, want a refusal by TLS", err, name)
		}
	}
}

func TestWhatPeersGaveIsForTheReaderAlone(t *testing.T) {
	t.Parallel()
	office, err := newOffice(east)
	if err != nil {
		t.Fatal(err)
	}
	peer, err := office.admit(t.Context(), home)
	if err != nil {
		t.Fatal(err)
	}
	peer.URL = "https://127.0.0.1:1"
	keys, err := cursor.NewKeyring(office.CursorKey)
	if err != nil {
		t.Fatal(err)
	}
	fanOut, err := newFanOut(card{Name: home, Peers: []contact{peer}}, keys)
	if err != nil {
		t.Fatal(err)
	}
	for asks, want := range map[string]error{
		reader: federation.ErrUnavailable, // there is a peer, and nobody at that address
		east:   nil,                       // there is none, and so no failure
		"":     nil,
	} {
		_, err := fanOut.List(t.Context(), federation.FanOutRequest{
			Grant: scope.Grant{ID: "grant", Peer: asks}, Resource: "tasks", Source: federation.SourceAll, Limit: 1,
		})
		if !errors.Is(err, want) {
			t.Errorf("%q is told %v of the peers, want %v", asks, err, want)
		}
	}
}

func TestAGatewayThatCannotStartSaysSo(t *testing.T) {
	t.Parallel()
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	office, err := newOffice(east)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	office.Addr = other.Addr().String()
	if p, err := startProcess(t.Context(), office.card); err == nil {
		p.kill()
		t.Error("a gateway starts at an address that is taken")
	} else if !strings.HasPrefix(err.Error(), "east: ") || time.Since(began) > patience {
		t.Errorf("a gateway that cannot start is told by %q after %s", err, time.Since(began))
	}
}
