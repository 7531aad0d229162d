package fleetlockhttp

import (
	"encoding/json"
	"net/http"
)

// A refusal is the answer to a request that is not granted. Zincati counts kinds, of
// which the protocol wants few, and logs values.
type refusal struct {
	status int
	Kind   string `json:"kind"`
	Value  string `json:"value"`
}

func (r refusal) Error() string { return r.Value }

func (r refusal) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	if r.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", http.MethodPost)
	}
	w.WriteHeader(r.status)
	_ = json.NewEncoder(w).Encode(r) // to a client that may be gone
}

var (
	// The kind of this one is the protocol's own example.
	full = refusal{http.StatusConflict, "failed_lock_semaphore_full", "all slots of the group are taken"}

	unknownPath  = refusal{http.StatusNotFound, "unknown_path", "the paths are /v1/pre-reboot and /v1/steady-state"}
	notPost      = refusal{http.StatusMethodNotAllowed, "not_post", "the method is not POST"}
	noHeader     = refusal{http.StatusBadRequest, "missing_protocol_header", "the header fleet-lock-protocol is not true"}
	longBody     = refusal{http.StatusRequestEntityTooLarge, "invalid_body", "the body is longer than 4096 bytes"}
	badID        = refusal{http.StatusBadRequest, "invalid_id", "client_params.id is not a text of 1 to 128 visible ASCII characters"}
	badGroup     = refusal{http.StatusBadRequest, "invalid_group", "client_params.group is not a text of 1 to 128 of the characters a-z, A-Z, 0-9, dot and hyphen"}
	unknownGroup = refusal{http.StatusNotFound, "unknown_group", "the group is not served here"}
	unavailable  = refusal{http.StatusServiceUnavailable, "store_unavailable", "the store of the slots does not answer as it should"}
)

func badBody(why string) refusal {
	return refusal{http.StatusBadRequest, "invalid_body", "the body is refused: " + why}
}
