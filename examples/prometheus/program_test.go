package main

import (
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/mosaicstack/fedkit/internal/programtest"
)

func TestMain(m *testing.M) { programtest.Main(m, main) }

func TestTheProgramServesBothAddressesAndStops(t *testing.T) {
	t.Parallel()
	p := programtest.Start(t, programtest.Command("-addr", "127.0.0.1:0", "-metrics", "127.0.0.1:0"))
	urls := p.Says(t, `peers ask (http://\S+), Prometheus (http://\S+)`)
	list, metrics := urls[1]+"list/tasks", urls[2]
	status, rows := ask(t, http.MethodPost, list, "Bearer demo")
	if status != http.StatusOK || !strings.Contains(rows, titles[0]) {
		t.Errorf("a peer is answered with %d and %s, want 200 and the tasks", status, rows)
	}
	programtest.Eventually(t, "Prometheus is told of the rows", func() bool {
		status, text := ask(t, http.MethodGet, metrics, "")
		return status == http.StatusOK && strings.Contains(text, `federation_rows_total{resource="tasks",verb="list"} 3`)
	})
	if status, _ := ask(t, http.MethodGet, strings.Replace(list, "list/tasks", "metrics", 1), "Bearer demo"); status != http.StatusNotFound {
		t.Errorf("a peer that asks for metrics is answered with %d, want 404", status)
	}
	p.Signal(t, syscall.SIGTERM)
	if got := p.End(t); got.Code != 0 || got.Stderr != "" {
		t.Errorf("the program ends with %d, want 0 and silence: %s", got.Code, got.Stderr)
	}
}

func TestAnAddressThatIsNoneEndsTheProgram(t *testing.T) {
	t.Parallel()
	for _, flags := range [][]string{{"-addr", "256.0.0.1:0", "-metrics", "127.0.0.1:0"}, {"-addr", "127.0.0.1:0", "-metrics", "256.0.0.1:0"}} {
		if got := programtest.Start(t, programtest.Command(flags...)).End(t); got.Code != 1 || !strings.Contains(got.Stderr, "256.0.0.1") || got.Stdout != "" {
			t.Errorf("with %q the program ends with %+v, want 1 and the address", flags, got)
		}
	}
}

func ask(t *testing.T, method, url, token string) (status int, text string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}
