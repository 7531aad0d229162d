// Package federation serves the read verbs of the federation protocol over HTTP:
// it answers a peer gateway with exactly the rows that a grant and the host's own
// access control both allow, page by page, and tells it nothing else.
//
// [NewHandler] makes an http.Handler of parts that the host plugs in: an
// [Authenticator] that finds the grant behind a request, a [scope.Evaluator] that
// decides what the grant shows, a [Lister] that reads the rows, and a [cursor.Codec]
// that seals the place between two pages.
//
//	POST /api/federation/v1/list/{resource}      {"limit": 50, "cursor": "…"}, or no body
//	POST /api/federation/v1/get/{resource}/{id}  no body; with Config.Getter
//	GET  /api/federation/v1/capabilities
//	GET  /api/federation/v1/openapi.json         with Config.Contract
//
// # Wiring it
//
// A host that has nothing yet takes the ready parts, in this order; the package of each
// says more, and examples/enroll has all but 6, 7 and the Getter in one program:
//
//  1. [sqlstore.NewGrants], with Prepared, is the table of grants, in Postgres or SQLite;
//     grants.Memory is one for tests. [grants.NewRegistrar] over it makes, activates,
//     rotates, expires and revokes them, with the same Auditor as the handler.
//  2. [mtls.New], over the Find of that table, is the Authenticator: client certificates,
//     looked up for every request. [mtls.ServerTLS] makes the tls.Config for it, and
//     mtls.Config.Proxy is for a proxy that ends TLS.
//  3. [enroll.New] gives peers their certificates, for tokens. It is a handler of its own,
//     mounted at enroll.Path beside this one, on a server that lets clients in without a
//     certificate.
//  4. [scope.NewRules] is the Evaluator, over the host's access control. A [listquery.Store]
//     is its Native, the Lister and the Getter in one. Native access has 2 seconds unless
//     scope.Config.Timeout says otherwise, which includes its wait for a connection.
//  5. [cursor.New] over a Keyring of at least 32 random bytes, kept like a password, is
//     Cursors.
//  6. Limits: Config.Addresses, Config.Grants and enroll.Config.Addresses take a Limiter
//     of the module federation/ratelimit, each one of its own. Config.Concurrent bounds
//     what a peer that does not read can hold.
//  7. Config.Auditor: [auditsql.New] or [NewLogAuditor], behind an [AuditQueue] if answers must
//     not wait for it. And Config.Logger: without one, nobody is told why a request failed.
//  8. [NewHandler] makes the handler of it all, and [NewServer] the server. Mount the handler
//     at Prefix as it is.
//
// # Caveats
//
// The handler speaks after the transport has done its part. [NewServer] has the
// limits that an http.Server needs: a client that sends its body slowly is bounded in
// memory here (8 KiB), not in time. A page is read to its end before its first byte is
// sent, so a client that reads slowly holds memory and no connection of a database;
// Config.Concurrent bounds how many pages of one grant. Behind a proxy, the address that
// Config.Addresses limits is the proxy's, unless a middleware of the host puts
// another into Request.RemoteAddr. A 401 has no WWW-Authenticate header, since
// only the host knows its schemes; a middleware may add it.
//
// A part that ignores its context holds its request up: nothing can interrupt it.
// What it answers after the deadline is thrown away all the same.
//
// # Requests
//
// The body of a list is one JSON object of at most 8192 bytes, or with a [FanOut] of what its
// longest cursor takes (capabilities say max_body_bytes), with the members limit and
// cursor, both optional; an empty body is an object without members. A body is
// application/json, alone or with charset=utf-8, and is not compressed. Unknown and
// repeated members are refused, like anything behind the object. The limit is an integer
// of 1 or more, as a number or as its decimal digits in a string; it is clamped to the cap
// of the grant's scope. The cursor is the nextCursor of the page before; an empty or null
// one is refused, never taken for the first page.
//
// The id of a get is the rest of the path, unescaped; a body may be there if it is an
// empty object.
//
// # Responses
//
// A page is {"items":[…]}, and {"items":[…],"nextCursor":"…","_truncated":true}
// while rows remain. Each item has "_source":"local" as its last member.
//
// A row is {"item":{…,"_source":"local"}}. One that the grant does not show is 404
// not_found, with the same bytes and headers as one that is not there and as an id that
// no row could have. It comes after all refusals that do not depend on the row, for
// which the id makes no difference. (The time that an answer takes may tell more, as far
// as the host's database lets it.)
//
// An error is {"error":{"code":"…","message":"…"}}. It is application/problem+json
// (RFC 9457) if the Accept header names that media type, with a weight above 0 and
// not below that of application/json. Wildcards do not ask for it. One error has the
// member details: see Fan-out.
//
// Every response has Cache-Control: no-store, X-Content-Type-Options: nosniff,
// Content-Length and an X-Request-ID: the one of the request if it is 1 to 128
// visible ASCII characters, else a random one of 128 bits. The id never stands in a
// body. Denials that a peer must not tell apart are equal byte by byte: a grant
// that is unknown, pending, revoked, expired or another's; and a resource that is
// excluded, not granted or, if the request is well formed, denied by the host. (The
// host is asked last: a bad limit or cursor is refused before.)
//
// # Clients
//
// A [Client] reads from a gateway, this package's or another one of the same wire
// contract. Its errors are a *[PeerError] each, with the gateway's code, status,
// Retry-After and request id. [Client.All] is the whole list as an iterator, [AllAs] the
// same in rows of the host's type.
//
// # Fan-out
//
// With a [FanOut], a list may be that of several gateways at once. The body of a request
// names them as source: "local", "peer:NAME" (or "federated:NAME") or "all"; without it
// the rows are the gateway's own. The answer is one list in the order of the resource,
// its ties by the name of the source, with one cursor:
//
//	{"items":[{…,"_source":"peer:b"}],"nextCursor":"…","_truncated":true,
//	 "_partial":true,"_sources":[{"name":"local","state":"ok"},{"name":"peer:b","state":"failed","code":"timeout"}]}
//
// The states are ok, exhausted (no rows are left), denied (the peer refuses), failed, and
// skipped (not asked). The codes are those of the wire contract and unreachable, timeout,
// protocol_violation, circuit_open, catching_up, cursor_too_long and unknown_source.
//
// Rows of a source that answers are all there, in order and once, whatever the others do.
// A source that fails is asked again for the next page and goes on behind what was given
// meanwhile; _partial then stays until the list ends. A list ends when the sources that
// answered have no more rows. When all fail, the answer is 503, and says how each of them
// did, as an error of a [Client] does:
//
//	{"error":{"code":"unavailable","message":"…","details":{"sources":[{"name":"local","state":"failed","code":"unavailable"},…]}}}
//
// (Problem details have the member details, too.)
//
// Three failures in a row keep a peer from being asked for 5 seconds, further ones for up
// to 80. A 429 with Retry-After does so for the grant that it answers alone.
//
// Peers need nothing but the wire contract: the composite cursor holds the newest cursor
// that a peer gave, which is the one behind a page of its own, and how far the list has
// come. What the peer repeats from there is known by the order. A page of n rows asks a
// peer for n rows and those that it has to repeat, and now and then, at the same time, for
// a cursor that is nearer; all peers together give at most 2n rows per peer and page on
// average. A page takes as long as its slowest peer; it waits up to a twentieth of that
// more for a nearer cursor, which saves the next page a second round trip, and gives up
// what has not come by then.
//
// A peer is asked for its own rows, with the header X-Federation-Hop; a request that has
// it and names a source is refused. So no request goes round in circles. A peer that
// breaks the order, repeats a key, sends more than it was asked for or says that a row is
// somebody else's is cut off for the rest of the list.
//
// The rows of a page are at most 2 MiB together, half of what a [Client] reads unless it is
// told otherwise; a longer page ends early. A peer with one row of more than that, or a key
// with a text of more than 512 bytes, is cut off, too.
//
// The verb get is for the gateway's own rows: a merged list has its rows whole, and where a
// row is from, its Client can Get it.
//
// FanOutConfig.Peers decides whom a grant may ask. What other gateways gave to this one is
// not for a third: return no peers for the grant of a gateway.
//
// # The audit
//
// With an [Auditor], each decision is one [Record], denials and malformed requests
// included, which is kept before the answer leaves: an answer without its record is
// 503. An [AuditQueue] between the two makes the record follow the answer, at the price
// of records that get lost. [NewLogAuditor] writes to package slog, and the package
// auditsql into a table. Package grants audits the changes of grants by the same
// interface, and enroll.AuditTo adds the steps of enrollments.
//
// # The contract
//
// The package contract has all of this as an OpenAPI 3.1 document, and Config.Contract
// serves it: to peers alone, by the rows of the decision table that capabilities have.
//
// # Traces and metrics
//
// An [Observer] is told when a request comes and ends, and when a part of the host is
// called for it and returns. The names of the parts are stable, for spans and labels:
//
//	authenticate    the Authenticator, before anything is evaluated
//	evaluate        the Evaluator, native access included
//	list, get       the Lister, the Getter
//	fanout          the sources of a merged list, the Lister among them
//	reauthenticate  the Authenticator, once more, behind the rows
//	audit           the Auditor
//
// The module federation/otelfed makes spans and metrics of OpenTelemetry of that, and
// goes on with the traceparent of a peer. Without an Observer it costs nothing.
//
// # The log
//
// Each request is one line, "federation request", at Info for a 200 and for a client that
// hung up, at Error for a 5xx and for a grant whose stored scope is invalid (that is the
// host's to repair), and at Warn for every other denial. Its fields are stable:
//
//	request_id  text      as in the response
//	verb        text      list, get, capabilities, contract, or empty
//	resource    text      as the client wrote it, cut at 128 bytes
//	item        text      the id of a get, likewise; absent for other verbs
//	status      integer   of the response; 0 if a part aborted the handler, 499 if the
//	                      client hung up before there was one
//	code        text      ok, aborted, or the internal code of the denial
//	stage       text      the part of the decision that denied, or empty
//	grant       text      id of the grant, once it is known
//	peer        text      of the grant
//	subject     text      of the grant
//	rows        integer   sent
//	truncated   boolean   a next page was offered
//	latency     duration  until the response was handed to the server
//	source      text      of a list over several gateways; else absent
//	sources     text      their states; else absent
//	err         text      the cause, cut at 1024 bytes; absent without one
//	stack       text      of a part that panicked; else absent
//	trace       group     how the evaluator decided; absent if it was not asked
//
// The codes of a denial are those of package scope (invalid_scope, invalid_resource,
// resource_excluded, resource_not_granted, invalid_limit, native_rbac_unavailable,
// native_rbac_denied, undecided) and, of the handler's own stages: bad_path,
// bad_method, bad_type, bad_size, bad_body; no_credential, authn_unavailable;
// grant_unknown, grant_pending, grant_revoked, grant_expired, grant_mismatch,
// grant_changed; rate_limited, too_many_at_once, limiter_failed; cursor_not_text,
// cursor_malformed, cursor_too_long, cursor_version, cursor_unknown_key,
// cursor_forged, cursor_mismatch, cursor_expired; evaluator_failed; nothing_left,
// item_not_found; resource_not_listed, query_failed, query_unavailable,
// deadline_exceeded; handler_failed, audit_failed; hop_limit, source_unknown,
// peers_unavailable, sources_failed.
//
// A client that hung up is code client_gone, which a context that the host itself cancels
// looks like, too. Gateways that merge lists hang up in good health, on requests whose
// answer they no longer need. Nothing of this line except the request id, the verb, the
// resource and the status is ever in a response. (The item is, if the row has it.) Lines
// are written in the context of the request, so that a slog.Handler can add the ids of its
// trace.
//
// An Observer that panics leaves a line "federation observer" at Error, with err and
// stack.
//
// [sqlstore.NewGrants]: https://pkg.go.dev/github.com/mosaicstack/fedkit/federation/sqlstore#NewGrants
// [grants.NewRegistrar]: https://pkg.go.dev/github.com/mosaicstack/fedkit/federation/grants#NewRegistrar
// [mtls.New]: https://pkg.go.dev/github.com/mosaicstack/fedkit/federation/mtls#New
// [mtls.ServerTLS]: https://pkg.go.dev/github.com/mosaicstack/fedkit/federation/mtls#ServerTLS
// [enroll.New]: https://pkg.go.dev/github.com/mosaicstack/fedkit/federation/enroll#New
// [listquery.Store]: https://pkg.go.dev/github.com/mosaicstack/fedkit/listquery#Store
// [auditsql.New]: https://pkg.go.dev/github.com/mosaicstack/fedkit/federation/auditsql#New
package federation
