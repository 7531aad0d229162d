// Package auditsql keeps the audit of a federation endpoint in a table of Postgres or
// SQLite: one row for each decision, as [federation.Record] describes it, and for each
// change of a grant, as package grants does, so that somebody can tell later who read what.
//
// [DDL] has the statements that make the table, for the host's migrations; [New] returns an
// [Auditor] for federation.Config, grants.Config and enroll.AuditTo.
//
// # Guarantees
//
// By itself the Auditor makes each answer wait for its row, and an answer whose row cannot
// be written is not given. Put a [federation.AuditQueue] before it to let answers go
// ahead. No row has a token, a cursor or anything of the rows that were read.
//
// The table only grows, also by what strangers are refused, and no limit of addresses stands
// before that: where strangers reach the endpoint, leave their records out by Record.Code.
// Nothing here reads, changes or deletes a row: give the role of the gateway INSERT on it and
// nothing else, and let another role delete what is older than you keep it, by the index on
// the time. Request ids are the client's choice and may repeat.
//
// The columns are named as the fields of the record are, with at, grant_id, peer_id,
// subject_id, row_count, byte_count, filter_hash and latency_us for those whose names say
// too little; sources is the JSON that the page had as _sources.
//
// # Limits
//
// Each row takes a connection of the pool that the Auditor is given: a pool that pages use
// up makes the audit wait, so give it one of its own if answers depend on it. Behind a
// pooler in transaction mode lib/pq needs binary_parameters=yes in its data source name.
//
// Nothing cuts the table, and nothing makes it hard to change for who may write it: what
// must stand against the host's own administrators belongs in another system.
package auditsql
