-- What is counted of a day that is over moves together: a link's hours and values of a day are one row
-- instead of one for each, written by `ingest`. A link may have several for a day, of clicks that came
-- late; they add up.
CREATE TABLE click_days (
	link             bigint NOT NULL,
	day              date NOT NULL,
	node             smallint NOT NULL,
	n                bigint NOT NULL,
	bots             bigint NOT NULL,
	visitors         bigint NOT NULL,
	hours            smallint[] NOT NULL,
	hour_n           bigint[] NOT NULL,
	hour_bots        bigint[] NOT NULL,
	dimensions       smallint[] NOT NULL,
	dimension_values text[] COLLATE "C" NOT NULL,
	dimension_n      bigint[] NOT NULL
);
-- What lists and series want of all days is in the index: rows never change.
CREATE INDEX click_days_by_link ON click_days (link, day) INCLUDE (n, bots);
COMMENT ON TABLE click_days IS 'click_counts and click_stats of past days (UTC), packed: to be read through click_hours and click_values.';
COMMENT ON COLUMN click_days.hours IS 'Hours of the day that had clicks; hour_n and hour_bots say how many, n and bots those of all.';
COMMENT ON COLUMN click_days.dimensions IS '1 referrer, 2 browser, 3 os, 4 bot: one for each of dimension_values, which had dimension_n clicks. Rare values are folded into ''other''.';

-- Whatever was counted, packed or not.
CREATE VIEW click_hours AS
	SELECT link, hour, node, n, bots FROM click_counts
	UNION ALL
	SELECT link, (day + make_interval(hours => told.hour)) AT TIME ZONE 'UTC', node, told.n, told.bots
	FROM click_days, unnest(hours, hour_n, hour_bots) AS told (hour, n, bots);
CREATE VIEW click_values AS
	SELECT link, day, dimension, value, node, n FROM click_stats
	UNION ALL
	SELECT link, day, (ARRAY['referrer', 'browser', 'os', 'bot'])[told.dimension] COLLATE "C", value, node, told.n
	FROM click_days, unnest(dimensions, dimension_values, dimension_n) AS told (dimension, value, n)
	UNION ALL
	SELECT link, day, 'visitors', '', node, visitors FROM click_days WHERE visitors > 0;
COMMENT ON VIEW click_hours IS 'Clicks by link and hour: click_counts, and what is packed in click_days.';
COMMENT ON VIEW click_values IS 'Clicks by link, day and what the dimension says: click_stats, and what is packed in click_days.';
