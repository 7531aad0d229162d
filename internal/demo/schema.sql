-- The standard schema, as Postgres takes it. "@." stands for the schema's name.
-- SQLite gets the same statements with types of its own: see schema.go.

CREATE TABLE @.users (
	id    text PRIMARY KEY,
	name  text NOT NULL,
	email text NOT NULL
);

CREATE TABLE @.teams (
	id         uuid PRIMARY KEY,
	name       text NOT NULL,
	slug       text NOT NULL,
	owner_id   text NOT NULL REFERENCES @.users,
	manager_id text NOT NULL REFERENCES @.users
);

CREATE TABLE @.team_members (
	team_id uuid NOT NULL REFERENCES @.teams ON DELETE CASCADE,
	user_id text NOT NULL REFERENCES @.users ON DELETE CASCADE,
	PRIMARY KEY (team_id, user_id)
);

CREATE TABLE @.projects (
	id         uuid PRIMARY KEY,
	name       text NOT NULL,
	owner_type text NOT NULL CHECK (owner_type IN ('user', 'team')),
	owner_id   text REFERENCES @.users ON DELETE CASCADE,
	team_id    uuid REFERENCES @.teams ON DELETE CASCADE
);

CREATE TABLE @.missions (
	id         uuid PRIMARY KEY,
	name       text NOT NULL,
	project_id uuid REFERENCES @.projects ON DELETE SET NULL,
	user_id    text NOT NULL REFERENCES @.users ON DELETE CASCADE
);

-- An assignee is a name for people to read; nothing follows from it.
CREATE TABLE @.tasks (
	id          uuid PRIMARY KEY,
	title       text NOT NULL,
	description text,
	status      text NOT NULL,
	priority    text NOT NULL,
	project_id  uuid REFERENCES @.projects ON DELETE SET NULL,
	mission_id  uuid REFERENCES @.missions ON DELETE SET NULL,
	assignee    text,
	tags        jsonb,
	due_date    timestamptz,
	metadata    jsonb,
	created_at  timestamptz NOT NULL,
	updated_at  timestamptz NOT NULL
);

CREATE TABLE @.mission_tasks (
	id         uuid PRIMARY KEY,
	mission_id uuid NOT NULL REFERENCES @.missions ON DELETE CASCADE,
	task_id    uuid REFERENCES @.tasks ON DELETE SET NULL,
	user_id    text NOT NULL REFERENCES @.users ON DELETE CASCADE,
	status     text NOT NULL,
	notes      text,
	created_at timestamptz NOT NULL,
	updated_at timestamptz NOT NULL
);

CREATE TABLE @.insights (
	id              uuid PRIMARY KEY,
	user_id         text NOT NULL REFERENCES @.users ON DELETE CASCADE,
	content         text NOT NULL,
	source          text NOT NULL,
	category        text NOT NULL,
	relevance_score double precision NOT NULL,
	metadata        jsonb,
	created_at      timestamptz NOT NULL,
	updated_at      timestamptz NOT NULL
);

CREATE TABLE @.preferences (
	id         uuid PRIMARY KEY,
	user_id    text NOT NULL REFERENCES @.users ON DELETE CASCADE,
	key        text NOT NULL,
	value      jsonb NOT NULL,
	category   text NOT NULL,
	source     text,
	mutable    boolean NOT NULL,
	created_at timestamptz NOT NULL,
	updated_at timestamptz NOT NULL
);

-- A subject need not be a user any more, and a scope need not be valid: that is for
-- the gateway to find out. json, unlike jsonb, keeps the text, and so does not hide
-- a duplicate member.
CREATE TABLE @.grants (
	id              uuid PRIMARY KEY,
	peer_id         text NOT NULL,
	subject_user_id text NOT NULL,
	scope           json NOT NULL,
	status          text NOT NULL CHECK (status IN ('active', 'pending', 'revoked', 'expired')),
	token           text NOT NULL UNIQUE
);

-- Who may see what. The ids behind are read along, and spare a look at the table.
CREATE INDEX team_members_of_user ON @.team_members (user_id, team_id);
CREATE INDEX projects_of_user ON @.projects (owner_id, id) WHERE owner_type = 'user';
CREATE INDEX projects_of_team ON @.projects (team_id, id) WHERE owner_type = 'team';
CREATE INDEX missions_of_project ON @.missions (project_id, id);

-- The pages, newest first; a scan backwards serves the other direction.
CREATE INDEX tasks_newest ON @.tasks (created_at DESC, id DESC);
CREATE INDEX tasks_of_project ON @.tasks (project_id, created_at DESC, id DESC);
CREATE INDEX tasks_of_mission ON @.tasks (mission_id, created_at DESC, id DESC);
CREATE INDEX mission_tasks_of_user ON @.mission_tasks (user_id, created_at DESC, id DESC);
CREATE INDEX mission_tasks_of_mission ON @.mission_tasks (mission_id, user_id, created_at DESC, id DESC);
CREATE INDEX insights_of_user ON @.insights (user_id, created_at DESC, id DESC);
CREATE INDEX preferences_of_user ON @.preferences (user_id, created_at DESC, id DESC);

-- Deleting a task looks for the rows that refer to it.
CREATE INDEX mission_tasks_of_task ON @.mission_tasks (task_id);
