package federation

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

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

		SourceTimeout: time.Minute,
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

// rawPeer is a peer that writes what it likes to each connection, once the request has
// been read.
func rawPeer(t *testing.T, write func(c net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				r, err := http.ReadRequest(bufio.NewReader(c))
				if err != nil {
					return
				}
				io.Copy(io.Discard, r.Body)
				write(c)
			}()
		}
	}()
	return "http://" + listener.Addr().String()
}

func TestAPeerThatAbusesHTTPIsAFailure(t *testing.T) {
	ok := "HTTP/1.1 200 OK\r\n"
	lots := func(text string) func(c net.Conn) {
		return func(c net.Conn) {
			for range 1e8 / len(text) {
				if _, err := io.WriteString(c, text); err != nil {
					return
				}
			}
		}
	}
	text := func(text string) func(c net.Conn) { return func(c net.Conn) { io.WriteString(c, text) } }
	for name, write := range map[string]func(c net.Conn){
		"a flood of 1xx":             lots("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"),
		"a header without end":       func(c net.Conn) { io.WriteString(c, ok); lots("X-A: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n")(c) },
		"another protocol":           text("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n" + emptyPage),
		"more than it announced":     text(ok + "Content-Length: 5\r\n\r\n" + emptyPage),
		"less than it announced":     text(ok + "Content-Length: 500\r\n\r\n" + emptyPage),
		"two lengths":                text(ok + "Content-Length: 12\r\nContent-Length: 13\r\n\r\n" + emptyPage),
		"a negative length":          text(ok + "Content-Length: -1\r\n\r\n" + emptyPage),
		"a chunk of no length":       text(ok + "Transfer-Encoding: chunked\r\n\r\nzz\r\n" + emptyPage),
		"a chunk that is cut":        text(ok + "Transfer-Encoding: chunked\r\n\r\nff\r\n" + emptyPage),
		"bytes that are no gzip":     text(ok + "Content-Encoding: gzip\r\nContent-Length: 12\r\n\r\n" + emptyPage),
		"another encoding":           text(ok + "Content-Encoding: br\r\nContent-Length: 3\r\n\r\n\x01\x02\x03"),
		"no content":                 text("HTTP/1.1 204 No Content\r\n\r\n"),
		"a part of it":               text("HTTP/1.1 206 Partial Content\r\nContent-Length: 12\r\n\r\n" + emptyPage),
		"a redirection to localhost": text("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"),
		"no HTTP":                    text("220 mail.example ESMTP\r\n"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFederation(t, 2, true)
			want := f.fill(4)
			client, err := NewClient(ClientConfig{URL: rawPeer(t, write), HTTP: &http.Client{Transport: &http.Transport{}}, Attempts: 1})
			if err != nil {
				t.Fatal(err)
			}
			f.peers[0].Client = client
			page, err := f.list(t.Context(), 50, "")
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, item := range page.Items {
				got = append(got, merged([]mergedRow{readMerged(t, item)})...)
			}
			if diff := cmp.Diff(without(want, "peer:p01"), got); diff != "" {
				t.Errorf("the rows of the others (-want +got):\n%s", diff)
			}
			if s := sourceNamed(page, "peer:p01"); s.State != SourceFailed || !page.Partial {
				t.Errorf("the peer is %+v", s)
			}
		})
	}
}

// What a row holds beside its key is the reader's, whatever it is.
func TestARowPassesAsItIs(t *testing.T) {
	for _, members := range []string{
		`"__proto__":{"admin":true},"constructor":null,"":1`,
		`"a":1,"a":2`,
		`"n":-0.0e-0,"big":123456789012345678901234567890e999`,
		`"text":"\ud800\u0000\u2028</script>"`,
		`"deep":` + strings.Repeat("[", 9990) + strings.Repeat("]", 9990),
		`"o":{"_source":"peer:p02","_Source":7}`,
	} {
		f := newFederation(t, 1, true)
		f.fill(2)
		f.sources[1].fault = func(r *fakeReply) { r.replace(`"n":`, members+`,"number":`) }
		page, err := f.list(t.Context(), 10, "")
		if err != nil || page.Partial || len(page.Items) != 4 {
			t.Fatalf("%.40s: %+v, %v", members, page.Sources, err)
		}
		if !strings.Contains(string(page.Items[1]), members+`,"number":0,"_source":"peer:p01"}`) {
			t.Errorf("%.40s becomes %.300s", members, page.Items[1])
		}
	}
}

