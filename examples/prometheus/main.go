// Prometheus shows the metrics of a federation endpoint: a gateway of three tasks in
// memory, and beside it, on an address of its own that no peer reaches, what Prometheus
// scrapes.
//
//	go run ./examples/prometheus
//	curl -X POST -H 'Authorization: Bearer demo' http://127.0.0.1:8080/api/federation/v1/list/tasks
//	curl http://127.0.0.1:9090/metrics
//
// Read metrics.go: it is all that a host has to write. The other files are a gateway to
// look at.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/mosaicstack/fedkit/federation"
)

func main() {
	peers := flag.String("addr", "127.0.0.1:8080", "where peers ask")
	scraped := flag.String("metrics", "127.0.0.1:9090", "where Prometheus asks")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	if err := run(ctx, *peers, *scraped); err != nil {
		log.Fatal(err)
	}
}

// run serves both addresses until ctx ends.
func run(ctx context.Context, peers, scraped string) error {
	registry := prometheus.NewRegistry()
	observer, err := newMetrics(registry)
	if err != nil {
		return err
	}
	api, err := newGateway(observer)
	if err != nil {
		return err
	}
	gateway, err := listen(ctx, peers, api)
	if err != nil {
		return err
	}
	defer gateway.listener.Close()
	metrics, err := listen(ctx, scraped, promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	if err != nil {
		return err
	}
	defer metrics.listener.Close()
	fmt.Printf("peers ask http://%s%s, Prometheus http://%s/metrics\n",
		gateway.listener.Addr(), federation.Prefix, metrics.listener.Addr())

	failed := make(chan error, 2)
	for _, s := range []server{gateway, metrics} {
		go func() { failed <- s.Serve(s.listener) }()
	}
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
	defer cancel()
	return errors.Join(err, gateway.Shutdown(drain), metrics.Shutdown(drain))
}

// A server is one of the two, which listens.
type server struct {
	*http.Server
	listener net.Listener
}

func listen(ctx context.Context, addr string, handler http.Handler) (server, error) {
	s, err := federation.NewServer(handler, 0)
	if err != nil {
		return server{}, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	return server{s, listener}, err
}
