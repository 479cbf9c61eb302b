#include "domain/ingest.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "domain/database.h"
#include "domain/ingest_run.h"
#include "domain/spool_write.h"

enum { HOUR_MS = 3600 * 1000 };

static int64_t now;

static const char person[] = "700\t302\tnews.example\tfirefox\tlinux\t-\t198.51.100.0/24\t-42";
static const char other_person[] = "700\t302\t\\N\tchrome\tandroid\t-\t2001:db8:1::/48\t43";
static const char bot[] = "700\t302\t\\N\tcrawler\tother\tb\t198.51.100.0/24\t44";
static const char prefetch[] = "700\t302\t\\N\tchrome\tandroid\tp\t\\N\t45";

static void begin(void)
{
	ingest_begin();
	now = clock_wall_ms();
}

TestSuite(ingest, .init = begin, .fini = ingest_end);

Test(ingest, counts_each_click_once)
{
	spool_segment(1);
	spool_segment(2);
	spool_clicks(1, 1000, now, person);
	spool_clicks(2, 500, now, other_person);
	ingest_until_idle();
	ingest_expect_counted(1500);
	spool_clicks(1, 3, now, person);
	ingest_until_idle();
	ingest_expect_counted(1503);
	ingest_until_idle();
	ingest_expect_counted(1503);
}

Test(ingest, writes_what_a_record_says)
{
	spool_segment(5);
	spool_clicks(5, 1, 1795471199123, person);
	ingest_until_idle();
	ingest_expect(
		"SELECT count(*) FROM clicks WHERE time = '2026-11-23 21:59:59.123+00' AND segment "
		"= 5 "
		"AND link = 700 AND status = 302 AND referrer = 'news.example' AND browser = "
		"'firefox' "
		"AND os = 'linux' AND NOT bot AND NOT prefetch AND client = '198.51.100.0/24' "
		"AND visitor = -42 AND position = 66",
		1);
	spool_clicks(5, 1, now, "700\t308\t\\N\tchrome\tandroid\tp\t2001:db8:1::/48\t1");
	ingest_until_idle();
	ingest_expect(
		"SELECT count(*) FROM clicks WHERE referrer IS NULL AND prefetch AND status = 308 "
		"AND client = '2001:db8:1::/48'",
		1);
}

Test(ingest, tells_people_from_bots)
{
	spool_segment(1);
	spool_clicks(1, 3, now, person);
	spool_clicks(1, 2, now, other_person);
	spool_clicks(1, 4, now, bot);
	spool_clicks(1, 1, now, prefetch);
	ingest_until_idle();
	ingest_expect("SELECT sum(n)::bigint FROM click_hours", 10);
	ingest_expect("SELECT sum(bots)::bigint FROM click_hours", 4);
	ingest_expect(
		"SELECT n FROM click_values WHERE dimension = 'bot' AND value = 'crawler'", 4);
	ingest_expect(
		"SELECT n FROM click_values WHERE dimension = 'browser' AND value = 'chrome'", 3);
	ingest_expect("SELECT n FROM click_values WHERE dimension = 'os' AND value = 'linux'", 3);
	ingest_expect("SELECT n FROM click_values WHERE dimension = 'referrer' AND value = ''", 3);
	ingest_expect("SELECT n FROM click_values WHERE dimension = 'visitors' AND value = ''", 3);
	ingest_expect("SELECT count(*) FROM clicks WHERE bot", 4);
	ingest_expect("SELECT count(*) FROM clicks WHERE prefetch", 1);
}

