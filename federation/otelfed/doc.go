// Package otelfed makes traces and metrics of OpenTelemetry out of a federation
// endpoint, and takes traces across gateways: [Observer] goes on with the traceparent of
// the peer, [Transport] sends it along with the requests of this gateway to others. It is
// a module of its own, so that only those who use it depend on OpenTelemetry.
//
//	observer, err := otelfed.New(otelfed.Config{})
//	// ... federation.Config{Observer: observer}, and for the way to other gateways:
//	client := &http.Client{Transport: otelfed.Transport(base, otelfed.Config{})}
//
// # What there is
//
// Spans and instruments have stable names. A request is a server span
//
//	federation list, federation get, federation capabilities, federation contract, or
//	federation
//
// with the attributes below. Each part that it calls is a span within, "federation part
// evaluate" and the like, by the names that package federation gives to parts. A span has
// the status Error for a 5xx, for an abort and for a part that failed. What ends because
// nobody waits for it has not failed: a gateway that merges lists gives requests up in good
// health. The text of an error stays in the log, which the request id leads to: it may
// quote SQL, and traces often leave the house.
//
//	federation.verb            list, get, capabilities, contract, or empty
//	federation.resource        one that the registry has, else absent
//	federation.code            ok, aborted, or the internal code of the denial
//	federation.stage           the part of the decision that denied; absent for ok
//	federation.rows            in the answer
//	federation.request_id      as in the answer; on spans only
//	federation.grant, .peer    once they are known; on spans only
//	http.response.status_code  absent for an abort, 499 for a client that hung up
//	http.response.body.size    in bytes; on spans only
//
// The metrics are
//
//	federation.server.request.duration  s          by verb, resource, code and status
//	federation.server.response.rows     {row}      of answers with rows, by verb and resource
//	federation.server.active_requests   {request}  by verb
//	federation.server.part.duration     s          by part, and failed or not
//
// # Limits
//
// The subject of a grant is a person, and on no span. A peer that sends a traceparent
// decides with it which of its requests are sampled, unless [Config].OwnTraces is set. How
// many series the metrics have is bounded by the host's resources and the codes of package
// federation: nothing that a client writes is a label.
package otelfed
