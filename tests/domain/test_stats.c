#include "domain/stats.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "domain/database.h"
#include "domain/ingest_run.h"
#include "domain/packing.h"
#include "domain/spool_write.h"

enum { HOUR_MS = CLICK_HOUR_MS, DAY_MS = CLICK_DAY_MS };

static const int64_t monday = 1795392000000; /* 2026-11-23 00:00 UTC */

static const char person[] = "700\t302\tnews.example\tfirefox\tlinux\t-\t198.51.100.0/24\t-42";
static const char other_person[] = "700\t302\t\\N\tchrome\tandroid\t-\t2001:db8:1::/48\t43";
static const char bot[] = "700\t302\t\\N\tslackbot\tother\tb\t198.51.100.0/24\t44";
static const char prefetch[] = "700\t302\t\\N\tchrome\tandroid\tp\t\\N\t45";

static struct db *db;
static struct link_stats stats;

static void begin(void)
{
	database_do(ADMIN, "TRUNCATE click_counts, click_stats, click_days, click_totals, events, "
			   "event_totals, event_changes");
	db = database_open();
}

static void end(void)
{
	db_free(db);
}

TestSuite(stats, .init = begin, .fini = end);

static void read_once(int64_t link, int64_t from, int64_t to, enum stats_interval interval)
{
	const struct stats_range range = { from, to, interval };

	cr_assert(stats_range_refusal(&range) == NULL);
	db_set_deadline(db, DEADLINE_MS);
	cr_assert(eq(int, stats_read(db, link, &range, &stats), DB_OK));
}

/* They are the same when they are packed. */
static void read_range(int64_t link, int64_t from, int64_t to, enum stats_interval interval)
{
	static struct link_stats unpacked;

	read_once(link, from, to, interval);
	unpacked = stats;
	pack_days();
	read_once(link, from, to, interval);
	/* But for the range, which ends with bytes that are nothing. */
	cr_expect(memcmp(&unpacked.as_of, &stats.as_of,
			  sizeof(stats) - offsetof(struct link_stats, as_of)) == 0);
}

static void expect_point(unsigned i, int64_t clicks, int64_t bots)
{
	cr_expect(eq(i64, stats.series[i].clicks, clicks), "point %u", i);
	cr_expect(eq(i64, stats.series[i].bots, bots), "point %u", i);
}

/* The list as "value:clicks value:clicks". */
static void expect_top(enum click_dimension dimension, const char *wanted)
{
	const struct stats_top *top = &stats.tops[dimension];
	char memory[1024];
	struct text text = text_fixed(memory, sizeof(memory));

	for (unsigned i = 0; i < top->count; i++)
		text_addf(&text, "%s%s:%lld", i ? " " : "", top->list[i].value,
			(long long)top->list[i].clicks);
	cr_expect(eq(str, memory, (char *)wanted));
}

static void expect_type(unsigned i, const char *name, int64_t events)
{
	cr_assert(i < stats.types_count);
	cr_expect(eq(str, stats.types[i].name, (char *)name));
	cr_expect(eq(i64, stats.types[i].events, events), "%s", name);
}

Test(stats, of_a_link_that_nobody_followed_are_zeros)
{
	memset(&stats, 0x55, sizeof(stats));
	read_range(700, monday, monday + 3 * DAY_MS, STATS_DAY);
	cr_expect(eq(i64, stats.click_count, 0));
	cr_expect(eq(i64, stats.bot_count, 0));
	cr_expect(eq(i64, stats.unique_visitors, 0));
	cr_expect(eq(i64, stats.total_events, 0));
	cr_expect(eq(u32, stats.points, 3));
	for (unsigned i = 0; i < stats.points; i++)
		expect_point(i, 0, 0);
	for (int i = 0; i < CLICK_DIMENSION_COUNT; i++)
		expect_top((enum click_dimension)i, "");
	cr_expect(eq(u32, stats.types_count, 1));
	expect_type(0, "redirect", 0);
}

