-- A lock has one row, from its first grant on.
CREATE TABLE @.fleetlock (
	name    text COLLATE "C" NOT NULL PRIMARY KEY,
	version bigint NOT NULL,        -- tells the record from all others
	token   bigint NOT NULL,        -- the highest fencing token that was granted
	record  text NOT NULL,          -- JSON: who holds, who waits, who was last
	terms   text[] NOT NULL,        -- what runs out
	ends    timestamptz[] NOT NULL  -- and when each does, by the clock of the server
) WITH (fillfactor = 50);
