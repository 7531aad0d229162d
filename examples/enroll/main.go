// Enroll shows two gateways that enroll with one another, and then list each other's
// rows over mutual TLS. All is real but the distance: two databases, two authorities,
// two servers on this machine, and certificates that are made at the start.
//
//	go run ./examples/enroll
//
// prints what happens, step by step, and ends. It leaves nothing behind.
//
// Read gateway.go first: it is what a host wires together. peer.go is the other side:
// what a gateway does to read from another one. This file is the story.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "enroll:", err)
		stop()
		os.Exit(1)
	}
}

// run tells the story to w.
func run(ctx context.Context, w io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	say := newNarrator(w)

	say.chapter("Two gateways start, each with an authority and a database of its own")
	alpha, err := startGateway(ctx, "alpha", say)
	if err != nil {
		return err
	}
	defer alpha.close()
	beta, err := startGateway(ctx, "beta", say)
	if err != nil {
		return err
	}
	defer beta.close()

	say.chapter("Each invites the other, to read one user's tasks")
	forBeta, err := alpha.invite(ctx, "beta", "user-0")
	if err != nil {
		return err
	}
	forAlpha, err := beta.invite(ctx, "alpha", "user-1")
	if err != nil {
		return err
	}

	say.chapter("Each trades its token for a certificate, over a key of its own")
	betaAtAlpha, err := enrollAt(ctx, "beta", forBeta, say)
	if err != nil {
		return err
	}
	alphaAtBeta, err := enrollAt(ctx, "alpha", forAlpha, say)
	if err != nil {
		return err
	}
	if _, err := enrollAt(ctx, "mallory", forBeta, say); err == nil {
		return fmt.Errorf("a token was good twice")
	}

	say.chapter("Each lists the other's tasks over mutual TLS")
	for _, p := range []*peer{betaAtAlpha, alphaAtBeta} {
		if err := p.list(ctx, say); err != nil {
			return err
		}
	}
	nobody, err := newPeer("nobody", forBeta)
	if err != nil {
		return err
	}
	if err := nobody.list(ctx, say); err != nil {
		return err
	}

	say.chapter("Alpha revokes beta's grant, and the next answer says so")
	if _, err := alpha.grants.Revoke(ctx, forBeta.grant); err != nil {
		return err
	}
	say.line("alpha", "revokes the grant of beta")
	for _, p := range []*peer{betaAtAlpha, alphaAtBeta} {
		if err := p.list(ctx, say); err != nil {
			return err
		}
	}
	return nil
}
