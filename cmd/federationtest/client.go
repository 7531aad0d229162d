package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"sync"

	"github.com/mosaicstack/fedkit/federation/federationtest"
)

// A sender sends requests with the credential of a grant.
type sender func(r *http.Request, grant string) (*http.Response, error)

// sender returns the one that the command line asks for.
func (a arguments) sender() (sender, error) {
	trusted, err := a.trusted()
	if err != nil {
		return nil, err
	}
	if a.certs == "" {
		return federationtest.BearerTokens(clientOf(trusted)), nil
	}
	if _, err := os.Stat(a.certs); err != nil {
		return nil, err
	}
	c := certificates{directory: a.certs, trusted: trusted, clients: map[string]*http.Client{}}
	return c.send, nil
}

// trusted is how the server is verified.
func (a arguments) trusted() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if a.roots == "" {
		return config, nil
	}
	text, err := os.ReadFile(a.roots)
	if err != nil {
		return nil, err
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s has no certificate in PEM", a.roots)
	}
	return config, nil
}

func clientOf(config *tls.Config) *http.Client {
	return &http.Client{Transport: &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}}
}

// certificates has a client for each grant: a connection belongs to one certificate.
type certificates struct {
	directory string
	trusted   *tls.Config
	mu        sync.Mutex
	clients   map[string]*http.Client
}

func (c *certificates) send(r *http.Request, grant string) (*http.Response, error) {
	client, err := c.client(grant)
	if err != nil {
		return nil, err
	}
	return federationtest.BearerTokens(client)(r, "") // without a token
}

func (c *certificates) client(grant string) (*http.Client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if client, ok := c.clients[grant]; ok {
		return client, nil
	}
	config := c.trusted.Clone()
	file := filepath.Join(c.directory, grant)
	if grant != "" && (exists(file+".crt") || exists(file+".key")) {
		own, err := tls.LoadX509KeyPair(file+".crt", file+".key")
		if err != nil {
			return nil, fmt.Errorf("the certificate of %s: %w", grant, err)
		}
		config.Certificates = []tls.Certificate{own}
	}
	c.clients[grant] = clientOf(config)
	return c.clients[grant], nil
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return !errors.Is(err, fs.ErrNotExist)
}
