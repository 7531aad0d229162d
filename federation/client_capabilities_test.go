package federation

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// seedCapabilities is what a gateway of the seed's contract says at least.
const seedCapabilities = `{"resources":["tasks"],"excluded_resources":[],"max_rows_per_query":50,"supported_verbs":["list"]}`

func TestCapabilitiesAreReadAsTheContractSays(t *testing.T) {
	for text, want := range map[string]Capabilities{
		seedCapabilities: {Resources: []string{"tasks"}, ExcludedResources: []string{}, MaxRowsPerQuery: 50, SupportedVerbs: []string{"list"}},
		` {"later":{"x":[]},"resources":["a","b"],"Resources":["c"],"excluded_resources":["c"],"max_rows_per_query":10000,"supported_verbs":["list","get"],` +
			`"protocol_versions":["1"],"fe\u0061tures":["get"],"limits":{"max_body_bytes":7}}` + "\n": {
			Resources: []string{"a", "b"}, ExcludedResources: []string{"c"}, MaxRowsPerQuery: 10_000, SupportedVerbs: []string{"list", "get"},
			ProtocolVersions: []string{"1"}, Features: []string{"get"}, Limits: map[string]int{"max_body_bytes": 7},
		},
	} {
		got, err := parseCapabilities([]byte(text))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", text, err, diff)
		}
	}
}

func TestCapabilitiesThatSayNothingAreRefused(t *testing.T) {
	with := func(old, new string) string { return strings.Replace(seedCapabilities, old, new, 1) }
	for _, text := range []string{
		``, `null`, `{}`, `[]`, `7`, seedCapabilities + `{}`, seedCapabilities[:60], with(`"tasks"`, "\"\xff\""),
		with(`["tasks"]`, `null`), with(`["tasks"]`, `[]`), with(`["tasks"]`, `[1]`), with(`["tasks"]`, `"tasks"`), with(`"resources"`, `"Resources"`),
		with(`[]`, `null`), with(`"excluded_resources":[],`, ``),
		with(`50`, `0`), with(`50`, `null`), with(`50`, `"50"`), with(`50`, `1.5`), with(`50`, `-1`), with(`50`, `10001`), with(`50`, `1e99`),
		with(`["list"]`, `[]`), with(`,"supported_verbs":["list"]`, ``),
		with(`50`, `50,"max_rows_per_query":50`), with(`50`, `50,"max_rows_per_quer\u0079":60`),
	} {
		if got, err := parseCapabilities([]byte(text)); err == nil || cmp.Diff(Capabilities{}, got) != "" {
			t.Errorf("%s are the capabilities %+v: %v", text, got, err)
		}
	}
	g := newGatewayStub(t, func(_ int64, w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{}`) })
	if _, err := newClient(t, g.URL).Capabilities(t.Context()); !errors.Is(err, ErrProtocolViolation) || g.asked.Load() != 1 {
		t.Errorf("capabilities without anything are %v, asked for %d times", err, g.asked.Load())
	}
}
