package federation

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// A host's own endpoint cannot be told from the handler's by the form of its errors.
func TestAReplyIsWrittenAsTheHandlersOwn(t *testing.T) {
	for _, accept := range errorForms {
		h := newHost(t)
		refusing(ErrNoCredential)(h)
		r := newPost(Prefix+"list/tasks", "")
		r.Header.Set("Accept", accept)
		r.Header.Set("X-Request-Id", "request-1")
		want := h.serve(t, r)
		got := httptest.NewRecorder()
		reply := NewReply(got, r)
		if err := reply.Error(http.StatusUnauthorized, "unauthorized", "no verified credential"); err != nil {
			t.Fatal(err)
		}
		if reply.RequestID() != "request-1" || bytesOf(got) != bytesOf(want) || got.Header().Get(requestIDHeader) != "request-1" {
			t.Errorf("Accept %q: the reply is\n%s\nand the handler's\n%s", accept, bytesOf(got), bytesOf(want))
		}
	}
	got := httptest.NewRecorder()
	if err := NewReply(got, newPost("/x", "")).JSON(http.StatusOK, []byte("{}")); err != nil {
		t.Fatal(err)
	}
	if got.Body.String() != "{}" || got.Header().Get("Cache-Control") != "no-store" || len(got.Header().Get(requestIDHeader)) != 32 {
		t.Errorf("the reply is %s", bytesOf(got))
	}
}

func TestALimitOfTheHostsOwnIsAnsweredAsTheHandlers(t *testing.T) {
	for _, accept := range errorForms {
		h := newHost(t)
		h.addresses = limiterFunc(func(string) (time.Duration, bool) { return 1500 * time.Millisecond, false })
		r := newPost(Prefix+"list/tasks", "")
		r.Header.Set("Accept", accept)
		want, got := h.serve(t, r), httptest.NewRecorder()
		if err := NewReply(got, r).RateLimited(1500 * time.Millisecond); err != nil {
			t.Fatal(err)
		}
		if bytesOf(got) != bytesOf(want) || got.Header().Get("Retry-After") != "2" {
			t.Errorf("Accept %q: the reply is\n%s\nand the handler's\n%s", accept, bytesOf(got), bytesOf(want))
		}
	}
}