Test(stats, add_up_nodes_and_show_hours_without_clicks_as_zeros)
{
	database_do(ADMIN, "INSERT INTO click_counts (link, hour, node, n, bots) VALUES "
			   "(700, '2026-11-23 01:00+00', 1, 5, 1), "
			   "(700, '2026-11-23 01:00+00', 2, 7, 2), "
			   "(700, '2026-11-23 03:00+00', 9, 1, 0), "
			   "(701, '2026-11-23 02:00+00', 1, 100, 100)");
	read_range(700, monday, monday + 4 * HOUR_MS, STATS_HOUR);
	cr_expect(eq(u32, stats.points, 4));
	expect_point(0, 0, 0);
	expect_point(1, 12, 3);
	expect_point(2, 0, 0);
	expect_point(3, 1, 0);
	cr_expect(eq(i64, stats.click_count, 13));
	cr_expect(eq(i64, stats.bot_count, 3));
}

Test(stats, put_the_hours_on_either_side_of_midnight_into_their_days)
{
	database_do(ADMIN, "INSERT INTO click_counts (link, hour, node, n, bots) VALUES "
			   "(700, '2026-11-22 23:00+00', 1, 1, 0), "
			   "(700, '2026-11-23 00:00+00', 1, 2, 0), "
			   "(700, '2026-11-23 23:00+00', 1, 4, 4), "
			   "(700, '2026-11-24 00:00+00', 1, 8, 1)");
	/* From the first to the last millisecond of two days: these are read whole. */
	read_range(700, monday - 1, monday + DAY_MS, STATS_DAY);
	cr_expect(eq(i64, stats.range.from, monday - DAY_MS));
	cr_expect(eq(i64, stats.range.to, monday + DAY_MS));
	cr_expect(eq(u32, stats.points, 2));
	expect_point(0, 1, 0);
	expect_point(1, 6, 4);
	read_range(700, monday, monday + DAY_MS + 1, STATS_DAY);
	cr_expect(eq(u32, stats.points, 2));
	expect_point(0, 6, 4);
	expect_point(1, 8, 1);
}

Test(stats, count_what_lies_outside_of_the_range_for_all_time_only)
{
	database_do(ADMIN, "INSERT INTO click_counts (link, hour, node, n, bots) VALUES "
			   "(700, '2019-01-01 12:00+00', 1, 1000, 10), "
			   "(700, '2026-11-23 05:00+00', 1, 3, 1), "
			   "(700, '2026-11-23 06:00+00', 1, 100, 20)");
	read_range(700, monday + 5 * HOUR_MS, monday + 6 * HOUR_MS, STATS_HOUR);
	cr_expect(eq(u32, stats.points, 1));
	expect_point(0, 3, 1);
	cr_expect(eq(i64, stats.click_count, 1103));
	cr_expect(eq(i64, stats.bot_count, 31));
}

Test(stats, have_as_many_points_as_a_series_may_have)
{
	const int64_t begin = monday - INT64_C(53) * DAY_MS;

	database_do(ADMIN, "INSERT INTO click_counts (link, hour, node, n, bots) "
			   "SELECT 700, timestamptz '2026-10-01 00:00+00' + i * interval '1 hour', "
			   "1, i + 1, 0 FROM generate_series(-1, 1000) AS i");
	read_range(700, begin, begin + (int64_t)STATS_POINTS * HOUR_MS, STATS_HOUR);
	cr_expect(eq(u32, stats.points, STATS_POINTS));
	expect_point(0, 1, 0);
	expect_point(STATS_POINTS - 1, STATS_POINTS, 0);
}

Test(stats, rank_values_over_the_days_of_the_range_and_all_nodes)
{
	database_do(ADMIN, "INSERT INTO click_stats (link, day, dimension, value, node, n) VALUES "
			   "(700, '2026-11-22', 'browser', 'opera', 1, 1000), "
			   "(700, '2026-11-23', 'browser', 'firefox', 1, 2), "
			   "(700, '2026-11-23', 'browser', 'firefox', 2, 2), "
			   "(700, '2026-11-24', 'browser', 'firefox', 1, 3), "
			   "(700, '2026-11-24', 'browser', 'chrome', 1, 6), "
			   "(700, '2026-11-25', 'browser', 'opera', 1, 1000), "
			   "(700, '2026-11-23', 'os', 'linux', 1, 5), "
			   "(700, '2026-11-23', 'referrer', '', 1, 9), "
			   "(700, '2026-11-23', 'referrer', 'b.example', 1, 4), "
			   "(700, '2026-11-23', 'referrer', 'a.example', 1, 4), "
			   "(700, '2026-11-23', 'bot', 'slackbot', 1, 1), "
			   "(701, '2026-11-23', 'bot', 'tool', 1, 50)");
	/* Hours of two days. */
	read_range(700, monday + 20 * HOUR_MS, monday + 28 * HOUR_MS, STATS_HOUR);
	expect_top(CLICK_BROWSER, "firefox:7 chrome:6");
	expect_top(CLICK_OS, "linux:5");
	expect_top(CLICK_REFERRER, ":9 a.example:4 b.example:4");
	expect_top(CLICK_BOT, "slackbot:1");
}

