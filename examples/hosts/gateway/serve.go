package gateway

import (
	"context"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// drainTime is longer than the handler may take for a request, 10 seconds.
const drainTime = 15 * time.Second

// Serve listens at the server's address until SIGINT or SIGTERM, and then returns when the
// requests in flight are answered. A second signal ends the program at once.
func Serve(server *http.Server) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		stop() // from here on a signal does what it does by default
	}
	drain, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	return server.Shutdown(drain)
}
