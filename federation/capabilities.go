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

// tell serves what a peer may know whose grant is good: rows 1 to 5 of the decision
// table apply. No part of the host is asked for more than the grant.
func (h *handler) tell(x *exchange, body *bytes.Buffer, what func(*exchange) []byte) *refusal {
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
	body.Write(what(x))
	return x.overdue(stageEvaluate)
}

// capabilities are what the grant allows. Native access is not asked, so a resource
// that is named here may still be refused.
func (h *handler) capabilities(x *exchange) []byte {
	granted := x.grant.Scope
	return marshal(wireCapabilities{
		Resources:         append([]string{}, granted.Resources()...),
		ExcludedResources: append([]string{}, granted.Excluded()...),
		MaxRowsPerQuery:   granted.MaxRows(),
		SupportedVerbs:    h.verbs(),
		ProtocolVersions:  []string{"1"},
		Features:          h.features(),
		Limits:            h.limits(),
	})
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
	if h.Contract {
		features = append(features, "contract")
	}
	if h.FanOut != nil {
		features = append(features, "sources")
	}
	return features
}

func (h *handler) limits() wireLimits {
	limits := wireLimits{MaxBodyBytes: h.maxBody(), MaxCursorLength: h.maxCursor(), MaxConcurrent: h.Concurrent}
	if h.Getter != nil {
		limits.MaxItemIDBytes = maxItemID
	}
	return limits
}
