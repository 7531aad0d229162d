// Nethttp is a service on net/http alone that peers can ask, too.
//
//	DATABASE_URL=postgres:///app CURSOR_KEY=$(openssl rand -hex 32) ADDR=127.0.0.1:8080 go run ./examples/hosts/nethttp
package main

import (
	"database/sql"
	"fmt"
	"log"
	"net/http"
	"os"

	_ "github.com/lib/pq" // the driver "postgres"

	"github.com/mosaicstack/fedkit/examples/hosts/gateway"
	"github.com/mosaicstack/fedkit/federation"
)

func main() {
	db, err := sql.Open("postgres", os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	peers, err := gateway.New(db, []byte(os.Getenv("CURSOR_KEY")))
	if err != nil {
		log.Fatal(err)
	}
	server, err := federation.NewServer(routes(peers), 0)
	if err != nil {
		log.Fatal(err)
	}
	server.Addr = os.Getenv("ADDR")
	if err := gateway.Serve(server); err != nil {
		log.Fatal(err)
	}
}

// routes are those of the service, and those for peers beside them.
func routes(peers http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "healthy") })
	mux.Handle("GET /account", signedIn(http.HandlerFunc(account)))
	// Peers have credentials of their own and no session: they are not behind signedIn.
	mux.Handle(federation.Prefix, peers)
	return strict(mux)
}

// strict is around every route, peers' included.
func strict(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		next.ServeHTTP(w, r)
	})
}

// signedIn lets users in, as far as this example goes.
func signedIn(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := r.Cookie("session"); err != nil {
			http.Error(w, "sign in", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func account(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "your account") }