Test(stats, list_ten_values_and_what_was_folded_only_where_it_belongs)
{
	database_do(ADMIN, "INSERT INTO click_stats (link, day, dimension, value, node, n) "
			   "SELECT 700, date '2026-11-23', 'referrer', 'host-' || i, 1, 100 - i "
			   "FROM generate_series(1, 20) AS i "
			   "UNION ALL SELECT 700, '2026-11-23', 'referrer', 'other', 1, 89 "
			   "UNION ALL SELECT 700, '2026-11-24', 'referrer', 'other', 1, 8");
	read_range(700, monday, monday + DAY_MS, STATS_DAY);
	expect_top(CLICK_REFERRER, "host-1:99 host-2:98 host-3:97 host-4:96 host-5:95 host-6:94 "
				   "host-7:93 host-8:92 host-9:91 host-10:90");
	read_range(700, monday, monday + 2 * DAY_MS, STATS_DAY);
	expect_top(CLICK_REFERRER, "host-1:99 host-2:98 host-3:97 other:97 host-4:96 host-5:95 "
				   "host-6:94 host-7:93 host-8:92 host-9:91");
}

Test(stats, add_up_the_visitors_of_each_day)
{
	database_do(ADMIN, "INSERT INTO click_stats (link, day, dimension, value, node, n) VALUES "
			   "(700, '2026-11-22', 'visitors', '', 1, 100), "
			   "(700, '2026-11-23', 'visitors', '', 1, 3), "
			   "(700, '2026-11-23', 'visitors', '', 2, 1), "
			   "(700, '2026-11-24', 'visitors', '', 1, 5)");
	read_range(700, monday, monday + 2 * DAY_MS, STATS_DAY);
	cr_expect(eq(i64, stats.unique_visitors, 9));
}

Test(stats, count_events_by_type_and_clicks_among_them)
{
	database_do(ADMIN, "INSERT INTO click_counts (link, hour, node, n, bots) "
			   "VALUES (700, '2026-11-23 01:00+00', 1, 5, 1); "
			   "INSERT INTO events (time, type, link) "
			   "SELECT '2020-01-01', type, link FROM (VALUES ('created', 700, 1), "
			   "('signup', 700, 3), ('redirect', 700, 2), ('updated', 700, 1), "
			   "('signup', 701, 9)) "
			   "AS made (type, link, n), generate_series(1, n)");
	read_range(700, monday, monday + DAY_MS, STATS_DAY);
	cr_expect(eq(i64, stats.total_events, 10));
	cr_expect(eq(u32, stats.types_count, 4));
	expect_type(0, "redirect", 5); /* those of events are counted as clicks already */
	expect_type(1, "signup", 3);
	expect_type(2, "created", 1);
	expect_type(3, "updated", 1);
	cr_expect(eq(i64, stats.click_count, 5));
}

Test(stats, tell_the_most_frequent_types_apart_and_count_all)
{
	database_do(ADMIN, "INSERT INTO events (type, link) SELECT 'type-' || i, 700 "
			   "FROM generate_series(1, 150) AS i, generate_series(1, i) AS n");
	read_range(700, monday, monday + DAY_MS, STATS_DAY);
	cr_expect(eq(i64, stats.total_events, 11325));
	cr_expect(eq(u32, stats.types_count, STATS_TYPES));
	expect_type(0, "redirect", 0);
	expect_type(1, "type-150", 150);
	expect_type(STATS_TYPES - 1, "type-52", 52);
}

Test(stats, fail_where_the_database_does)
{
	const struct stats_range range = { monday, monday + DAY_MS, STATS_DAY };

	db_set_deadline(db, 0);
	cr_expect(eq(int, stats_read(db, 700, &range, &stats), DB_DOWN));
}

