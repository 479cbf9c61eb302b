-- What lists and sums of events want at any size: sums of all links, and a way to the clicks of one.

-- ---- All links together.

CREATE TABLE click_totals (
	hour    timestamptz NOT NULL,
	node    smallint NOT NULL,
	counted bigint NOT NULL DEFAULT 0,
	packed  bigint NOT NULL DEFAULT 0,
	CONSTRAINT click_totals_pkey PRIMARY KEY (hour, node)
)
WITH (fillfactor = 50);
COMMENT ON TABLE click_totals IS 'Clicks of all links by hour: the greater of counted and packed.';
COMMENT ON COLUMN click_totals.counted IS 'Added to by whoever counts; not by the versions before this table, while an upgrade goes on or after one that was taken back.';
COMMENT ON COLUMN click_totals.packed IS 'Added to by a trigger of click_days, whatever version packs: two days later it has what counted lacks.';

INSERT INTO click_totals (hour, node, counted) SELECT hour, node, sum(n) FROM click_hours GROUP BY hour, node;

-- In one order of hours: nodes that pack at once wait for each other, and never both.
CREATE FUNCTION click_totals_pack() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
	INSERT INTO click_totals AS total (hour, node, packed)
		SELECT (day + make_interval(hours => told.hour)) AT TIME ZONE 'UTC', node, sum(told.n)
		FROM new_days, unnest(hours, hour_n) AS told (hour, n) GROUP BY 1, 2 ORDER BY 1, 2
		ON CONFLICT (hour, node) DO UPDATE SET packed = total.packed + excluded.packed;
	RETURN NULL;
END
$$;
CREATE TRIGGER click_days_packed AFTER INSERT ON click_days
	REFERENCING NEW TABLE AS new_days FOR EACH STATEMENT EXECUTE FUNCTION click_totals_pack();

-- ---- The clicks of one link.

-- Of a day that is over: on the day that is written an index would cost ingest a tenth of its rate. Two
-- nodes that come at once do not wait for each other.
CREATE FUNCTION clicks_index_partition(day date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	partition text := 'clicks' || to_char(day, '_YYYYMMDD');
BEGIN
	IF day >= current_date THEN
		RAISE '% is not over', day;
	END IF;
	IF pg_try_advisory_xact_lock(hashtext('clicks_index_partition')) THEN
		EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON %I (link, time)', partition || '_by_link', partition);
	END IF;
END
$$;
CREATE INDEX clicks_other_by_link ON clicks_other (link, time);
