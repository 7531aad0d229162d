package federation

import (
	"errors"
	"net/http"
	"time"
)

// The limits of NewServer.
const (
	serverHeaderTime  = 5 * time.Second
	serverReadTime    = 10 * time.Second
	serverSendTime    = 30 * time.Second
	serverIdleTime    = 2 * time.Minute
	serverHeaderBytes = 16 << 10
)

// NewServer returns a server for a handler of this package, or for a mux with one in it,
// that clients cannot hold up: a request has 5 seconds for its header and 10 for all of
// it, the header at most 16 KiB (and 4 that net/http adds), an answer 30 seconds to be
// read once it is ready, and an idle connection is closed after 2 minutes. Timeout is
// the Config.Timeout of the handler, 0 for its default; a Config.AuditTimeout above 2
// seconds is to be added to it.
//
// The host sets the rest: TLSConfig, ErrorLog, the address or listener. It may change
// the limits before it serves. How many connections there may be is for the listener
// to say, which is where netutil.LimitListener of golang.org/x/net comes in.
func NewServer(handler http.Handler, timeout time.Duration) (*http.Server, error) {
	switch {
	case handler == nil:
		return nil, errors.New("federation: no handler to serve") // nil is http.DefaultServeMux
	case timeout < 0:
		return nil, errors.New("federation: the timeout of the handler is negative")
	case timeout == 0:
		timeout = defaultTimeout
	}
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: serverHeaderTime,
		ReadTimeout:       serverReadTime,
		// It counts from the header on: a body that comes slowly, the work of the
		// handler and its audit are within.
		WriteTimeout:   serverReadTime + timeout + defaultAuditTimeout + serverSendTime,
		IdleTimeout:    serverIdleTime,
		MaxHeaderBytes: serverHeaderBytes,
		// OPTIONS * is for the handler, too, which answers it as it does every path
		// that is not its own.
		DisableGeneralOptionsHandler: true,
	}, nil
}
