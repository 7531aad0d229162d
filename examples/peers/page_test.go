package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/internal/programtest"
)

// startPage starts three gateways and the page over them.
func startPage(t *testing.T) (gateways *trio, url string) {
	t.Helper()
	gateways, err := startTrio(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(gateways.stop)
	return gateways, serveList(t, gateways.client)
}

func serveList(t *testing.T, client *federation.Client) (url string) {
	t.Helper()
	server := httptest.NewServer(newPage(client))
	t.Cleanup(server.Close)
	return server.URL + "/"
}

// merged returns "source: title" of all tasks, in the order of the list.
func merged() []string {
	type row struct{ key, text string }
	var rows []row
	for name, source := range map[string]string{home: "local", east: "peer:east", west: "peer:west"} {
		for _, t := range dataOf(name).Tasks {
			rows = append(rows, row{t.CreatedAt.Format("20060102150405.000000") + t.ID, source + ": " + t.Title})
		}
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(b.key, a.key) })
	var texts []string
	for _, r := range rows {
		texts = append(texts, r.text)
	}
	return texts
}

// rows returns "source: title" of the rows that a tab shows.
func (b *tab) rows() []string {
	b.Helper()
	sources, titles := b.texts("tbody .source"), b.texts("tbody .title")
	if len(sources) != len(titles) {
		b.Fatalf("of %d rows, %d say where they are from", len(titles), len(sources))
	}
	for i := range titles {
		titles[i] = sources[i] + ": " + titles[i]
	}
	return titles
}

// inlineCode counts what the policy of the page forbids.
const inlineCode = `[...document.querySelectorAll("*")].filter(e =>
	e.localName === "script" || [...e.attributes].some(a => a.name === "style" || a.name.startsWith("on"))).length`

