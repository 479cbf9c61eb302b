-- Very many links and their clicks, with the counts and statistics that ingest would have kept. Into
-- a database that has none yet, as its owner:
--
--   psql -X -q -v links=100000 -v clicks=500000 -v days=90 -f tests/bench/lists.sql <connection>
--
-- The clicks are those of the last days before today; of all but yesterday they are packed as ingest
-- packs them, though without folding any value. A few links have most of them: the first of a
-- million 3 %, a tenth of all links 56 %. With ten million links and fifty million clicks it needs
-- 50 GB. click_visitors stays empty: it only tells ingest whom it has seen on a day.
\set ON_ERROR_STOP on
SET timezone = 'UTC';
SET synchronous_commit = off;
SET work_mem = '256MB';
SET maintenance_work_mem = '1GB';
SELECT setseed(0.5) \g /dev/null

BEGIN;
DO $$
BEGIN
	IF EXISTS (SELECT FROM links) OR EXISTS (SELECT FROM click_hours) THEN
		RAISE 'there are links or clicks already';
	END IF;
END
$$;

-- Tables are filled in the order of time and sorted at once at the end: keys, indexes and foreign
-- keys go, and come back as they were.
CREATE TEMPORARY TABLE back ON COMMIT DROP AS
	WITH filled (id) AS (VALUES ('links'::regclass), ('events'), ('click_counts'), ('click_stats'),
		('click_days'))
	SELECT contype = 'f' AS last,
		format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS away,
		format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname,
			pg_get_constraintdef(oid)) AS again
	FROM pg_constraint WHERE conrelid IN (SELECT id FROM filled) AND contype IN ('p', 'u', 'f')
	UNION ALL
	SELECT false, format('DROP INDEX %s', indexrelid::regclass), pg_get_indexdef(indexrelid)
	FROM pg_index WHERE indrelid IN (SELECT id FROM filled)
		AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid);
SELECT away FROM back \gexec

-- ---- Links.

-- Words of titles: 4,096 of five letters, which share their parts as those of a language do.
CREATE FUNCTION pg_temp.part(number bigint) RETURNS text IMMUTABLE LANGUAGE sql AS $$
	SELECT substr('bcdfghjklmnprstv', (1 + (number >> 2 & 15))::integer, 1)
		|| substr('aeio', (1 + (number & 3))::integer, 1)
$$;
CREATE FUNCTION pg_temp.word(number bigint) RETURNS text IMMUTABLE LANGUAGE sql AS $$
	SELECT pg_temp.part(number) || pg_temp.part(number >> 6)
		|| substr('bcdfghjklmnprstv', (1 + (number * 7 & 15))::integer, 1)
$$;
-- The first of them is in one title of twenty, most in one of two thousand.
CREATE FUNCTION pg_temp.drawn_word(bits bigint) RETURNS text IMMUTABLE LANGUAGE sql AS $$
	SELECT pg_temp.word(floor(4096 * ((bits & 65535) / 65536.0::float) ^ 2)::bigint)
$$;
CREATE FUNCTION pg_temp.subject(bits bigint) RETURNS text IMMUTABLE LANGUAGE sql AS $$
	SELECT (ARRAY['garden', 'winter', 'harbour', 'market', 'recipe', 'museum', 'bicycle', 'library',
		'concert', 'mountain', 'village', 'science', 'history', 'weather', 'railway', 'theatre'])
		[1 + (bits & 15)]
$$;

INSERT INTO users (id, username, email)
	SELECT i, 'owner-' || i, 'owner-' || i || '@example.org' FROM generate_series(1, 1000) AS i;
SELECT setval(pg_get_serial_sequence('users', 'id'), 1000) \g /dev/null

-- Of two years, in the order of their ids. Half have an owner, a third a title, a fifth a tag.
INSERT INTO links (id, code, target, title, owner, tags, created_at, updated_at)
	SELECT i, 'b' || substr(md5(i::text), 1, 14),
		'https://www.example.com/' || pg_temp.subject(hash >> 48) || '/' || i,
		CASE WHEN i % 3 = 0 THEN concat_ws(' ', pg_temp.drawn_word(hash),
			pg_temp.drawn_word(hash >> 16), pg_temp.drawn_word(hash >> 32)) END,
		CASE WHEN i % 2 = 0 THEN 1 + (hash >> 48 & 1023) % 1000 END,
		CASE WHEN i % 5 = 0 THEN ARRAY[pg_temp.subject(hash >> 58)] ELSE '{}' END, made, made
	FROM (SELECT i, hashint8extended(i, 0) AS hash, now() - interval '1 hour'
				- interval '1 second' * (63072000.0 * (:links - i) / :links) AS made
		FROM generate_series(1, :links::bigint) AS i) AS drawn;
SELECT setval(pg_get_serial_sequence('links', 'id'), :links) \g /dev/null
INSERT INTO events (time, type, link, owner)
	SELECT created_at + change * interval '1 hour', (ARRAY['created', 'updated'])[change + 1], id, owner
	FROM links, generate_series(0, CASE WHEN id % 1000 = 0 THEN 1 ELSE 0 END) AS change ORDER BY id;

-- ---- Clicks, and what is counted of them in the order in which ingest would have done it.

SELECT clicks_make_partitions(current_date - :days, current_date - 1) \g /dev/null

