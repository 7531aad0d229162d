-- What sqlstore needs, as Postgres takes it. "@." stands for the schema's name.
-- SQLite gets the same statements with types of its own: see dialect.go.

-- IDs sort byte by byte in both, whatever the database's collation is. A pin is
-- ISSUER:KEY or ISSUER:*, in hexadecimal digits; an empty one is none.
CREATE TABLE @.federation_grants (
	id         text COLLATE "C" NOT NULL PRIMARY KEY,
	credential text NOT NULL UNIQUE,
	peer       text NOT NULL CHECK (peer <> ''),
	subject    text NOT NULL CHECK (subject <> ''),
	scope      text NOT NULL CHECK (scope <> ''),
	status     text NOT NULL CHECK (status IN ('pending', 'active', 'expired', 'revoked')),
	pin        text NOT NULL CHECK (pin <> '' OR status <> 'active'),
	old_pin    text NOT NULL CHECK (old_pin = '' OR pin <> ''),
	not_before timestamptz NOT NULL,
	expires    timestamptz NOT NULL CHECK (expires > not_before),
	revision   bigint NOT NULL CHECK (revision > 0),
	created    timestamptz NOT NULL,
	updated    timestamptz NOT NULL
);

-- A hash is 64 hexadecimal digits. What is used, and when, is never forgotten: a host
-- that cleans up keeps the tickets that have not expired.
CREATE TABLE @.federation_tickets (
	id         text COLLATE "C" NOT NULL PRIMARY KEY,
	hash       text NOT NULL CHECK (length(hash) = 64),
	grant_id   text COLLATE "C" NOT NULL REFERENCES @.federation_grants (id),
	created    timestamptz NOT NULL,
	expires    timestamptz NOT NULL CHECK (expires > created),
	used       timestamptz
);
