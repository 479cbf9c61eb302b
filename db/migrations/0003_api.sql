-- Events, and what the API needs to find links, users and keys: by owner, by tag, by part of a text.

-- Life-cycle events of links and what clients report; a click is no row here. Both share their ids,
-- so that they make one feed. No foreign keys: rows of links never go, and who deletes a user takes
-- the owner out of here, piece by piece.
CREATE TABLE events (
	id      bigint NOT NULL DEFAULT nextval('event_ids'),
	time    timestamptz NOT NULL DEFAULT now(),
	type    text COLLATE "C" NOT NULL,
	link    bigint NOT NULL,
	owner   bigint,
	details jsonb,
	CONSTRAINT events_pkey PRIMARY KEY (time, id),
	CONSTRAINT events_type_form CHECK (type ~ '^[a-z0-9_.-]{1,64}$'),
	CONSTRAINT events_time_finite CHECK (isfinite(time)),
	CONSTRAINT events_details_object CHECK (jsonb_typeof(details) = 'object')
);
CREATE INDEX events_by_link ON events (link, time, id);
CREATE INDEX events_by_owner ON events (owner, time, id) WHERE owner IS NOT NULL;
-- Ids grow with time, nearly: a summary of each few pages finds one, and costs who writes nothing.
CREATE INDEX events_by_id ON events USING brin (id) WITH (pages_per_range = 16, autosummarize = on);
COMMENT ON TABLE events IS 'What happened to links, and what clients report of them. Clicks have their own table.';
COMMENT ON COLUMN events.type IS 'created, updated, deleted and restored are ours; redirect is a click of before an import.';
COMMENT ON COLUMN events.owner IS 'users.id of whom it concerns; NULL for nobody.';

-- Clicks are the hottest table: no index of a row each, only summaries.
CREATE INDEX clicks_by_id ON clicks USING brin (id, link int8_bloom_ops)
	WITH (pages_per_range = 32, autosummarize = on);

-- Lists go by id, newest first.
DROP INDEX links_by_owner;
CREATE INDEX links_by_owner ON links (owner, id) WHERE owner IS NOT NULL;
CREATE INDEX links_by_tag ON links USING gin (tags) WHERE tags <> '{}';

-- Search, for any part of a text from three letters on. What is new waits in a short list, so that
-- who makes a link seldom pays for those before.
-- In a schema of its own: what is in ours is granted and revoked as ours.
CREATE SCHEMA extensions;
CREATE EXTENSION pg_trgm SCHEMA extensions;
CREATE INDEX links_by_text ON links USING gin
	(((code COLLATE "default") || ' ' || coalesce(title, '') || ' ' || (target COLLATE "default")) extensions.gin_trgm_ops)
	WITH (gin_pending_list_limit = 1024);
CREATE INDEX users_by_text ON users USING gin ((username || ' ' || email) extensions.gin_trgm_ops)
	WITH (gin_pending_list_limit = 1024);

-- A key is looked up by the hash of its secret: a wrong secret and an unknown id look the same.
CREATE UNIQUE INDEX api_keys_by_hash ON api_keys (hash);