func TestTheLinksOfThePageLeadThroughTheWholeList(t *testing.T) {
	t.Parallel()
	b := newTab(t)
	_, url := startPage(t)
	console := chromedp.Console(b.ctx)
	if status := b.open(url); status != http.StatusOK {
		t.Fatalf("the first page is %d, want 200", status)
	}
	got := b.rows()
	for page := 2; len(b.texts("[rel=next]")) > 0 && page < 10; page++ {
		if inline := do(b, chromedp.Evaluate[int](inlineCode)); inline != 0 {
			t.Errorf("page %d has %d scripts, handlers and styles in its elements", page-1, inline)
		}
		if len(b.rows()) != pageSize {
			t.Errorf("page %d has %d rows, want %d", page-1, len(b.rows()), pageSize)
		}
		if answer := b.follow("[rel=next]"); answer.Status != http.StatusOK {
			t.Fatalf("page %d is %d, want 200", page, answer.Status)
		}
		if alert := b.text("[role=alert]"); alert != "" {
			t.Errorf("page %d complains: %s", page, alert)
		}
		got = append(got, b.rows()...)
	}
	if want := merged(); !slices.Equal(got, want) {
		t.Errorf("the pages show\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got, want := b.text(".sources li"), "local answers, and has no more | peer:east answers, and has no more | peer:west answers, and has no more"; got != want {
		t.Errorf("the sources of the last page are %q, want %q", got, want)
	}
	b.picture("last-light")
	b.follow("nav a") // to the first page
	if got, want := b.rows(), merged()[:pageSize]; !slices.Equal(got, want) {
		t.Errorf("back on the first page there are %q, want %q", got, want)
	}
	b.isSilent(console)
}

// isSilent checks that the browser had nothing to complain of, such as a style or a
// script that the policy forbids.
func (b *tab) isSilent(console func(func(chromedp.ConsoleMessage, error) bool)) {
	b.Helper()
	const end = "the test has ended"
	do(b, chromedp.Evaluate[*struct{}](`console.log("`+end+`")`))
	for message, err := range console {
		switch {
		case err != nil:
			b.Fatal(err)
		case message.Text == end:
			return
		}
		b.Errorf("the browser says: %s", message)
	}
}

func TestThePageSaysWhatIsOffline(t *testing.T) {
	t.Parallel()
	b := newTab(t)
	gateways, url := startPage(t)
	b.open(url)
	wantAlert(b, "")
	b.follow("[rel=next]")
	for _, step := range []struct {
		name    string
		do      func()
		status  int64
		alert   string
		sources string
		rows    []string // from which rows may be
	}{
		{
			"west is killed", func() { gateways.kill(west) }, 200,
			"Federation partly offline\n\nTasks are missing here, those of peer:west.",
			"local answers | peer:east answers | peer:west failed: unreachable",
			[]string{"local", "peer:east"},
		},
		{
			"east is killed too", func() { gateways.kill(east) }, 200,
			"Federation offline\n\nNo other gateway answers. These are the tasks of home alone.",
			"local answers, and has no more | peer:east failed: unreachable | peer:west failed: unreachable",
			[]string{"local"},
		},
		{
			"home is killed too", func() { gateways.kill(home) }, 503,
			"Federation offline\n\nThe gateway home gives no list: unreachable.", "", nil,
		},
		{
			"all are back", func() { restart(t, gateways, east, west, home) }, 200, "",
			"local answers | peer:east answers | peer:west answers",
			[]string{"local", "peer:east", "peer:west"},
		},
	} {
		step.do()
		answer := do(b, func(ctx context.Context, _ *chromedp.Target) (*network.Response, error) {
			return chromedp.RunResponse(ctx, chromedp.Reload())
		})
		if answer.Status != step.status {
			t.Errorf("when %s, the page is %d, want %d", step.name, answer.Status, step.status)
		}
		wantAlert(b, step.alert)
		if again := b.text("nav a[href*=cursor]:last-child"); (again == "Load again") != (step.alert != "") {
			t.Errorf("when %s, the last link is %q", step.name, again)
		}
		if got := b.text(".sources li"); got != step.sources {
			t.Errorf("when %s, the sources are %q, want %q", step.name, got, step.sources)
		}
		var from []string
		for _, row := range b.rows() {
			source, _, _ := strings.Cut(row, ": ")
			from = append(from, source)
		}
		slices.Sort(from)
		if got := slices.Compact(from); !slices.Equal(got, step.rows) {
			t.Errorf("when %s, there are rows of %q, want %q", step.name, got, step.rows)
		}
		b.picture(strings.ReplaceAll(step.name, " ", "-"))
	}
}

func wantAlert(b *tab, want string) {
	b.Helper()
	if got := b.text("[role=alert]"); got != want {
		b.Errorf("the page says %q, want %q", got, want)
	}
}

func restart(t *testing.T, gateways *trio, names ...string) {
	t.Helper()
	for _, name := range names {
		// Until it has its port again, another program may have it.
		programtest.Eventually(t, name+" starts", func() bool { return gateways.start(t.Context(), name) == nil })
	}
}

func TestAListThatLostRowsSaysSoToItsEnd(t *testing.T) {
	t.Parallel()
	b := newTab(t)
	gateways, url := startPage(t)
	b.open(url)
	gateways.kill(west)
	b.follow("[rel=next]")
	restart(t, gateways, west)
	b.follow("[rel=next]")
	wantAlert(b, "Tasks are missing\n\nA gateway was offline on a page before this one. It answers again: begin with the first page to see its tasks.")
	if links := b.text("nav a"); links != "First page | Next page" {
		t.Errorf("the links are %q; to load the page again brings nothing back", links)
	}
	b.picture("lost")
	b.follow("nav a")
	wantAlert(b, "")
}

func TestTextOfAGatewayIsNothingButText(t *testing.T) {
	t.Parallel()
	hostile := []string{
		`<script>document.title = "owned"</script>`,
		`<img src="x" onerror="document.title='owned'">`,
		`</td></tr></table></main><h1>owned</h1>`,
		`{{.Style}} &lt;b&gt; "'` + "`",
		"javascript:alert(1)",
	}
	var items []map[string]string
	for _, text := range hostile {
		items = append(items, map[string]string{
			"_source": text, "title": text, "status": text, "priority": text, "createdAt": "2026-06-12T17:30:00Z",
		})
	}
	body, err := json.Marshal(map[string]any{
		"items": items, "nextCursor": `"><script>`, "_truncated": true, "_partial": true,
		"_sources": []map[string]string{{"name": "local", "state": "ok"}}, // where a client takes nothing but words
	})
	if err != nil {
		t.Fatal(err)
	}
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write(body)
	}))
	t.Cleanup(gateway.Close)
	client, err := federation.NewClient(federation.ClientConfig{URL: gateway.URL, HTTP: gateway.Client()})
	if err != nil {
		t.Fatal(err)
	}
	b := newTab(t)
	b.letScriptsRun(true)
	console := chromedp.Console(b.ctx)
	b.open(serveList(t, client))
	for _, column := range []string{"tbody td:nth-child(1)", "tbody td:nth-child(2)", "tbody td:nth-child(3)", "tbody td:nth-child(4)"} {
		if got := b.texts(column); !slices.Equal(got, hostile) {
			t.Errorf("%s shows %q, want %q", column, got, hostile)
		}
	}
	if got := do(b, chromedp.Evaluate[int](`document.querySelectorAll("script, img, h1 ~ h1").length`)); got != 0 {
		t.Errorf("text of the gateway became %d elements", got)
	}
	if got := do(b, chromedp.Title()); strings.Contains(got, "owned") {
		t.Errorf("text of the gateway ran, and the title is %q", got)
	}
	if got := do(b, chromedp.Evaluate[string](`new URL(document.querySelector("[rel=next]").href).searchParams.get("cursor")`)); got != `"><script>` {
		t.Errorf("the cursor of the next page is %q", got)
	}
	b.isSilent(console)
}

