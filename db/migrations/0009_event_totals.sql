-- How many events there are of each type and day, so that nobody has to read them all to know it, and a
-- rare type is looked for on days that have it.

CREATE TABLE event_totals (
	type text COLLATE "C" NOT NULL,
	day  date NOT NULL,
	n    bigint NOT NULL,
	CONSTRAINT event_totals_pkey PRIMARY KEY (type, day)
);
COMMENT ON TABLE event_totals IS 'Events by type and day (UTC). What event_changes has is to be added.';

-- Who adds to a sum keeps all others who do waiting until his transaction ends. So everybody leaves rows
-- of his own, and `replicate` moves them into the sums.
CREATE TABLE event_changes (
	type text COLLATE "C" NOT NULL,
	day  date NOT NULL,
	n    bigint NOT NULL
);
COMMENT ON TABLE event_changes IS 'More events, or fewer (n < 0), than event_totals says.';

-- As the owner: whoever writes events may not know these tables, as versions before, which also make the
-- grants anew without them.
CREATE FUNCTION event_changes_add() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
	INSERT INTO event_changes (type, day, n)
		SELECT type, (time AT TIME ZONE 'UTC')::date, CASE TG_OP WHEN 'INSERT' THEN count(*) ELSE -count(*) END
		FROM changed GROUP BY 1, 2;
	RETURN NULL;
END
$$;
CREATE TRIGGER events_more AFTER INSERT ON events
	REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION event_changes_add();
CREATE TRIGGER events_fewer AFTER DELETE ON events
	REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION event_changes_add();

-- Moves 10,000 changes at most, and answers with how many.
CREATE FUNCTION events_sum_up() RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
	WITH due AS (DELETE FROM event_changes
		WHERE ctid = ANY (ARRAY(SELECT ctid FROM event_changes LIMIT 10000)) RETURNING *),
	summed AS (INSERT INTO event_totals AS total (type, day, n)
		SELECT type, day, sum(n) FROM due GROUP BY type, day ORDER BY type, day
		ON CONFLICT (type, day) DO UPDATE SET n = total.n + excluded.n)
	SELECT count(*) FROM due
$$;
