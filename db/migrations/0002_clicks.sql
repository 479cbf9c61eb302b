-- Clicks as rows, their statistics, and the books of the spool; and the name of this database.
--
-- ingest writes all of it. In one transaction it moves the offsets of the segments that it read,
-- inserts the rows and adds to the counts: an offset says exactly what was counted.

-- Clicks and events share their ids, so that both make one feed. Ids may have gaps.
CREATE SEQUENCE event_ids AS bigint CACHE 1000;

CREATE TABLE clicks (
	id       bigint NOT NULL DEFAULT nextval('event_ids'),
	time     timestamptz NOT NULL,
	segment  bigint NOT NULL,
	position bigint NOT NULL,
	link     bigint NOT NULL,
	status   smallint NOT NULL,
	referrer text COLLATE "C",
	browser  text COLLATE "C" NOT NULL,
	os       text COLLATE "C" NOT NULL,
	bot      boolean NOT NULL,
	prefetch boolean NOT NULL,
	client   cidr,
	visitor  bigint NOT NULL,
	CONSTRAINT clicks_pkey PRIMARY KEY (time, segment, position)
) PARTITION BY RANGE (time);
-- For days that nobody expects, such as those of a wrong clock. Nothing may ever be refused.
CREATE TABLE clicks_other PARTITION OF clicks DEFAULT;
COMMENT ON TABLE clicks IS 'One row a click, by day; dropped after LINKSHRINK_CLICK_RETENTION. Counts stay.';
COMMENT ON COLUMN clicks.segment IS 'File of the spool that it came from, by its random number.';
COMMENT ON COLUMN clicks.position IS 'Byte in that file where its record begins.';
COMMENT ON COLUMN clicks.link IS 'links.id.';
COMMENT ON COLUMN clicks.referrer IS 'Host that the visitor came from; NULL when unknown.';
COMMENT ON COLUMN clicks.client IS 'Network of the visitor: IPv4 by /24, IPv6 by /48.';
COMMENT ON COLUMN clicks.visitor IS 'Keyed hash of address and user agent; the key changes daily and is never stored.';

CREATE TABLE click_visitors (
	day     date NOT NULL,
	link    bigint NOT NULL,
	visitor bigint NOT NULL,
	CONSTRAINT click_visitors_pkey PRIMARY KEY (day, link, visitor)
) PARTITION BY RANGE (day);
CREATE TABLE click_visitors_other PARTITION OF click_visitors DEFAULT;
COMMENT ON TABLE click_visitors IS 'Who was seen on a day, to count each visitor once; dropped with clicks.';

CREATE TABLE click_stats (
	link      bigint NOT NULL,
	day       date NOT NULL,
	dimension text COLLATE "C" NOT NULL,
	value     text COLLATE "C" NOT NULL,
	node      smallint NOT NULL,
	n         bigint NOT NULL,
	-- By day first: a day's keys stay together, where they are counted and where they are folded.
	CONSTRAINT click_stats_pkey PRIMARY KEY (day, link, dimension, value, node),
	CONSTRAINT click_stats_dimension_known CHECK (
		dimension IN ('referrer', 'browser', 'os', 'bot', 'visitors')),
	CONSTRAINT click_stats_counted CHECK (n >= 0)
)
WITH (fillfactor = 70);
COMMENT ON TABLE click_stats IS 'Clicks by link, day (UTC) and what the dimension says; visitors: distinct ones, value empty; an empty referrer is an unknown one. Bots only in their own dimension. Rare values of past days are folded into ''other''.';

CREATE TABLE spool_offsets (
	segment    bigint NOT NULL,
	node       smallint NOT NULL,
	bytes      bigint NOT NULL,
	records    bigint NOT NULL,
	updated_at timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT spool_offsets_pkey PRIMARY KEY (segment),
	CONSTRAINT spool_offsets_counted CHECK (bytes >= 0 AND records >= 0)
);
COMMENT ON TABLE spool_offsets IS 'How far each segment of a spool was counted. Moved by compare-and-set, with the rows and counts.';

CREATE TABLE spool_runs (
	run        bigint NOT NULL,
	node       smallint NOT NULL,
	records    bigint NOT NULL,
	updated_at timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT spool_runs_pkey PRIMARY KEY (run)
);
COMMENT ON TABLE spool_runs IS 'Clicks counted of each run of a node, for the gauge of the drift. A run is the life of its shared segment.';

CREATE TABLE database_identity (
	id uuid NOT NULL DEFAULT gen_random_uuid(),
	CONSTRAINT database_identity_pkey PRIMARY KEY (id)
);
INSERT INTO database_identity DEFAULT VALUES;
COMMENT ON TABLE database_identity IS 'One row: the name of these data. A replica that knows another name copies nothing from here.';

-- The partitions of the days from first to last, where they are missing. How many it made.
CREATE FUNCTION clicks_make_partitions(first date, last date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	made integer := 0;
	day date;
	parent text;
	partition text;
BEGIN
	IF last - first > 366 THEN
		RAISE 'too many days from % to %', first, last;
	END IF;
	FOR day IN SELECT generate_series(first, last, '1 day')::date LOOP
		FOREACH parent IN ARRAY ARRAY['clicks', 'click_visitors'] LOOP
			partition := parent || to_char(day, '_YYYYMMDD');
			CONTINUE WHEN to_regclass(partition) IS NOT NULL;
			BEGIN
				EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
					partition, parent, day, day + 1);
				made := made + 1;
			EXCEPTION WHEN check_violation OR duplicate_table OR unique_violation THEN
				NULL; -- rows of that day are in the default partition already, or another node was faster
			END;
		END LOOP;
	END LOOP;
	RETURN made;
END
$$;

-- Drops the partitions of days that are more than so many days ago, and what else is that old. How
-- many it dropped. The caller tells what day it is, too: a clock that runs ahead drops nothing. If
-- both do, little is lost before somebody sees it: one call drops the oldest two days at most.
CREATE FUNCTION clicks_drop_partitions(today date, days integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	before date := least(today, current_date) - greatest(days, 1);
	dropped integer := 0;
	partition text;
BEGIN
	SELECT least(before, min(to_date(right(relname, 8), 'YYYYMMDD')) + 2) INTO before
		FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
		WHERE inhparent = 'clicks'::regclass AND relname ~ '_[0-9]{8}$';
	FOR partition IN
		SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
		WHERE inhparent IN ('clicks'::regclass, 'click_visitors'::regclass)
			AND relname ~ '_[0-9]{8}$' AND to_date(right(relname, 8), 'YYYYMMDD') < before
	LOOP
		EXECUTE format('DROP TABLE %I', partition);
		dropped := dropped + 1;
	END LOOP;
	DELETE FROM clicks_other WHERE time < before;
	DELETE FROM click_visitors_other WHERE day < before;
	RETURN dropped;
END
$$;