Test(stats, lose_no_click_that_is_counted_while_its_day_is_packed)
{
	PGconn *counting = database_session(INGEST);
	struct db *ingest = db_new(database_url(INGEST), "ingest");

	cr_assert(PQsendQuery(counting,
		"DO $$ BEGIN FOR i IN 1..4000 LOOP "
		"INSERT INTO click_counts AS counted (link, hour, node, n, bots) "
		"SELECT l, '2026-11-23 05:00+00', 1, 1, 0 FROM generate_series(700, 704) AS l "
		"ON CONFLICT (link, hour, node) DO UPDATE SET n = counted.n + excluded.n; "
		"INSERT INTO click_stats AS counted (link, day, dimension, value, node, n) "
		"SELECT l, '2026-11-23', 'os', 'linux', 1, 1 FROM generate_series(700, 704) AS l "
		"ON CONFLICT (day, link, dimension, value, node) DO UPDATE SET n = counted.n + "
		"excluded.n; "
		"COMMIT; END LOOP; END $$"));
	while (PQconsumeInput(counting) && PQisBusy(counting))
		pack_days_with(ingest);
	PGresult *counted = PQgetResult(counting);
	cr_expect(eq(int, PQresultStatus(counted), PGRES_COMMAND_OK));
	PQclear(counted);
	PQfinish(counting);
	db_free(ingest);
	cr_expect(gt(i64, database_number("SELECT count(*) FROM click_days"), 10),
		"it was packed once or twice only");
	cr_expect(eq(i64, database_number("SELECT sum(n)::bigint FROM click_hours"), 20000),
		"clicks of hours");
	cr_expect(eq(i64, database_number("SELECT sum(n)::bigint FROM click_values"), 20000),
		"clicks of values");
	read_once(702, monday, monday + DAY_MS, STATS_HOUR);
	expect_point(5, 4000, 0);
	expect_top(CLICK_OS, "linux:4000");
}

/* As PostgreSQL plans at its worst: once, without a look at the values, while there is next to nothing. */
static void plan_once(void)
{
	char memory[512];
	struct text url = text_fixed(memory, sizeof(memory));

	text_addf(&url, "%s options='-c plan_cache_mode=force_generic_plan'", database_url(WEB));
	db_free(db);
	db = db_new(memory, "redirect");
	cr_assert(db != NULL);
	read_once(700, monday, monday + DAY_MS, STATS_DAY);
}

/* After it the statistics of PostgreSQL begin at 0. */
static void grow_tables(void)
{
	PGconn *session = database_session(ADMIN);

	database_in(session, "INSERT INTO click_counts (link, hour, node, n, bots) "
			     "SELECT i, timestamptz '2026-11-23 00:00+00', 1, 1, 0 "
			     "FROM generate_series(1000, 60000) AS i");
	database_in(session, "INSERT INTO click_stats (link, day, dimension, value, node, n) "
			     "SELECT i, date '2026-11-23' + i % 300, 'os', 'linux', 1, 1 "
			     "FROM generate_series(1000, 60000) AS i");
	database_in(session,
		"INSERT INTO click_days SELECT i, date '2026-11-23' + i % 300, 1, 1, 0, "
		"1, '{0}', '{1}', '{0}', '{3}', '{linux}', '{1}' "
		"FROM generate_series(1000, 60000) AS i");
	database_in(session, "INSERT INTO events (type, link) SELECT 'made', i "
			     "FROM generate_series(1000, 60000) AS i");
	database_in(session, "SELECT pg_stat_force_next_flush()");
	database_in(session, "SELECT pg_stat_reset()");
	PQfinish(session);
}

Test(stats, are_found_by_their_keys_in_tables_that_grew)
{
	plan_once();
	grow_tables();
	read_once(700, monday, monday + DAY_MS, STATS_DAY);
	db_free(db);
	db = NULL;
	/* A session tells what it read when it ends. */
	database_wait_until("SELECT (count(*) = 0)::integer FROM pg_stat_activity "
			    "WHERE application_name = 'linkshrink-redirect'");
	cr_expect(lt(i64,
		database_number("SELECT sum(idx_blks_read + idx_blks_hit)::bigint "
				"FROM pg_statio_user_indexes WHERE relname IN "
				"('click_counts', 'click_stats', 'click_days', 'events')"),
		100)); /* that of click_stats alone has 450 */
	cr_expect(eq(i64,
		database_number(
			"SELECT sum(seq_tup_read)::bigint FROM pg_stat_user_tables "
			"WHERE relname IN ('click_counts', 'click_stats', 'click_days', 'events')"),
		0));
}

