-- Who owns what: 10,000 projects and 40,000 missions of 100 users and 1,000 teams. As
-- everything here it is decided by hashes of numbers, hence the same every time.

INSERT INTO users SELECT 'user-' || n, 'User ' || n, 'user-' || n || '@example.test' FROM generate_series(1, 100) n;

INSERT INTO teams SELECT team(n), 'Team ' || n, 'team-' || n, 'user-1', 'user-1' FROM generate_series(1, 1000) n;

INSERT INTO team_members SELECT team(n), 'user-1' FROM generate_series(1, 1000) n;

-- Each user has 5 projects, each team 9 or 10.
INSERT INTO projects
SELECT uid('project', n), 'Project ' || n,
	CASE WHEN n <= 500 THEN 'user' ELSE 'team' END,
	CASE WHEN n <= 500 THEN 'user-' || 1 + n % 100 END,
	CASE WHEN n > 500 THEN team(1 + n % 1000) END
FROM generate_series(1, 10000) n;

-- Mission n and project n % 10,000 belong together.
INSERT INTO missions
SELECT uid('mission', n), 'Mission ' || n, uid('project', 1 + n % 10000), 'user-' || 1 + pick(n, 11, 100)
FROM generate_series(1, 40000) n;