func TestEveryAnswerOfThePageIsLockedDown(t *testing.T) {
	t.Parallel()
	gateways, url := startPage(t)
	check := func(url string, status int) string {
		t.Helper()
		response, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		var body bytes.Buffer
		body.ReadFrom(response.Body)
		if response.StatusCode != status {
			t.Errorf("%s is %d, want %d", url, response.StatusCode, status)
		}
		for name, want := range map[string]string{
			"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff",
		} {
			if got := response.Header.Values(name); len(got) != 1 || got[0] != want {
				t.Errorf("%s has %s %q, want %q", url, name, got, want)
			}
		}
		policy := response.Header.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none';", "base-uri 'none';", "form-action 'none';", "frame-ancestors 'none'"} {
			if !strings.Contains(policy, part) {
				t.Errorf("%s has the policy %q, which lacks %s", url, policy, part)
			}
		}
		if strings.Contains(policy, "unsafe") || strings.Contains(policy, "script-src") {
			t.Errorf("%s has the policy %q, which allows scripts or any style", url, policy)
		}
		return body.String()
	}
	check(url, 200)
	for _, query := range []string{"?cursor=", "?cursor=nonsense", "?cursor=a&cursor=b", "?cursor=%zz"} {
		text := check(url+query, 400)
		if !strings.Contains(text, "No such page") || !strings.Contains(text, `<a href="/">First page</a>`) || strings.Contains(text, "again") {
			t.Errorf("%s does not say that there is no such page, and where the list begins:\n%s", query, text)
		}
	}
	check(url+"elsewhere", 404)
	gateways.kill(home)
	check(url, 503)
}

func TestTheListingAndThePageAgree(t *testing.T) {
	t.Parallel()
	gateways, err := startTrio(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(gateways.stop)
	var said bytes.Buffer
	list, err := read(t.Context(), gateways.client, log.New(&said, "", 0), func(int) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if list.total() != len(merged()) || list.pages != 4 || list.partial {
		t.Errorf("the list has %d rows on %d pages, partial %t, want %d on 4, and not", list.total(), list.pages, list.partial, len(merged()))
	}
	rest := said.String()
	for _, row := range merged() {
		_, title, _ := strings.Cut(row, ": ")
		_, after, found := strings.Cut(rest, title+"\n")
		if !found {
			t.Fatalf("%q is missing or out of order in\n%s", title, said.String())
		}
		rest = after
	}
}
