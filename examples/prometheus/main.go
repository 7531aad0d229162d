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
	gateway, err := federation.NewServer(api, 0)
	if err != nil {
		return err
	}
	metrics, err := federation.NewServer(promhttp.HandlerFor(registry, promhttp.HandlerOpts{}), 0)
	if err != nil {
		return err
	}
	gateway.Addr, metrics.Addr = peers, scraped
	fmt.Printf("peers ask http://%s%s, Prometheus http://%s/metrics\n", peers, federation.Prefix, scraped)

	failed := make(chan error, 2)
	for _, server := range []*http.Server{gateway, metrics} {
		go func() { failed <- server.ListenAndServe() }()
	}
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
	defer cancel()
	return errors.Join(err, gateway.Shutdown(drain), metrics.Shutdown(drain))
}
