-- One note in 20 is user-1's, and one in 10 of those is about a project of the user's
-- own. A note in 9 is not written yet; none is the empty text.
INSERT INTO mission_tasks
SELECT uid('note', n), uid('mission', 1 + CASE WHEN pick(n, 1, 20) = 0 AND pick(n, 2, 10) = 0
		THEN 98 + 100 * pick(n, 3, 5) + 10000 * pick(n, 4, 4) ELSE pick(n, 5, 40000) END),
	CASE WHEN pick(n, 6, 2) = 0 THEN uid('task', 1 + pick(n, 7, {rows})) END,
	'user-' || CASE WHEN pick(n, 1, 20) = 0 THEN 1 ELSE 2 + pick(n, 8, 99) END,
	'open', CASE WHEN pick(n, 9, 9) > 0 THEN 'What was found out about ' || n || '.' END,
	moment(n * 5), moment(n * 5)
FROM generate_series(1, {rows}::bigint / 5) n;

INSERT INTO insights
SELECT uid('insight', n), 'user-' || 1 + pick(n, 1, 100), 'Something learnt, number ' || n || '.', 'agent', 'work',
	pick(n, 2, 100) / 100.0, CASE WHEN pick(n, 3, 2) = 0 THEN '{"turns": 3}'::jsonb END, moment(n * 10), moment(n * 10)
FROM generate_series(1, {rows}::bigint / 10) n;

INSERT INTO preferences
SELECT uid('preference', n), 'user-' || 1 + pick(n, 1, 100), 'key-' || n, jsonb_build_object('enabled', n % 2 = 0), 'editor',
	CASE WHEN pick(n, 2, 2) = 0 THEN 'settings' END, true, moment(n * 100), moment(n * 100)
FROM generate_series(1, {rows}::bigint / 100) n;

-- What a host has of its own: one document in 20 is a user's, the others are a team's.
INSERT INTO documents
SELECT uid('document', n), 'Document ' || n, 'What is to be known about ' || n || '.',
	CASE WHEN pick(n, 1, 20) = 0 THEN 'user-' || 1 + pick(n, 2, 100) END,
	CASE WHEN pick(n, 1, 20) > 0 THEN team(1 + pick(n, 3, 1000)) END,
	moment(n * 3)
FROM generate_series(1, {rows}::bigint / 3) n;
