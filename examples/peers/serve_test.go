package main

import (
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/mosaicstack/fedkit/internal/programtest"
)

func TestAGatewayThatIsKilledComesBack(t *testing.T) {
	t.Parallel()
	p := launch(t, "-serve", "-addr", "127.0.0.1:0", "-rest", "100ms")
	page := p.Says(t, `at (http://\S+/)`)[1]
	if text := fetch(t, page); !strings.Contains(text, "Feed the sourdough") || strings.Contains(text, "alert") {
		t.Fatalf("the page lacks a task of west, or complains:\n%s", text)
	}
	kill(t, p.Says(t, `west +pid (\d+)`)[1])
	p.Says(t, `west +is gone, and starts again in 100ms`)
	again := p.Says(t, `west +is back as pid (\d+)`)[1]
	if text := fetch(t, page); !strings.Contains(text, "Feed the sourdough") || strings.Contains(text, "alert") {
		t.Errorf("the page lacks a task of west that is back, or complains:\n%s", text)
	}
	kill(t, again)
	programtest.Eventually(t, "west is back twice", func() bool { return strings.Count(p.Stdout.String(), "is back as pid") == 2 })
}

// fetch returns a page that is there.
func fetch(t *testing.T, url string) string {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s answers %s (%v):\n%s", url, response.Status, err, body)
	}
	return string(body)
}

func kill(t *testing.T, pid string) {
	t.Helper()
	n, err := strconv.Atoi(pid)
	if err != nil {
		t.Fatal(err)
	}
	process, err := os.FindProcess(n)
	if err == nil {
		err = process.Kill()
	}
	if err != nil {
		t.Fatalf("the process %d cannot be killed: %v", n, err)
	}
}