// The forms in which one key can be written are one key; what is no key is a violation.
func TestKeysAreComparedByWhatTheyMean(t *testing.T) {
	const id, at = `"id":"00000000-0000-4000-8000-0000000000AB"`, `"createdAt":"2026-01-01T00:00:00Z"`
	for name, c := range map[string]struct {
		first, second string
		good          bool
	}{
		"another zone":      {at + `,` + id, `"createdAt":"2026-01-01T00:30:00+01:00",` + id, true},
		"the same instant":  {at + `,` + id, `"createdAt":"2026-01-01T01:00:00+01:00",` + strings.ToLower(id), false},
		"another precision": {at + `,` + id, `"createdAt":"2026-01-01T00:00:00.000000Z",` + strings.Replace(id, "AB", "ab", 1), false},
		"upper case":        {at + `,` + strings.Replace(id, "AB", "ab", 1), at + `,` + strings.Replace(id, "AB", "AA", 1), true},
		"a number":          {at + `,` + id, `"createdAt":1767225600,` + id, false},
		"a time of no zone": {at + `,` + id, `"createdAt":"2025-01-01T00:00:00",` + id, false},
		"the year 10000":    {`"createdAt":"9999-12-31T23:59:59-01:00",` + id, at + `,` + id, false},
		"an id in braces":   {at + `,` + id, `"createdAt":"2025-01-01T00:00:00Z","id":"{00000000-0000-4000-8000-0000000000AB}"`, false},
		"an id of a number": {at + `,` + id, `"createdAt":"2025-01-01T00:00:00Z","id":7`, false},
	} {
		f := newFederation(t, 2, true)
		want := f.fill(3)
		f.sources[1].fault = func(r *fakeReply) {
			r.body = `{"items":[{` + c.first + `,"_source":"local"},{` + c.second + `,"_source":"local"}]}`
		}
		page, err := f.list(t.Context(), 50, "")
		if err != nil {
			t.Fatal(err)
		}
		rows := len(without(want, "peer:p01"))
		if s := sourceNamed(page, "peer:p01"); c.good && (page.Partial || len(page.Items) != rows+2) ||
			!c.good && (s.Code != ErrProtocolViolation || len(page.Items) != rows) {
			t.Errorf("%s: %d rows, %+v", name, len(page.Items), s)
		}
	}
}

// A list without end is that peer's: it costs each page the same, and pages go on.
func TestAPeerWhoseListNeverEndsCostsEachPageTheSame(t *testing.T) {
	f := newFederation(t, 2, true)
	f.fill(20)
	evil := f.sources[1]
	for name, endless := range map[string]func(r *fakeReply){
		"new rows": func(r *fakeReply) { // between those of the others
			r.status, r.body, r.items, r.next = 200, "", nil, fmt.Sprint("x", evil.asked)
			for i := range r.limit {
				row := newFakeRow(1e15-1, 1<<20-evil.asked*100-i)
				r.items = append(r.items, row.text+`,"_source":"local"}`)
			}
		},
		"rows that have passed": func(r *fakeReply) { // each a bit older, and none where the list is
			row := newFakeRow(2e15-int64(evil.asked), 1)
			r.status, r.body, r.items, r.next = 200, "", []string{row.text + `,"_source":"local"}`}, fmt.Sprint("x", evil.asked)
		},
	} {
		token := ""
		for n := range 5 {
			if evil.fault = nil; n > 0 {
				evil.fault = endless
			}
			before := evil.asked
			page, err := f.list(t.Context(), 2, token)
			if err != nil || len(page.Items) != 2 {
				t.Fatalf("%s: page %d has %d rows: %v", name, n, len(page.Items), err)
			}
			if asked := evil.asked - before; asked > 20 {
				t.Errorf("%s: page %d took %d requests", name, n, asked)
			}
			if token = page.Next; token == "" {
				break
			}
		}
	}
}

