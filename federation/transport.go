package federation

import (
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

// newTransport returns a transport for a peer that may hang at any point. The context of
// a request bounds the request; what is here is for connections that outlive one.
func newTransport(config *tls.Config) *http.Transport {
	config = config.Clone()
	if config.MinVersion == 0 {
		config.MinVersion = tls.VersionTLS13
	}
	return &http.Transport{
		DialContext:            (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		TLSClientConfig:        config,
		TLSHandshakeTimeout:    5 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		MaxIdleConnsPerHost:    16,
		IdleConnTimeout:        90 * time.Second,
		ForceAttemptHTTP2:      true,
		// A connection over which nothing comes back is given up: over HTTP/2 all
		// further requests would be sent on it.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 5 * time.Second, PingTimeout: 5 * time.Second},
	}
}