CREATE FUNCTION pg_temp.fill(filled date, first bigint, last bigint, all_links bigint) RETURNS void
LANGUAGE sql AS $$
	-- The popular ones are anywhere among the ids.
	INSERT INTO clicks (time, segment, position, link, status, referrer, browser, os, bot, prefetch,
			client, visitor)
		SELECT filled::timestamptz + (n - first) * (interval '1 day' / (last - first + 1)),
			1 + n % 8, n * 120,
			1 + least(floor(all_links * popularity ^ 4), all_links - 1)::bigint * 15485863 % all_links,
			302,
			CASE WHEN origin >= 0.3
				THEN 'site-' || floor(60 * ((origin - 0.3) / 0.7) ^ 2) || '.example' END,
			CASE WHEN kind < 0.05
				THEN (ARRAY['googlebot', 'bingbot', 'slackbot', 'tool', 'other-bot'])[1 + floor(100 * kind)]
				ELSE (ARRAY['chrome', 'chrome', 'chrome', 'safari', 'safari', 'firefox', 'edge',
					'samsung', 'in-app', 'other'])[1 + floor(10 * agent)] END,
			CASE WHEN kind < 0.05 THEN 'other'
				ELSE (ARRAY['windows', 'windows', 'android', 'android', 'ios', 'ios', 'macos',
					'linux'])[1 + floor(8 * system)] END,
			kind < 0.05, kind >= 0.99,
			(ARRAY['192.0.2.0/24'::cidr, '198.51.100.0/24', '203.0.113.0/24',
				'2001:db8:1::/48'])[1 + n % 4],
			floor(visitor * 1000000000)::bigint
		FROM (SELECT n, random() AS popularity, random() AS origin, random() AS kind,
				random() AS agent, random() AS system, random() AS visitor
			FROM generate_series(first, last) AS n) AS drawn;
$$;

-- What is told of the clicks of a day, with the numbers that dimensions have in click_days; 5: visitors.
CREATE FUNCTION pg_temp.told(filled date)
RETURNS TABLE (link bigint, dimension smallint, value text, n bigint, begun timestamptz)
LANGUAGE sql AS $$
	SELECT link, dimension, value, count(*), min(time)
	FROM clicks CROSS JOIN LATERAL (VALUES (1::smallint, coalesce(referrer, ''), NOT bot),
		(2, browser, NOT bot), (3, os, NOT bot), (4, browser, bot)) AS told (dimension, value, is_so)
	WHERE time >= filled AND time < filled + 1 AND is_so GROUP BY 1, 2, 3
	UNION ALL
	SELECT link, 5, '', count(DISTINCT visitor), min(time)
	FROM clicks WHERE time >= filled AND time < filled + 1 AND NOT bot GROUP BY link
$$;
CREATE FUNCTION pg_temp.count_day(filled date) RETURNS void
LANGUAGE sql AS $$
	INSERT INTO click_counts (link, hour, node, n, bots)
		SELECT link, date_trunc('hour', time), 1, count(*), count(*) FILTER (WHERE bot)
		FROM clicks WHERE time >= filled AND time < filled + 1
		GROUP BY 1, 2 ORDER BY min(time);
	INSERT INTO click_stats (link, day, dimension, value, node, n)
		SELECT link, filled, (ARRAY['referrer', 'browser', 'os', 'bot', 'visitors'])[dimension], value, 1, n
		FROM pg_temp.told(filled) ORDER BY begun;
$$;
CREATE FUNCTION pg_temp.pack_day(filled date) RETURNS void
LANGUAGE sql AS $$
	INSERT INTO click_days (link, day, node, n, bots, visitors, hours, hour_n, hour_bots, dimensions,
			dimension_values, dimension_n)
		WITH hours AS (SELECT link, extract(hour FROM time)::smallint AS hour, count(*) AS n,
				count(*) FILTER (WHERE bot) AS bots
			FROM clicks WHERE time >= filled AND time < filled + 1 GROUP BY 1, 2)
		SELECT link, filled, 1, counted.n, bots, visitors, hours, hour_n, hour_bots, dimensions,
			dimension_values, dimension_n
		FROM (SELECT link, sum(n) AS n, sum(bots) AS bots, array_agg(hour) AS hours,
				array_agg(n) AS hour_n, array_agg(bots) AS hour_bots
			FROM hours GROUP BY link) AS counted
		JOIN (SELECT link, coalesce(sum(n) FILTER (WHERE dimension = 5), 0) AS visitors,
				coalesce(array_agg(dimension) FILTER (WHERE dimension < 5), '{}') AS dimensions,
				coalesce(array_agg(value) FILTER (WHERE dimension < 5), '{}') AS dimension_values,
				coalesce(array_agg(n) FILTER (WHERE dimension < 5), '{}') AS dimension_n
			FROM pg_temp.told(filled) GROUP BY link) AS told USING (link)
		ORDER BY link;
$$;

SELECT pg_temp.fill(current_date - :days + i, :clicks::bigint * i / :days,
		:clicks::bigint * (i + 1) / :days - 1, :links)
	FROM generate_series(0, :days - 1) AS i
	WHERE :clicks::bigint * (i + 1) / :days > :clicks::bigint * i / :days \g /dev/null
SELECT pg_temp.pack_day(current_date - i) FROM generate_series(:days, 2, -1) AS i \g /dev/null
SELECT pg_temp.count_day(current_date - 1) \g /dev/null
INSERT INTO click_totals (hour, node, counted) SELECT hour, node, sum(n) FROM click_counts GROUP BY hour, node;

SELECT clicks_index_partition(current_date - i) FROM generate_series(1, :days) AS i \g /dev/null
SELECT again FROM back ORDER BY last \gexec
COMMIT;
VACUUM (ANALYZE) users, links, events, event_totals, event_changes, clicks, click_counts, click_stats, click_days, click_totals;