Test(ingest, counts_a_visitor_once_a_day)
{
	spool_segment(1);
	spool_clicks(1, 5, 1795471199999, person); /* the last hour but two of the 23rd */
	spool_clicks(1, 5, 1795471199999 + 3 * HOUR_MS, person);
	ingest_until_idle();
	spool_clicks(1, 5, 1795471199999 + 3 * HOUR_MS, person);
	spool_clicks(1, 1, 1795471199999, other_person);
	ingest_until_idle();
	ingest_stop();
	ingest_start();
	spool_clicks(1, 1, 1795471199999, person);
	ingest_until_idle();
	ingest_expect("SELECT sum(n)::bigint FROM click_values WHERE dimension = 'visitors' AND "
		      "day = '2026-11-23'",
		2);
	ingest_expect("SELECT sum(n)::bigint FROM click_values WHERE dimension = 'visitors' AND "
		      "day = '2026-11-24'",
		1);
	ingest_expect("SELECT count(DISTINCT hour) FROM click_hours", 2);
}

Test(ingest, skips_and_counts_damaged_lines)
{
	uint64_t damaged = metrics_value(METRIC_spool_damaged, 0, 0);

	spool_segment(1);
	spool_clicks(1, 2, now, person);
	spool_bytes(1, "00000000\t1\t2\t302\t\\N\tx\ty\t-\t\\N\t1\n\ngarbage\n");
	spool_clicks(1, 2, now, person);
	spool_clicks(1, 1, now, "700\t302\tno host\tfirefox\tlinux\t-\t\\N\t1");
	spool_clicks(1, 1, now, "700\t302\t\\N\tfirefox\tlinux\t-\t198.51.100.1/24\t1");
	ingest_until_idle();
	ingest_expect_counted(4);
	cr_expect(eq(u64, metrics_value(METRIC_spool_damaged, 0, 0) - damaged, 5));
}

Test(ingest, waits_for_the_rest_of_a_line_while_its_writer_lives)
{
	uint64_t damaged = metrics_value(METRIC_spool_damaged, 0, 0);

	spool_segment(1);
	spool_clicks(1, 2, now, person);
	spool_bytes(1, "f00d");
	ingest_until_idle();
	ingest_expect_counted(2);
	cr_expect(spool_has(1, false));
	spool_finish(1);
	ingest_until_idle();
	ingest_expect_counted(2);
	cr_expect(spool_has(1, true) && !spool_has(1, false));
	cr_expect(eq(u64, metrics_value(METRIC_spool_damaged, 0, 0) - damaged, 1));
}

Test(ingest, keeps_segments_that_are_done_for_their_time)
{
	spool_segment(1);
	spool_segment(2);
	spool_clicks(1, 10, now, person);
	spool_clicks(2, 10, now, person);
	spool_finish(1);
	ingest_until_idle();
	cr_expect(spool_has(1, true) && !spool_has(1, false) && spool_has(2, false));
	spool_age(1, 86000);
	ingest_stop();
	ingest_start();
	ingest_until_idle();
	cr_expect(spool_has(1, true));
	spool_age(1, 86401);
	ingest_stop();
	ingest_start();
	ingest_until_idle();
	ingest_stop(); /* the second start looks around when it knows what PostgreSQL has */
	ingest_start();
	ingest_until_idle();
	while (spool_has(1, true))
		ingest_once();
	ingest_expect_counted(20);
}

Test(ingest, removes_the_oldest_kept_segments_when_there_are_too_many)
{
	spool_segment(1);
	spool_segment(2);
	spool_segment(3);
	for (int64_t i = 1; i <= 3; i++) {
		spool_clicks(i, 10, now, person);
		spool_finish(i);
	}
	ingest_until_idle();
	cr_assert(spool_has(1, true) && spool_has(2, true) && spool_has(3, true));
	spool_age(1, 10);
	spool_age(2, 30);
	spool_age(3, 20);
	ingest_stop();
	ingest_settings.max_bytes = spool_size(1, true) * 2;
	ingest_start();
	while (spool_has(2, true))
		ingest_once();
	cr_expect(spool_has(1, true) && spool_has(3, true));
	ingest_expect_counted(30);
}

Test(ingest, leaves_a_directory_to_the_one_that_has_it)
{
	struct ingest *second = ingest_new(&ingest_settings);
	struct db *db = db_new(database_url(INGEST), "ingest");

	ingest_until_idle();
	spool_segment(1);
	spool_clicks(1, 1, now, person);
	cr_expect(ingest_turn(second, db) > 0);
	db_free(db);
	ingest_expect_counted(0);
	ingest_free(second);
}