// Whoever hangs up leaves nothing behind: no turn, no peer that passes for dead, and no
// goroutine, with which the bubble would have no end.
func TestPagesThatAreGivenUpLeaveNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFederation(t, 4, true, func(c *FanOutConfig) { c.Concurrent = 3 })
		f.fill(40)
		token := ""
		if page, err := f.list(t.Context(), 30, ""); err == nil {
			token = page.Next
		}
		for i := range f.peers {
			f.peers[i].Client = newFakeClient(t, &slowTransport{inner: f.sources[i+1]})
		}
		var asking sync.WaitGroup
		for range 30 {
			asking.Go(func() {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(10*time.Millisecond, cancel)
				f.list(ctx, 30, token)
			})
		}
		asking.Wait()
		if n := len(f.fanOut.turns); n != 0 {
			t.Errorf("%d turns are taken", n)
		}
		if len(f.fanOut.breakers.open) != 0 {
			t.Errorf("of the peers %v is remembered", f.fanOut.breakers.open)
		}
	})
}

// Whoever may ask a peer is decided for each page.
func TestAPeerThatIsTakenAwayIsNotAskedForTheNextPage(t *testing.T) {
	m := newMergingHost(t, 1, 3, 5)
	b := newMergingHost(t, 2, 4, 6)
	m.addPeer(t, "b", b.serving(t))
	peers := m.peers
	first := mustMerged(t, m.post(t, "tasks", `{"source":"all","limit":2}`))
	ask := func() mergedResponse {
		return mustMerged(t, m.post(t, "tasks", `{"source":"all","limit":2,"cursor":"`+first.NextCursor+`"}`))
	}
	asked := m.sent.Load()
	m.peers = nil
	if page := ask(); m.sent.Load() != asked || !page.Partial || page.Sources[1] != (SourceStatus{"peer:b", SourceSkipped, ErrUnknownSource}) {
		t.Errorf("the peer that was taken away is asked %d times: %+v", m.sent.Load()-asked, page)
	}
	m.peers = peers
	if page := ask(); page.Partial || page.Items[1].Source != "peer:b" || m.sent.Load() == asked {
		t.Errorf("the page with the peer is %+v", page)
	}
	m.authenticate = func(*http.Request) (scope.Grant, error) { return scope.Grant{}, ErrGrantRevoked }
	asked = m.sent.Load()
	if response := m.post(t, "tasks", `{"source":"all","limit":2,"cursor":"`+first.NextCursor+`"}`); response.Code != 403 || m.sent.Load() != asked {
		t.Errorf("a grant that was revoked between two pages asks the peer: %d", response.Code)
	}
}

func TestAGatewayWithoutPeersIsAllThereIs(t *testing.T) {
	m := newMergingHost(t, 1, 2, 3)
	got, pages := m.walk(t, "all", 2)
	if diff := cmp.Diff([]string{"1 local", "2 local", "3 local"}, got); diff != "" || pages[0].Partial || len(pages[0].Sources) != 1 {
		t.Errorf("without peers (-want +got):\n%s%+v", diff, pages[0].Sources)
	}
	m.grant.Scope = mustScope(`{"resources":["notes"],"max_rows_per_query":3}`)
	asked := false
	m.peersOf = func(scope.Grant) ([]Peer, error) { asked = true; return nil, nil }
	if response := m.post(t, "tasks", `{"source":"all"}`); response.Code != 403 || asked {
		t.Errorf("a resource that is not granted is %d, and the host was asked for peers: %t", response.Code, asked)
	}
}

// How long the rows are that it is asked for is not the peer's doing: it is asked for fewer.
func TestAPeerOfLongRowsIsAskedForFewer(t *testing.T) {
	f := newFederation(t, 2, true)
	want := f.fill(12)
	long := f.sources[1]
	long.fault = func(r *fakeReply) { r.replace(`"n":`, `"text":"`+strings.Repeat("x", 500_000)+`","n":`) }
	got, pages := f.walk(t, 30, nil)
	if diff := cmp.Diff(want, got); diff != "" || pages[len(pages)-1].Partial {
		t.Errorf("the list (-want +got):\n%s", diff)
	}
	if long.asked > 6*len(pages) {
		t.Errorf("%d pages took %d requests", len(pages), long.asked)
	}
}
