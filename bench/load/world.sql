-- {rows} tasks in 400 projects: user-1 owns 5 of them, and is in 3 of the 40 teams that
-- own 5 each.
INSERT INTO users SELECT 'user-' || n, 'User ' || n, 'user-' || n || '@example.test' FROM generate_series(1, 50) n;
INSERT INTO teams SELECT md5('team' || n)::uuid, 'Team', 'team-' || n, 'user-2', 'user-2' FROM generate_series(1, 40) n;
INSERT INTO team_members SELECT md5('team' || n)::uuid, 'user-1' FROM generate_series(1, 3) n;
INSERT INTO projects
	SELECT md5('p' || n)::uuid, 'project', CASE WHEN n <= 200 THEN 'user' ELSE 'team' END,
		CASE WHEN n <= 200 THEN 'user-' || (n - 1) / 5 + 1 END,
		CASE WHEN n > 200 THEN md5('team' || (n - 201) / 5 + 1)::uuid END
	FROM generate_series(1, 400) n;
INSERT INTO tasks
	SELECT md5('t' || n)::uuid, 'Task number ' || n, 'Rotate the keys of the staging cluster, then tell "ops".', 'open', 'high',
		md5('p' || n % 400 + 1)::uuid, NULL, 'user-2', '["keys","ops"]', NULL, '{"estimate":3,"links":["https://example.test/a"]}',
		'2026-01-01Z'::timestamptz - n * interval '1 minute', '2026-01-01Z'
	FROM generate_series(1, {rows}) n;
