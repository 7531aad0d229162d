-- What is far from even. Team 1 has a project with half of all rows. 5,000 further teams
-- have a project each whose rows are all old, and so are those of all projects of user-2.
-- A third of all rows shares one microsecond.

INSERT INTO teams SELECT team(n), 'Team ' || n, 'team-' || n, 'user-1', 'user-1' FROM generate_series(1001, 6000) n;

INSERT INTO projects
SELECT uid('project', n), 'Project ' || n, 'team', NULL, team(n - 9000) FROM generate_series(10001, 15000) n;

INSERT INTO tasks
SELECT uid('task', n), 'Task ' || n, 'What there is to do about ' || n || '.', 'open', 'normal', uid('project', project),
	CASE WHEN project <> 9000 AND project <= 10000 AND pick(n, 5, 2) = 0 THEN uid('mission', project - 1 + 10000 * (1 + pick(n, 6, 3))) END,
	NULL, NULL, NULL, NULL,
	moment(CASE WHEN n > {rows} / 3 AND n <= {rows} / 3 * 2 THEN {rows} / 3 ELSE n END), moment(n)
FROM (
	SELECT n, CASE
		WHEN pick(n, 1, 2) = 0 THEN 9000
		WHEN n <= {rows} / 50 AND pick(n, 2, 20) = 0 THEN 1 + 100 * pick(n, 3, 5)
		WHEN n <= {rows} / 50 AND pick(n, 2, 20) <= 10 THEN 10001 + pick(n, 4, 5000)
		WHEN even <= 500 AND even % 100 = 1 THEN even + 1
		ELSE even END AS project
	FROM (SELECT n, 1 + pick(n, 7, 10000) AS even FROM generate_series(1, {rows}::bigint) n) even
) tasks;
