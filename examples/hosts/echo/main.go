// Echo is a service on Echo that peers can ask, too.
//
//	DATABASE_URL=postgres:///app CURSOR_KEY=$(openssl rand -hex 32) ADDR=127.0.0.1:8080 go run ./examples/hosts/echo
package main

import (
	"database/sql"
	"log"
	"net/http"
	"os"

	"github.com/labstack/echo/v5"
	"github.com/labstack/echo/v5/middleware"
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
	e := echo.New()
	// Around every route, peers' included.
	e.Use(middleware.Recover(), strict)
	e.GET("/healthz", func(c *echo.Context) error { return c.String(http.StatusOK, "healthy\n") })
	e.GET("/account", account, signedIn)
	// Peers have credentials of their own and no session: they are not behind signedIn.
	e.Any(federation.Prefix+"*", echo.WrapHandler(peers))
	return e
}

func strict(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c *echo.Context) error {
		c.Response().Header().Set("Strict-Transport-Security", "max-age=31536000")
		return next(c)
	}
}

// signedIn lets users in, as far as this example goes.
func signedIn(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c *echo.Context) error {
		if _, err := c.Cookie("session"); err != nil {
			return echo.NewHTTPError(http.StatusUnauthorized, "sign in")
		}
		return next(c)
	}
}

func account(c *echo.Context) error { return c.String(http.StatusOK, "your account\n") }
