package federation

import (
	"bytes"
	"net/http"

	"github.com/mosaicstack/fedkit/scope"
)

// wireCapabilities tells a peer what its grant lets it ask for. The filters of the
// scope stay here: the ids of teams are nobody else's business.
type wireCapabilities struct {
	Resources         []string   `json:"resources"`
	ExcludedResources []string   `json:"excluded_resources"`
	MaxRowsPerQuery   int        `json:"max_rows_per_query"`
	SupportedVerbs    []string   `json:"supported_verbs"`
	ProtocolVersions  []string   `json:"protocol_versions"`
	Features          []string   `json:"features"`
	Limits            wireLimits `json:"limits"`
}

// wireLimits are the sizes above which a request is refused, or an id not found.
type wireLimits struct {
	MaxBodyBytes    int `json:"max_body_bytes"`
	MaxCursorLength int `json:"max_cursor_length"`
	MaxItemIDBytes  int `json:"max_id_bytes,omitempty"`            // with get
	MaxConcurrent   int `json:"max_concurrent_requests,omitempty"` // if there is a limit
}

// capabilities serves what the grant allows. Rows 1 to 5 of the decision table
// apply; native access is not asked, so a resource that is named here may still be
// refused.
func (h *handler) capabilities(x *exchange, body *bytes.Buffer) *refusal {
	if refused := x.only(http.MethodGet); refused != nil {
		return refused
	}
	defer x.limitTo(h.Timeout)()
	if refused := h.admit(x); refused != nil {
		return refused
	}
	if err := x.grant.Check(); err != nil {
		return &refusal{code: scope.CodeInvalidScope, err: err}
	}
	granted := x.grant.Scope
	body.Write(marshal(wireCapabilities{
		Resources:         append([]string{}, granted.Resources()...),
		ExcludedResources: append([]string{}, granted.Excluded()...),
		MaxRowsPerQuery:   granted.MaxRows(),
		SupportedVerbs:    h.verbs(),
		ProtocolVersions:  []string{"1"},
		Features:          h.features(),
		Limits:            h.limits(),
	}))
	return x.overdue(stageEvaluate)
}

// verbs are those that this handler serves.
func (h *handler) verbs() []string {
	if h.Getter == nil {
		return []string{verbList, verbCapabilities}
	}
	return []string{verbList, verbGet, verbCapabilities}
}

// features are what a peer cannot rely on with every gateway of this version.
func (h *handler) features() []string {
	features := []string{"cursors", "problem_json"}
	if h.Getter != nil {
		features = append(features, "get")
	}
	return features
}

func (h *handler) limits() wireLimits {
	limits := wireLimits{MaxBodyBytes: maxBody, MaxCursorLength: maxCursor, MaxConcurrent: h.Concurrent}
	if h.Getter != nil {
		limits.MaxItemIDBytes = maxItemID
	}
	return limits
}
