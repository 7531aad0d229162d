package federation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/scope"
)

// without are the rows of all sources but one.
func without(rows []string, source string) []string {
	return slices.DeleteFunc(slices.Clone(rows), func(row string) bool { return strings.HasSuffix(row, " "+source) })
}

// Decoders such as encoding/json take a member for another one whose name differs in case
// alone, and the last of them counts.
func TestAPeerCannotForgeItsSourceByAnotherSpelling(t *testing.T) {
	for _, name := range []string{"_Source", "_SOURCE", "_\u017fource", `_\u0053ource`} {
		f := newFederation(t, 2, true)
		want := f.fill(10)
		evil := f.sources[1]
		evil.fault = func(r *fakeReply) {
			r.replace(`"_source":"local"`, `"_source":"local","`+name+`":"peer:p02"`)
		}
		got, pages := f.walk(t, 4, nil)
		if diff := cmp.Diff(without(want, evil.label()), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if s := sourceNamed(pages[0], evil.label()); s.Code != ErrProtocolViolation {
			t.Errorf("%s: the peer is %+v", name, s)
		}
	}
}

// byText is a fan-out over sources whose rows are sorted by a text.
func byText(t *testing.T, rows map[string][]string) (*FanOut, FanOutRequest) {
	t.Helper()
	var peers []Peer
	for name, texts := range rows {
		g := newGatewayStub(t, func(_ int64, w http.ResponseWriter, r *http.Request) {
			var asked struct {
				Limit  int
				Cursor string
			}
			json.NewDecoder(r.Body).Decode(&asked)
			start := 0
			fmt.Sscan(asked.Cursor, &start)
			end := min(start+asked.Limit, len(texts))
			page := map[string]any{}
			items := []any{}
			for _, text := range texts[start:end] {
				items = append(items, map[string]string{"name": text, "_source": "local"})
			}
			if page["items"] = items; end < len(texts) {
				page["nextCursor"], page["_truncated"] = fmt.Sprint(end), true
			}
			json.NewEncoder(w).Encode(page)
		})
		peers = append(peers, Peer{name, newClient(t, g.URL)})
	}
	f, err := NewFanOut(FanOutConfig{
		Peers:  func(context.Context, scope.Grant) ([]Peer, error) { return peers, nil },
		Keys:   fanOutKeys,
		Orders: map[string]Order{"tasks": {Fields: []OrderField{{"name", cursor.KindText}}, Ascending: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return f, FanOutRequest{Grant: scope.Grant{ID: "g", Scope: narrower}, Resource: "tasks", Source: SourceAll, Limit: 2}
}

// The key of the last row is a part of the composite cursor.
func TestALongKeyOfAPeerTakesNobodysRoomInTheCursor(t *testing.T) {
	for _, length := range []int{maxKeyText + 1, 10_000, 40_000} {
		f, r := byText(t, map[string][]string{
			"evil":   {"b", "b" + strings.Repeat("x", length), "d", "e"},
			"honest": {"a", "c", "f", "g", "h", "i" + strings.Repeat("i", maxKeyText-1), "j"},
		})
		var got []string
		partial := false
		for more := true; more; more = r.Cursor != "" {
			page, err := f.List(t.Context(), r)
			if err != nil {
				t.Fatalf("a key of %d bytes: %v", length, err)
			}
			for _, item := range page.Items {
				if strings.HasPrefix(string(item), `{"_source":"peer:honest"`) {
					got = append(got, string(item))
				}
			}
			r.Cursor, partial = page.Next, page.Partial
		}
		if len(got) != 7 || !partial {
			t.Errorf("a key of %d bytes: %d of 7 rows of the honest peer, partial %t", length, len(got), partial)
		}
	}
}

// A client reads answers up to a length: rows of one peer must not make the page longer.
func TestLongRowsOfAPeerMakePagesShortAndNotUnreadable(t *testing.T) {
	long := func(bytes int) func(r *fakeReply) {
		return func(r *fakeReply) { r.replace(`"n":`, `"text":"`+strings.Repeat("x", bytes)+`","n":`) }
	}
	for name, c := range map[string]struct {
		bytes  int
		cutOff bool
	}{
		"many long ones": {500_000, false},
		"one too long":   {maxPageBytes, true},
	} {
		f := newFederation(t, 3, true)
		want := f.fill(7)
		for _, evil := range f.sources[1:3] {
			evil.cap = 4
			if evil.fault = long(c.bytes); c.cutOff {
				evil.cap = 1
				want = without(want, evil.label())
			}
		}
		got, pages := f.walk(t, 20, nil)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		for n, page := range pages {
			length := len(page.Next)
			for _, item := range page.Items {
				length += len(item)
			}
			if length > defaultMaxResponse*3/4 {
				t.Errorf("%s: page %d has %d bytes", name, n, length)
			}
		}
	}
}

// Its keys may be replaced between any two requests.
func TestAPeerWithNewKeysInTheMiddleOfAPageIsReadFromItsStartAgain(t *testing.T) {
	f := newFederation(t, 1, true)
	for i := range 60 {
		for _, p := range f.sources {
			p.insert(newFakeRow(1e15-int64(i), i))
		}
	}
	p := f.sources[1]
	p.cap = 2
	got, pages := f.walk(t, 20, func(page int) {
		p.fault = nil
		switch page {
		case 0:
			p.fault = func(r *fakeReply) { r.err = errors.New("down") }
		case 1: // it has to pass over rows, and is at its second page of them
			p.fault, p.after = func(r *fakeReply) {
				if r.token != "" && p.generation == 0 {
					p.generation++
					r.status, r.body = 400, `{"error":{"code":"invalid_request","message":"cursor"}}`
				}
			}, 1
		}
	})
	if p.generation != 1 {
		t.Fatal("its keys were not replaced")
	}
	for n, page := range pages {
		if s := sourceNamed(page, p.label()); s.Code == ErrProtocolViolation {
			t.Errorf("page %d: %+v", n, s)
		}
	}
	if own := len(got) - len(without(got, p.label())); own < 30 {
		t.Errorf("%d rows came of it", own)
	}
}

func TestAPageOfNoRowsIsNotAskedFor(t *testing.T) {
	f := newFederation(t, 1, true)
	f.fill(3)
	for _, limit := range []int{0, -1, maxFanOutLimit + 1, int(^uint(0) >> 1)} {
		if page, err := f.list(t.Context(), limit, ""); !errors.Is(err, ErrInvalidRequest) {
			t.Errorf("a limit of %d: %+v, %v", limit, page, err)
		}
	}
	if n := f.sources[1].asked; n != 0 {
		t.Errorf("the peer was asked %d times", n)
	}
}
