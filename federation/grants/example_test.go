package grants_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/mosaicstack/fedkit/federation/grants"
	"github.com/mosaicstack/fedkit/scope"
)

// A grant from its making to its end.
func Example() {
	ctx := context.Background()
	registrar, err := grants.NewRegistrar(grants.Config{Store: new(grants.Memory), Registry: scope.Standard()})
	if err != nil {
		log.Fatal(err)
	}
	grant, err := registrar.Create(ctx, grants.Terms{
		Peer:    "gateway.example.org",
		Subject: "user-1",
		Scope:   []byte(`{"resources":["tasks"],"max_rows_per_query":50}`),
		Expires: time.Now().AddDate(0, 3, 0),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(grant.Status, grant.Revision)

	// The peer has shown a certificate: in life, its pin is PinOf the verified chain.
	pin := grants.Pin{Issuer: [32]byte{1}, Key: [32]byte{2}}
	grant, err = registrar.Activate(ctx, grant.ID, grant.Revision, pin)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(grant.Status, grant.Revision, grant.Fits(pin), grant.Usable(time.Now()))

	grant, err = registrar.Revoke(ctx, grant.ID)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(grant.Status, grant.Revision, grant.Usable(time.Now()))

	_, err = registrar.Rotate(ctx, grant.ID, grant.Revision, pin)
	fmt.Println(errors.Is(err, grants.ErrStatus))
	// Output:
	// pending 1
	// active 2 true <nil>
	// revoked 3 federation: grant revoked
	// true
}
