package federation

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAllAsksForAPageWhenItsFirstRowIsDue(t *testing.T) {
	g := newGatewayStub(t, func(n int64, w http.ResponseWriter, r *http.Request) {
		var asked struct{ Cursor string }
		json.NewDecoder(r.Body).Decode(&asked)
		if want := fmt.Sprintf("after-%d", n-1); n > 1 && asked.Cursor != want {
			t.Errorf("the page %d was asked for with the cursor %q", n, asked.Cursor)
		}
		if n == 4 {
			w.WriteHeader(403)
			return
		}
		fmt.Fprintf(w, `{"items":[{"n":1},{"n":2}],"nextCursor":"after-%d","_truncated":true}`, n)
	})
	client := newClient(t, g.URL)
	rows := 0
	for _, err := range client.All(t.Context(), "tasks", ListRequest{}) {
		if rows++; err != nil || g.asked.Load() != int64(rows+1)/2 {
			t.Errorf("the row %d has the error %v and took %d requests", rows, err, g.asked.Load())
		}
		if rows == 4 {
			break
		}
	}
	if n := g.asked.Load(); n != 2 {
		t.Errorf("four rows of pages of two took %d requests", n)
	}
	var last error
	rows = 0
	for _, err := range client.All(t.Context(), "tasks", ListRequest{Cursor: "after-2"}) {
		if last != nil {
			t.Error("something followed the error")
		}
		if last = err; err == nil {
			rows++
		}
	}
	if !errors.Is(last, ErrForbidden) || rows != 2 {
		t.Errorf("a list that ends in 403 has %d rows and ends in %v", rows, last)
	}
}

func TestAPartialListNeverLooksComplete(t *testing.T) {
	g := newGatewayStub(t, func(n int64, w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"items":[{"n":1}],"_partial":true,"_sources":[{"name":"peer:b","state":"failed","code":"timeout"}]}`)
	})
	rows := 0
	var partial *SourcesError
	for _, err := range newClient(t, g.URL).All(t.Context(), "tasks", ListRequest{}) {
		if err == nil {
			rows++
		} else if !errors.Is(err, ErrPartial) || !errors.As(err, &partial) {
			t.Fatalf("the list ends in %v", err)
		}
	}
	if partial == nil || rows != 1 {
		t.Fatalf("a partial list of %d rows ends without an error", rows)
	}
	if diff := cmp.Diff([]SourceStatus{{"peer:b", SourceFailed, ErrTimeout}}, partial.Sources); diff != "" {
		t.Errorf("the sources (-want +got):\n%s", diff)
	}
}

func TestARowThatDoesNotDecodeIsAnError(t *testing.T) {
	g := newGatewayStub(t, func(n int64, w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"items":[{"n":1},{"n":"two"}]}`)
	})
	client := newClient(t, g.URL)
	type row struct{ N int }
	if rows, _, err := ListAs[row](t.Context(), client, "tasks", ListRequest{}); !errors.Is(err, ErrProtocolViolation) || rows != nil {
		t.Errorf("the page is %v: %v", rows, err)
	}
	var got []string
	for r, err := range AllAs[row](t.Context(), client, "tasks", ListRequest{}) {
		got = append(got, fmt.Sprint(r.N, errors.Is(err, ErrProtocolViolation)))
	}
	if diff := cmp.Diff([]string{"1 false", "0 true"}, got); diff != "" {
		t.Errorf("all (-want +got):\n%s", diff)
	}
}
