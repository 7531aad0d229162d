package main

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/mosaicstack/fedkit/internal/programtest"
)

// screenshots is where the tests leave pictures of what they looked at.
var screenshots = flag.String("screenshots", "", "write a picture of each page into this directory")

// requireVariable makes tests fail that need a browser where there is none.
const requireVariable = "FEDKIT_REQUIRE_CHROMIUM"

// chromium returns the browser of this machine, or "".
func chromium() string {
	for _, name := range []string{
		"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome",
		"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
		"/Applications/Chromium.app/Contents/MacOS/Chromium",
	} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// The browser is one for all tests, and each has a tab.
var (
	browserOnce  sync.Once
	browser      context.Context
	browserErr   error
	closeBrowser = func() {}
)

func startBrowser(path string) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.DisableGPU, chromedp.WSURLReadTimeout(programtest.Patience),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
	)
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium's does not work for root
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	var cancel context.CancelFunc
	browser, cancel = chromedp.NewContext(allocator)
	closeBrowser = func() { cancel(); stop() }
	browserErr = chromedp.Do(browser)
}

// A tab is what a test sees the page in. Scripts of the page do not run in it, unless the
// test lets them.
type tab struct {
	*testing.T
	ctx context.Context
}

func newTab(t *testing.T) *tab {
	t.Helper()
	path := chromium()
	if path == "" {
		if os.Getenv(requireVariable) == "1" {
			t.Fatalf("there is no Chromium and no Chrome, and %s=1 says that there must be", requireVariable)
		}
		t.Skip("there is no Chromium and no Chrome; scripts/install-chromium.sh installs one")
	}
	browserOnce.Do(func() { startBrowser(path) })
	if browserErr != nil {
		t.Fatalf("%s does not start: %v", path, browserErr)
	}
	ctx, stop := chromedp.NewContext(browser)
	t.Cleanup(stop)
	b := &tab{t, ctx}
	b.letScriptsRun(false)
	return b
}

func (b *tab) letScriptsRun(run bool) {
	b.Helper()
	do(b, command(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !run}))
}

// do takes an action, within a time.
func do[T any](b *tab, action chromedp.Action[T]) T {
	b.Helper()
	if err := chromedp.Do(b.ctx); err != nil { // the tab must not end with the time
		b.Fatalf("the browser gives no tab: %v", err)
	}
	ctx, cancel := context.WithTimeout(b.ctx, programtest.Patience)
	defer cancel()
	result, err := chromedp.Run(ctx, action)
	if err != nil {
		b.Fatalf("the browser does not do it: %v", err)
	}
	return result
}

// command is an action that sends one command of the protocol.
func command[P, R any](c cdp.Command[P, R], params P) chromedp.Action[R] {
	return func(ctx context.Context, t *chromedp.Target) (R, error) { return cdp.Call(ctx, t, c, params) }
}

// open loads an address, and returns the status.
func (b *tab) open(url string) int {
	b.Helper()
	return int(do(b, chromedp.NavigateResponse(url)).Status)
}

// follow clicks a link, and returns the answer.
func (b *tab) follow(selector string) *network.Response {
	b.Helper()
	return do(b, func(ctx context.Context, _ *chromedp.Target) (*network.Response, error) {
		return chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS(selector)))
	})
}

// texts returns what stands in the elements that a selector finds.
func (b *tab) texts(selector string) []string {
	b.Helper()
	return do(b, chromedp.Evaluate[[]string](`[...document.querySelectorAll("`+selector+`")].map(e => e.innerText.trim())`))
}

// text returns what stands in all of them.
func (b *tab) text(selector string) string {
	b.Helper()
	return strings.Join(b.texts(selector), " | ")
}

// dress lets the page be seen in a color scheme, on a screen of a width.
func (b *tab) dress(scheme string, width int64) {
	b.Helper()
	do(b, chromedp.EmulateViewport(width, 900))
	do(b, command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	}))
}

// picture leaves a picture, if that was asked for.
func (b *tab) picture(name string) {
	b.Helper()
	if *screenshots == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(*screenshots, name+".png"), do(b, chromedp.FullScreenshot(100)), 0o600); err != nil {
		b.Error(err)
	}
}

// outline returns role and name of what assistive technology sees.
func (b *tab) outline() []string {
	b.Helper()
	var lines []string
	for _, node := range do(b, command(accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})).Nodes {
		if node.Ignored || node.Role == nil {
			continue
		}
		lines = append(lines, axText(node.Role)+" "+axText(node.Name))
	}
	return lines
}

func axText(v *accessibility.Value) string {
	var text string
	if v != nil {
		json.Unmarshal(v.Value, &text) // "" for what is no text
	}
	return text
}
