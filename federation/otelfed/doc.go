// Package otelfed makes traces and metrics of OpenTelemetry out of a federation
// endpoint, and takes traces across gateways: [Observer] goes on with the traceparent of
// the peer, [Transport] sends it along with the requests of this gateway to others. It is
// a module of its own, so that only those who use it depend on OpenTelemetry.
//
// Spans and instruments have stable names. A request is a server span
//
//	federation list, federation get, federation capabilities, federation contract, or
//	federation
//
// with the attributes below, and each part that it calls a span within, federation
// authenticate, evaluate, list or get, reauthenticate and audit by name as "federation part
// evaluate". A span has the status Error for a 5xx, for an abort and for a part that
// failed. What ends because nobody waits for it has not failed: a gateway that merges lists
// gives requests up in good health. The text of an error stays in the log, which the
// request id leads to: it may quote SQL, and traces often leave the house.
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
// The subject of a grant is a person and on no span. The metrics are
//
//	federation.server.request.duration   s       by verb, resource, code and status
//	federation.server.response.rows      {row}   of answers with rows, by verb and resource
//	federation.server.active_requests    {request}  by verb
//	federation.server.part.duration      s       by part, and failed or not
package otelfed