Test(ingest, counts_nothing_twice_when_another_one_moved_the_offset)
{
	spool_segment(1);
	spool_clicks(1, 10, now, person);
	ingest_until_idle();
	database_do(ADMIN, "UPDATE spool_offsets SET bytes = bytes + (SELECT max(position) - "
			   "min(position) FROM clicks) / 9");
	spool_clicks(1, 3, now, person);
	ingest_until_idle();
	ingest_expect("SELECT count(*) FROM clicks", 12);
	ingest_expect("SELECT sum(records)::bigint FROM spool_offsets", 12);
}

Test(ingest, goes_on_after_a_segment_that_postgresql_has_more_of)
{
	spool_segment(1);
	spool_segment(2);
	spool_clicks(1, 10, now, person);
	database_do(ADMIN, "INSERT INTO spool_offsets (segment, node, bytes, records) "
			   "VALUES (1, 1, 1000000, 0)");
	spool_clicks(2, 3, now, person);
	ingest_until_idle();
	ingest_expect_counted(3);
}

Test(ingest, sets_aside_the_click_that_postgresql_refuses)
{
	uint64_t damaged = metrics_value(METRIC_spool_damaged, 0, 0);

	ingest_refuse_link(666, "22003");
	spool_segment(1);
	spool_clicks(1, 100, now, person);
	spool_clicks(1, 1, now, "666\t302\t\\N\tfirefox\tlinux\t-\t\\N\t1");
	spool_clicks(1, 100, now, person);
	for (int i = 0; i < 100; i++)
		ingest_once();
	ingest_accept();
	ingest_expect_counted(200);
	cr_expect(eq(u32, spool_refused(), 1));
	cr_expect(eq(u64, metrics_value(METRIC_spool_damaged, 0, 0) - damaged, 1));
}

Test(ingest, leaves_a_segment_of_another_version_alone)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/00000000000000aa.clicks", ingest_settings.directory);
	file = fopen(path, "w");
	cr_assert(
		file && fputs("# linkshrink clicks 2 what then comes\nis not for us\n", file) > 0);
	fclose(file);
	spool_segment(1);
	spool_clicks(1, 2, now, person);
	ingest_until_idle();
	ingest_expect_counted(2);
	cr_expect(spool_has(0xaa, false));
}

static int64_t indexed_of_day(int ago)
{
	char sql[256];

	snprintf(sql, sizeof(sql),
		"SELECT count(*) FROM pg_indexes WHERE indexname = to_char((now() AT TIME ZONE "
		"'UTC')::date - %d, '\"clicks_\"YYYYMMDD\"_by_link\"')",
		ago);
	return database_number(sql);
}

Test(ingest, gives_days_that_are_over_an_index_by_link)
{
	enum { BUSY_MS = 1000, DAYS_MAX = 400 };
	struct db *db = db_new(database_url(INGEST), "ingest");
	int32_t below = INT32_MAX;
	unsigned days = 0;

	database_do(ADMIN, "SELECT clicks_make_partitions(current_date - 3, current_date)");
	database_do(ADMIN, "DO $$ BEGIN EXECUTE to_char((now() AT TIME ZONE 'UTC')::date - 3, "
			   "'\"DROP INDEX IF EXISTS clicks_\"YYYYMMDD\"_by_link\"'); END $$");
	cr_expect(eq(i64, indexed_of_day(3), 0));
	while (ingest_index_turn(db, &below) <= BUSY_MS && days < DAYS_MAX)
		days++;
	cr_expect(le(u32, 1, days));
	cr_expect(lt(u32, days, DAYS_MAX));
	cr_expect(eq(i64, indexed_of_day(3), 1));
	cr_expect(eq(i64, indexed_of_day(2), 1));
	cr_expect(eq(i64, indexed_of_day(0), 0));
	db_free(db);
}
