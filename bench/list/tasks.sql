-- Rows stand in the order in which they were created, as they do in a table that rows are
-- only added to.
--
-- Of 20 tasks 9 have a project alone, 8 a mission of it too, one a mission alone, one
-- a mission of another project, and one neither. Two at a time share a microsecond.
INSERT INTO tasks
SELECT uid('task', n), 'Task ' || n,
	CASE WHEN pick(n, 1, 3) > 0 THEN 'What there is to do about ' || n || ', why, and how to tell when it is done.' END,
	(ARRAY['open', 'started', 'done'])[1 + pick(n, 2, 3)], (ARRAY['low', 'normal', 'high'])[1 + pick(n, 3, 3)],
	CASE WHEN kind NOT IN (17, 19) THEN uid('project', 1 + project) END,
	CASE WHEN kind BETWEEN 9 AND 17 THEN uid('mission', CASE WHEN mission = 0 THEN 10000 ELSE mission END)
		WHEN kind = 18 THEN uid('mission', 1 + pick(n, 6, 40000)) END,
	CASE WHEN pick(n, 7, 2) = 0 THEN 'user-' || 1 + pick(n, 8, 100) END,
	CASE WHEN pick(n, 9, 3) = 0 THEN '["planning", "release"]'::jsonb END,
	CASE WHEN pick(n, 10, 2) = 0 THEN moment(n + {rows} / 100) END,
	CASE WHEN pick(n, 12, 4) = 0 THEN jsonb_build_object('estimate', n % 40) END,
	moment(n / 2 * 2), moment(n + {rows} / 1000)
FROM (
	SELECT n, kind, project, project + 10000 * pick(n, 5, 4) AS mission
	FROM (SELECT n, pick(n, 4, 20) AS kind, pick(n, 13, 10000) AS project FROM generate_series(1, {rows}::bigint) n) picked
) tasks;