/* --- What ingest counts. --- */

static void begin_ingest(void)
{
	ingest_begin();
	begin();
}

static void end_ingest(void)
{
	end();
	ingest_end();
}

TestSuite(stats_of_ingest, .init = begin_ingest, .fini = end_ingest);

Test(stats_of_ingest, tell_people_from_bots_and_days_from_each_other)
{
	spool_segment(1);
	spool_clicks(1, 3, monday + DAY_MS - 1, person);
	spool_clicks(1, 2, monday + DAY_MS, person);
	spool_clicks(1, 1, monday + DAY_MS, other_person);
	spool_clicks(1, 4, monday + DAY_MS, bot);
	spool_clicks(1, 1, monday + DAY_MS, prefetch);
	ingest_until_idle();
	read_once(700, monday, monday + 2 * DAY_MS, STATS_DAY);
	cr_expect(eq(i64, stats.click_count, 11));
	cr_expect(eq(i64, stats.bot_count, 4));
	expect_point(0, 3, 0);
	expect_point(1, 8, 4);
	expect_top(CLICK_REFERRER, "news.example:5 :2");
	expect_top(CLICK_BROWSER, "firefox:5 chrome:2");
	expect_top(CLICK_OS, "linux:5 android:2");
	expect_top(CLICK_BOT, "slackbot:4");
	/* One on the first day; he again, another one and who fetched it ahead on the second. */
	cr_expect(eq(i64, stats.unique_visitors, 4));
	expect_type(0, "redirect", 11);
}

Test(stats_of_ingest, are_the_same_from_two_nodes)
{
	spool_segment(1);
	spool_clicks(1, 3, monday, person);
	ingest_until_idle();
	ingest_stop();
	ingest_settings.node = 2;
	ingest_start();
	spool_segment(2);
	spool_clicks(2, 2, monday, person);
	ingest_until_idle();
	ingest_expect("SELECT count(DISTINCT node) FROM click_hours", 2);
	read_once(700, monday, monday + HOUR_MS, STATS_HOUR);
	cr_expect(eq(i64, stats.click_count, 5));
	expect_point(0, 5, 0);
	expect_top(CLICK_BROWSER, "firefox:5");
	cr_expect(eq(i64, stats.unique_visitors, 1));
}

Test(stats_of_ingest, keep_their_sums_when_a_day_is_packed)
{
	int64_t then = clock_wall_ms() - 3 * DAY_MS;
	char click[128];

	spool_segment(1);
	for (int i = 1; i <= 60; i++) {
		snprintf(click, sizeof(click),
			"700\t302\thost-%d.example\tfirefox\tlinux\t-\t\\N\t1", i);
		spool_clicks(1, i <= 8 ? 30 : 1, then, click);
	}
	ingest_until_idle();
	ingest_stop();
	ingest_start();
	ingest_until(
		"SELECT (count(*) = 51)::integer FROM click_values WHERE dimension = 'referrer'");
	read_once(700, then, then + 1, STATS_DAY);
	cr_expect(eq(u32, stats.tops[CLICK_REFERRER].count, STATS_TOP));
	cr_expect(eq(str, stats.tops[CLICK_REFERRER].list[8].value, (char *)"other"));
	cr_expect(eq(i64, stats.tops[CLICK_REFERRER].list[8].clicks, 10));
	expect_point(0, 292, 0);
}

Test(stats_of_ingest, are_as_of_a_moment_after_the_clicks_that_they_have)
{
	int64_t now;

	read_once(700, monday, monday + DAY_MS, STATS_DAY);
	cr_expect(eq(i64, stats.as_of, 0));
	now = clock_wall_ms();
	spool_segment(1);
	spool_clicks(1, 1, now, person);
	ingest_until_idle();
	read_once(700, now, now + 1, STATS_HOUR);
	cr_expect(eq(i64, stats.click_count, 1));
	cr_expect(stats.as_of >= now && stats.as_of <= clock_wall_ms());
}
