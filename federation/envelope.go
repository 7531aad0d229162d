package federation

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"sync"
)

const (
	contentTypeJSON    = "application/json"
	contentTypeProblem = "application/problem+json"
)

// wireError is the error envelope of the wire contract.
type wireError struct {
	Error wireErrorBody `json:"error"`
}

type wireErrorBody struct {
	Code    string       `json:"code"`
	Message string       `json:"message"`
	Details *wireDetails `json:"details,omitempty"`
}

// wireDetails are what an error says to programs beside its code.
type wireDetails struct {
	// Sources are the states of the sources of a list, all of which failed. Who may ask
	// for the list gets them with each page that does not fail.
	Sources []SourceStatus `json:"sources"`
}

// wireProblem is the same error as problem details (RFC 9457). Its type is
// about:blank, so the title is the phrase of the status and code is what a program
// looks at.
type wireProblem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`

	Details *wireDetails `json:"details,omitempty"`
}

// answer is a complete response. The body is without the request id, so equal
// answers to two requests are equal bytes.
type answer struct {
	status      int
	contentType string
	body        []byte
	header      [][2]string // beside those that every answer has
}

// answer renders an error in one of its two forms.
func (e wireErrorBody) answer(status int, asProblem bool) answer {
	if !asProblem {
		return answer{status: status, contentType: contentTypeJSON, body: marshal(wireError{e})}
	}
	return answer{status: status, contentType: contentTypeProblem, body: marshal(wireProblem{
		Type:    "about:blank",
		Title:   http.StatusText(status),
		Status:  status,
		Code:    e.Code,
		Detail:  e.Message,
		Details: e.Details,
	})}
}

// refuse renders a refusal in the form that the client asked for.
func refuse(r *refusal, asProblem bool) answer {
	ruled := r.ruling()
	said := wireErrorBody{Code: ruled.wire, Message: ruled.message}
	if len(r.sources) > 0 {
		said.Details = &wireDetails{r.sources}
	}
	a := said.answer(ruled.status, asProblem)
	if r.allow != "" {
		a.header = append(a.header, [2]string{"Allow", r.allow})
	}
	if r.closes {
		a.header = append(a.header, [2]string{"Connection", "close"}) // in HTTP/2 net/http makes a GOAWAY of it
	}
	if ruled.status == http.StatusTooManyRequests {
		a.header = append(a.header, [2]string{"Retry-After", retryAfterSeconds(r.retryAfter)})
	}
	return a
}

// marshal renders one of this package's own wire structures and ends it with a
// newline, which is kind to people at a terminal.
func marshal(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // they hold strings and integers only
	}
	return append(text, '\n')
}

// write sends the answer with the headers that everything has.
func (a answer) write(w http.ResponseWriter, requestID string) error {
	header := w.Header()
	for _, field := range a.header {
		header.Set(field[0], field[1])
	}
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set(requestIDHeader, requestID)
	header.Set("Content-Type", a.contentType)
	header.Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	_, err := w.Write(a.body)
	return err
}

// maxPooledBuffer bounds what an idle handler keeps: a larger buffer is left to
// the garbage collector.
const maxPooledBuffer = 1 << 20

// buffers holds the buffers in which pages are put together. A page is complete
// before its first byte is sent, so a peer that reads slowly holds memory, and
// neither a database connection nor a half-decided answer.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func borrowBuffer() *bytes.Buffer { return buffers.Get().(*bytes.Buffer) }

func returnBuffer(b *bytes.Buffer) {
	if b.Cap() > maxPooledBuffer {
		return
	}
	b.Reset()
	buffers.Put(b)
}
