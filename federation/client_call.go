package federation

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// hopHeader marks a request that a gateway makes to answer another one. Who receives it
// asks nobody else: see FanOutConfig.
const hopHeader = "X-Federation-Hop"

// maxErrorBody is how much of the body of an error is read, in bytes.
const maxErrorBody = 64 << 10

// maxPeerMessage is how much of a gateway's message is kept, in bytes.
const maxPeerMessage = 256

// A question is one request, before it is sent.
type question struct {
	method, path string
	body         []byte
	hop          string // empty: not on behalf of another request
}

// A reply is what is known of an answer beside its body.
type reply struct {
	status    int
	requestID string
}

// violation is the error of an answer that the contract does not allow.
func (r reply) violation(err error) *PeerError {
	return &PeerError{Code: ErrProtocolViolation, Status: r.status, RequestID: r.requestID, Err: err}
}

// call asks until there is an answer, or no hope of one. It returns the body of a 200.
func (c *Client) call(ctx context.Context, q question) ([]byte, reply, error) {
	id := requestIDFrom(ctx)
	for attempt := 1; ; attempt++ {
		body, got, failed := c.attempt(ctx, q, id)
		if failed == nil {
			return body, got, nil
		}
		if attempt >= c.attempts || !mayRetry(ctx, failed) {
			return nil, got, failed
		}
		wait, patient := backoff(ctx, attempt, failed.RetryAfter)
		if !patient || c.pause(ctx, wait) != nil {
			return nil, got, failed
		}
	}
}

// attempt asks once.
func (c *Client) attempt(ctx context.Context, q question, id string) ([]byte, reply, *PeerError) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	request, err := c.request(ctx, q, id)
	if err != nil {
		return nil, reply{}, &PeerError{Code: ErrInvalidRequest, Err: err}
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, reply{}, broken(ctx, err)
	}
	defer response.Body.Close()
	got := reply{status: response.StatusCode, requestID: id}
	if echoed := response.Header.Get(requestIDHeader); validRequestID(echoed) {
		got.requestID = echoed
	}
	if response.StatusCode != http.StatusOK {
		return nil, got, got.refusal(response)
	}
	body, err := readUpTo(response, c.maxResponse)
	switch {
	case errors.Is(err, errTooLong):
		return nil, got, got.violation(err)
	case err != nil:
		failed := broken(ctx, err)
		failed.Status, failed.RequestID = got.status, got.requestID
		return nil, got, failed
	}
	return body, got, nil
}

func (c *Client) request(ctx context.Context, q question, id string) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, q.method, c.base+q.path, bytes.NewReader(q.body))
	if err != nil {
		return nil, err
	}
	if len(q.body) > 0 {
		r.Header.Set("Content-Type", contentTypeJSON)
	}
	r.Header.Set("Accept", contentTypeJSON)
	r.Header.Set(requestIDHeader, id)
	if q.hop != "" {
		r.Header.Set(hopHeader, q.hop)
	}
	// An empty list of keys is not sent. It tells net/http that this POST may be sent
	// again if the kept-alive connection that it was sent on turns out to be closed.
	r.Header["Idempotency-Key"] = []string{}
	return r, nil
}

var errTooLong = errors.New("the answer is longer than it may be")

// readUpTo reads a body of at most that many bytes.
func readUpTo(response *http.Response, most int64) ([]byte, error) {
	if response.ContentLength > most {
		return nil, fmt.Errorf("%w: %d bytes, and not %d", errTooLong, response.ContentLength, most)
	}
	var body bytes.Buffer
	if response.ContentLength > 0 {
		body.Grow(int(response.ContentLength) + bytes.MinRead)
	}
	if _, err := body.ReadFrom(io.LimitReader(response.Body, most+1)); err != nil {
		return nil, err
	}
	if int64(body.Len()) > most {
		return nil, fmt.Errorf("%w: more than %d bytes", errTooLong, most)
	}
	return body.Bytes(), nil
}

// refusal reads the error envelope of an answer, or problem details.
func (r reply) refusal(response *http.Response) *PeerError {
	failed := &PeerError{
		Code:       codeOfStatus(r.status),
		Status:     r.status,
		RetryAfter: parseRetryAfter(response.Header.Get("Retry-After")),
		RequestID:  r.requestID,
	}
	text, err := readUpTo(response, maxErrorBody)
	if err != nil {
		return failed
	}
	var sent struct {
		Error struct {
			Code, Message string
			Details       json.RawMessage
		}
		Code, Detail string
		Details      json.RawMessage
	}
	if json.Unmarshal(text, &sent) != nil {
		return failed
	}
	code, message, details := ErrorCode(sent.Error.Code), sent.Error.Message, sent.Error.Details
	if code == "" {
		code, message, details = ErrorCode(sent.Code), sent.Detail, sent.Details
	}
	if isWireCode(code) {
		failed.Code, failed.Message, failed.Err = code, presentable(message), failedSources(code, details)
	}
	return failed
}

// failedSources is what the details of an error say of the sources of a list, or nil. A
// gateway of another implementation may have details of its own.
func failedSources(code ErrorCode, details []byte) error {
	var sent wireDetails
	if json.Unmarshal(details, &sent) != nil || len(sent.Sources) == 0 || checkSources(sent.Sources) != nil {
		return nil
	}
	return &SourcesError{Code: code, Sources: sent.Sources}
}

// presentable is text of a gateway on one line of a log.
func presentable(message string) string {
	message = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(message, "�"))
	return strings.Clone(bounded(message, maxPeerMessage))
}

// parseRetryAfter reads both forms of the header (RFC 9110, section 10.2.3).
func parseRetryAfter(value string) time.Duration {
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}
