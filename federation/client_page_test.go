package federation

import (
	"encoding/json"
	"errors"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestAPageIsReadAsTheContractSays(t *testing.T) {
	page, err := parsePage([]byte(" {\"later\":{\"x\":[1]},\"items\":[ {\"a\":\"]}\"} ,{}],\"nextCursor\":\"\\u0061b\",\"_truncated\":true}\n"), ListRequest{Limit: 2})
	if err != nil {
		t.Fatal(err)
	}
	want := Page{Items: []json.RawMessage{json.RawMessage(`{"a":"]}"}`), json.RawMessage(`{}`)}, Next: "ab"}
	if diff := cmp.Diff(want, page); diff != "" {
		t.Errorf("the page (-want +got):\n%s", diff)
	}
}

func TestAPageThatBreaksTheContractIsRefused(t *testing.T) {
	for text, want := range map[string]error{
		``:                             errNotPage,
		`[]`:                           errNotPage,
		`{}`:                           errNotPage,
		`{"items":null}`:               errNotPage,
		`{"items":[1]}`:                errNotPage,
		`{"items":[{]}`:                errNotPage,
		`{"items":[{}`:                 errNotPage,
		`{"items":[]} {}`:              errNotPage,
		`{"Items":[]}`:                 errNotPage,
		`{"items":[],"items":[]}`:      errTwice,
		`{"items":[],"it\u0065ms":[]}`: errTwice,
		`{"items":[{}],"nextCursor":"a","nextCursor":"b"}`: errTwice,
		`{"items":[{}],"_truncated":true}`:                 errNoCursor,
		`{"items":[{}],"nextCursor":null}`:                 errBadCursor,
		`{"items":[{}],"nextCursor":""}`:                   errBadCursor,
		`{"items":[{}],"nextCursor":7}`:                    errBadCursor,
		`{"items":[],"nextCursor":"b","_truncated":true}`:  errStandstill,
		`{"items":[{}],"nextCursor":"same"}`:               errStandstill,
		`{"items":[{},{},{}]}`:                             errTooMany,
		"{\"items\":[{\"a\":\"\xff\"}]}":                   errNotUTF8,

		`{"items":[],"_sources":[{"name":"all","state":"ok"}]}`:                                errBadSources,
		`{"items":[],"_sources":[{"name":"federated:a","state":"ok"}]}`:                        errBadSources,
		`{"items":[],"_sources":[{"state":"ok"}]}`:                                             errBadSources,
		`{"items":[],"_sources":[{"name":"local"}]}`:                                           errBadSources,
		`{"items":[],"_sources":[{"name":"local","state":"ok\n"}]}`:                            errBadSources,
		`{"items":[],"_sources":[{"name":"local","state":"failed","code":"<b>"}]}`:             errBadSources,
		`{"items":[],"_sources":[{"name":"local","state":"` + strings.Repeat("x", 65) + `"}]}`: errBadSources,
	} {
		if page, err := parsePage([]byte(text), ListRequest{Limit: 2, Cursor: "same"}); !errors.Is(err, want) {
			t.Errorf("%s is the page %v, the error %v and not %v", text, page, err, want)
		}
	}
}

func TestAnItemIsReadAsTheContractSays(t *testing.T) {
	item, err := parseItem([]byte(`{"later":1,"item":{"id":"7"}}` + "\n"))
	if err != nil || string(item) != `{"id":"7"}` {
		t.Errorf("the item is %s: %v", item, err)
	}
	for _, text := range []string{``, `{}`, `{"item":null}`, `{"item":[]}`, `{"item":{}} 1`, `{"item":{},"item":{}}`, "{\"item\":{\"a\":\"\xff\"}}"} {
		if item, err := parseItem([]byte(text)); err == nil {
			t.Errorf("%q is the item %s", text, item)
		}
	}
}

// What a page is to this package and to encoding/json is the same.
func FuzzPage(f *testing.F) {
	for _, text := range []string{emptyPage, `{"items":[{"a":1}],"nextCursor":"x","_truncated":true}`, `{"items":[{"a":[{"b":"\u00e9"}]},{}],"_partial":true,"_sources":[{"name":"local","state":"ok"},{"name":"peer:a","state":"failed","code":"a_later_one"}]}`, `{"items":[{}],"\u005ftruncated":true}`, `{"items":[{}],"Items":[]}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		page, err := parsePage(text, ListRequest{})
		if err != nil {
			return
		}
		var slow map[string]json.RawMessage // into a struct, it would not tell Items from items
		var items []json.RawMessage
		var next string
		slowErr := json.Unmarshal(text, &slow)
		if slowErr == nil {
			slowErr = json.Unmarshal(slow["items"], &items)
		}
		if slow["nextCursor"] != nil && slowErr == nil {
			slowErr = json.Unmarshal(slow["nextCursor"], &next)
		}
		if slowErr != nil || !utf8.Valid(text) || len(items) != len(page.Items) || next != page.Next {
			t.Fatalf("%q is the page %v, and for encoding/json %s and %q: %v", text, page, items, next, slowErr)
		}
		for i, item := range page.Items {
			if string(item) != string(items[i]) || !isObject(item) {
				t.Errorf("%q has the item %s, and for encoding/json %s", text, item, items[i])
			}
		}
	})
}

// An answer must not take many times its own length of memory. What the servers of other
// tests allocate while they end is counted, too, so the least of several tries counts.
func TestAPageOfTinyPartsCostsLittleMemory(t *testing.T) {
	const length = 4 << 20
	many := func(part string) string {
		return strings.TrimSuffix(strings.Repeat(part+",", length/(len(part)+1)), ",")
	}
	for name, text := range map[string]string{
		"rows":    `{"items":[` + many("{}") + `]}`,
		"sources": `{"items":[],"_sources":[` + many("{}") + `]}`,
		"names":   `{"items":[],` + many(`"":0`) + `}`,
	} {
		read := []byte(text)
		least := uint64(math.MaxUint64)
		for try := 0; try < 100 && least > length/4; try++ {
			time.Sleep(time.Duration(try) * time.Millisecond)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			page, err := parsePage(read, ListRequest{Limit: 100})
			runtime.ReadMemStats(&after)
			if fails := name == "rows" || name == "sources"; (err != nil) != fails {
				t.Fatalf("%s: %d rows, %v", name, len(page.Items), err)
			}
			least = min(least, after.TotalAlloc-before.TotalAlloc)
		}
		if least > length/4 {
			t.Errorf("%s: %d bytes cost %d", name, len(read), least)
		}
	}
}
