package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/mosaicstack/fedkit/federation"
)

var (
	//go:embed page.html
	pageHTML string
	//go:embed page.css
	pageCSS string

	pageTemplate = template.Must(template.New("page").Parse(pageHTML))
)

// A page shows the merged list in HTML. There is no script in it: the next page is a link
// that holds the cursor.
type page struct{ client *federation.Client }

func newPage(client *federation.Client) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", page{client})
	return withHeaders(mux)
}

// withHeaders lets nothing of the page be kept, and nothing be loaded or run that is not
// its own style.
func withHeaders(next http.Handler) http.Handler {
	style := sha256.Sum256([]byte(pageCSS))
	policy := "default-src 'none'; img-src data:; style-src 'sha256-" + base64.StdEncoding.EncodeToString(style[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", policy)
		h.Set("Referrer-Policy", "no-referrer") // the cursor is part of the address
		h.Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}

func (p page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v := p.read(r.Context(), r.URL.RawQuery)
	v.Style, v.At = template.CSS(pageCSS), time.Now().UTC()
	var body bytes.Buffer
	if err := pageTemplate.Execute(&body, v); err != nil {
		http.Error(w, "the page cannot be shown", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(v.status)
	body.WriteTo(w)
}

// read asks for what the page shows.
func (p page) read(ctx context.Context, query string) view {
	token, err := cursorOf(query)
	if err != nil {
		return badLink()
	}
	tasks, list, err := federation.ListAs[task](ctx, p.client, "tasks", federation.ListRequest{
		Limit: pageSize, Cursor: token, Source: string(federation.SourceAll),
	})
	switch {
	case errors.Is(err, federation.ErrInvalidRequest):
		return badLink()
	case err != nil:
		return homeOffline(err, token)
	}
	return shown(tasks, list, token)
}

var errTwoCursors = errors.New("an address has one cursor, which is not empty, or none")

// cursorOf reads the query of an address. It returns "" for the first page.
func cursorOf(query string) (string, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return "", err
	}
	tokens := values["cursor"]
	if len(tokens) > 1 || len(tokens) == 1 && tokens[0] == "" {
		return "", errTwoCursors
	}
	return strings.Join(tokens, ""), nil
}
