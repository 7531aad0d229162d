package cursor_test

import (
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
)

// The keys of the examples. Real ones come from crypto/rand and are kept with
// the other secrets of the host.
var (
	exampleKey = []byte("an example key is no secret, no!")
	exampleNew = []byte("nor is the next one a secret, no")
)

// A server lists tasks, newest first, and continues after the last row of the
// page before.
func Example() {
	keys, err := cursor.NewKeyring(exampleKey)
	if err != nil {
		log.Fatal(err)
	}
	codec, err := cursor.New(cursor.Config{Keys: keys, TTL: 24 * time.Hour})
	if err != nil {
		log.Fatal(err)
	}
	newest, err := cursor.NewLayout("tasks created_at desc, id desc; v1",
		cursor.Field{Kind: cursor.KindTime}, cursor.Field{Kind: cursor.KindUUID})
	if err != nil {
		log.Fatal(err)
	}

	// The first request ends with this row.
	id, err := cursor.ParseUUID("01954c3a-ff00-7111-8022-010203040506")
	if err != nil {
		log.Fatal(err)
	}
	createdAt := time.Date(2026, 2, 28, 12, 0, 0, 123457000, time.UTC)
	binding := newest.Bind(cursor.Query{
		Resource: "tasks", Grant: "grant-1", Subject: "user-1",
		Filters: map[string][]string{"status": {"open", "blocked"}},
	})
	token, err := codec.Encode(binding, cursor.Position{cursor.TimeValue(createdAt), cursor.UUIDValue(id)})
	if err != nil {
		log.Fatal(err)
	}

	// The second request brings the token back. Its filter is the same set.
	binding = newest.Bind(cursor.Query{
		Resource: "tasks", Grant: "grant-1", Subject: "user-1",
		Filters: map[string][]string{"status": {"blocked", "open"}},
	})
	after, err := codec.Decode(binding, token)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("where (created_at, id) <", after[0].Time().Format(time.RFC3339Nano), after[1].UUID())

	// A third one tries it for somebody else.
	other := newest.Bind(cursor.Query{Resource: "tasks", Grant: "grant-1", Subject: "user-2"})
	_, err = codec.Decode(other, token)
	fmt.Println(errors.Is(err, cursor.ErrInvalid), errors.Is(err, cursor.ErrMismatch))

	// Output:
	// where (created_at, id) < 2026-02-28T12:00:00.123457Z 01954c3a-ff00-7111-8022-010203040506
	// true true
}

// A key is rotated in three steps. Each is finished in every process before
// the next one begins, so that no token is ever refused that is still in use.
func ExampleKeyring() {
	keys, err := cursor.NewKeyring(exampleKey)
	if err != nil {
		log.Fatal(err)
	}
	codec, err := cursor.New(cursor.Config{Keys: keys})
	if err != nil {
		log.Fatal(err)
	}
	layout, err := cursor.NewLayout("log lines by number; v1", cursor.Field{Kind: cursor.KindInt64})
	if err != nil {
		log.Fatal(err)
	}
	binding := layout.Bind(cursor.Query{Resource: "log"})
	made := func() string {
		token, err := codec.Encode(binding, cursor.Position{cursor.Int64Value(41)})
		if err != nil {
			log.Fatal(err)
		}
		return token
	}
	opens := func(token string) bool {
		_, err := codec.Decode(binding, token)
		return err == nil
	}
	old := made()

	if err := keys.Accept(exampleNew); err != nil { // everybody can read its tokens
		log.Fatal(err)
	}
	fmt.Println("accepted: still the old key makes tokens:", made() == old)

	if err := keys.Promote(exampleNew); err != nil { // everybody makes its tokens
		log.Fatal(err)
	}
	fmt.Println("promoted: the new key makes tokens:", made() != old, "and old ones open:", opens(old))

	if err := keys.Retire(exampleKey); err != nil { // the old tokens are used up
		log.Fatal(err)
	}
	fmt.Println("retired: old tokens open:", opens(old), "new ones:", opens(made()))

	// Output:
	// accepted: still the old key makes tokens: true
	// promoted: the new key makes tokens: true and old ones open: true
	// retired: old tokens open: false new ones: true
}

// A refusal tells the log what happened, and the client only that it did.
func ExampleCodec_Decode() {
	keys, err := cursor.NewKeyring(exampleKey)
	if err != nil {
		log.Fatal(err)
	}
	codec, err := cursor.New(cursor.Config{Keys: keys})
	if err != nil {
		log.Fatal(err)
	}
	layout, err := cursor.NewLayout("log lines by number; v1", cursor.Field{Kind: cursor.KindInt64})
	if err != nil {
		log.Fatal(err)
	}
	for _, token := range []string{"", "not a token", "eyJpZCI6MX0"} {
		_, err := codec.Decode(layout.Bind(cursor.Query{Resource: "log"}), token)
		switch {
		case errors.Is(err, cursor.ErrMalformed):
			fmt.Printf("400 (log: %q was never a cursor)\n", token)
		case errors.Is(err, cursor.ErrInvalid):
			fmt.Printf("400 (log: %q: %v)\n", token, err)
		}
	}

	// Output:
	// 400 (log: "" was never a cursor)
	// 400 (log: "not a token" was never a cursor)
	// 400 (log: "eyJpZCI6MX0": cursor: invalid token: another version or form)
}

// A time that the database rounds must be rounded before it becomes a key.
func ExampleCodec_Encode() {
	codec, err := cursor.New(cursor.Config{Form: cursor.Plain})
	if err != nil {
		log.Fatal(err)
	}
	layout, err := cursor.NewLayout("events at; v1", cursor.Field{Kind: cursor.KindTime})
	if err != nil {
		log.Fatal(err)
	}
	binding := layout.Bind(cursor.Query{Resource: "events"})
	at := time.Date(2026, 2, 28, 12, 0, 0, 1, time.UTC)
	_, err = codec.Encode(binding, cursor.Position{cursor.TimeValue(at)})
	fmt.Println(errors.Is(err, cursor.ErrUnencodable), err)
	_, err = codec.Encode(binding, cursor.Position{cursor.TimeValue(at.Truncate(time.Microsecond))})
	fmt.Println(err)

	// Output:
	// true cursor: position cannot be encoded: field 0: a time finer than a microsecond
	// <nil>
}
