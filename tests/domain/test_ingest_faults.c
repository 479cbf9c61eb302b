#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/segment.h"
#include "domain/database.h"
#include "domain/ingest_run.h"
#include "domain/spool_write.h"

static int64_t now;

static const char person[] = "700\t302\tnews.example\tfirefox\tlinux\t-\t198.51.100.0/24\t-42";

static void begin(void)
{
	ingest_begin();
	now = clock_wall_ms();
}

TestSuite(ingest_faults, .init = begin, .fini = ingest_end);

static uint64_t batches(enum label_batch batch)
{
	return metrics_value(METRIC_click_batches, batch, 0);
}

Test(ingest_faults, counts_once_when_a_commit_is_lost_and_did_not_happen)
{
	database_do(ADMIN, "CREATE SEQUENCE deaths; "
			   "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql SECURITY "
			   "DEFINER AS $$ BEGIN "
			   "IF nextval('deaths') = 1 THEN PERFORM "
			   "pg_terminate_backend(pg_backend_pid()); END IF; "
			   "RETURN NULL; END $$; "
			   "CREATE CONSTRAINT TRIGGER die AFTER INSERT ON spool_offsets "
			   "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die()");
	spool_segment(1);
	spool_clicks(1, 100, now, person);
	ingest_until("SELECT (count(*) = 100)::integer FROM clicks");
	ingest_until_idle();
	database_do(ADMIN, "DROP TRIGGER die ON spool_offsets; DROP FUNCTION die; "
			   "DROP SEQUENCE deaths");
	cr_expect(eq(u64, batches(LABEL_batch_UNKNOWN), 1));
	ingest_expect_counted(100);
}

/* The server waits for a standby that does not exist: committed, but nobody is told. */
static void stop_answering_commits(bool stop)
{
	database_do(ADMIN, stop ? "ALTER SYSTEM SET synchronous_standby_names = 'nobody'"
				: "ALTER SYSTEM RESET synchronous_standby_names");
	database_do(ADMIN, "SELECT pg_reload_conf()");
	database_wait_until(
		stop ? "SELECT (current_setting('synchronous_standby_names') <> '')::int"
		     : "SELECT (current_setting('synchronous_standby_names') = '')::int");
}

Test(ingest_faults, counts_once_when_a_commit_is_lost_and_did_happen)
{
	spool_segment(1);
	ingest_until_idle();
	spool_clicks(1, 100, now, person);
	stop_answering_commits(true);
	ingest_once();
	cr_expect(eq(u64, batches(LABEL_batch_UNKNOWN), 1));
	stop_answering_commits(false);
	ingest_until("SELECT (count(*) = 100)::integer FROM clicks");
	ingest_until_idle();
	ingest_expect_counted(100);
}

Test(ingest_faults, leave_clicks_on_the_disk_while_postgresql_is_away)
{
	spool_segment(1);
	spool_clicks(1, 10, now, person);
	ingest_until_idle();
	database_control("stop -m immediate");
	spool_clicks(1, 10, now, person);
	for (int i = 0; i < 3; i++)
		ingest_once();
	database_control("start");
	ingest_until("SELECT (count(*) = 20)::integer FROM clicks");
	ingest_until_idle();
	ingest_expect_counted(20);
}

static const char save[] = "CREATE SCHEMA saved; CREATE TABLE saved.clicks AS TABLE clicks; "
			   "CREATE TABLE saved.counts AS TABLE click_counts; "
			   "CREATE TABLE saved.stats AS TABLE click_stats; "
			   "CREATE TABLE saved.days AS TABLE click_days; "
			   "CREATE TABLE saved.totals AS TABLE click_totals; "
			   "CREATE TABLE saved.visitors AS TABLE click_visitors; "
			   "CREATE TABLE saved.offsets AS TABLE spool_offsets; "
			   "CREATE TABLE saved.runs AS TABLE spool_runs";
static const char restore[] =
	"BEGIN; TRUNCATE clicks, click_counts, click_stats, click_days, click_totals, "
	"click_visitors, "
	"spool_offsets, spool_runs; "
	"INSERT INTO clicks TABLE saved.clicks; INSERT INTO click_counts TABLE saved.counts; "
	"INSERT INTO click_stats TABLE saved.stats; INSERT INTO click_days TABLE saved.days; "
	"INSERT INTO click_totals TABLE saved.totals; "
	"INSERT INTO click_visitors TABLE saved.visitors; "
	"INSERT INTO spool_offsets TABLE saved.offsets; INSERT INTO spool_runs TABLE saved.runs; "
	"SET LOCAL client_min_messages = error; DROP SCHEMA saved CASCADE; COMMIT";

Test(ingest_faults, bring_clicks_back_to_a_database_restored_from_a_backup)
{
	uint64_t committed;

	spool_segment(1);
	spool_segment(2);
	spool_clicks(1, 100, now, person);
	spool_finish(1);
	spool_clicks(2, 100, now, person);
	ingest_until_idle();
	database_do(ADMIN, save);
	spool_clicks(2, 50, now, person);
	spool_finish(2);
	spool_segment(3);
	spool_clicks(3, 25, now, person);
	ingest_until_idle();
	cr_assert(spool_has(2, true) && spool_has(3, false));
	ingest_expect_counted(275);
	committed = metrics_value(METRIC_clicks_committed, 0, 0);
	database_do(ADMIN, restore);
	ingest_expect_counted(200);
	ingest_until("SELECT (count(*) = 275)::integer FROM clicks");
	ingest_until_idle();
	ingest_expect_counted(275);
	ingest_expect("SELECT n FROM click_values WHERE dimension = 'visitors'", 1);
	cr_expect(eq(u64, metrics_value(METRIC_clicks_committed, 0, 0), committed));
}

Test(ingest_faults, bring_clicks_back_to_an_empty_database)
{
	spool_segment(1);
	spool_clicks(1, 100, now, person);
	spool_bytes(1, "half a li");
	spool_finish(1);
	spool_segment(2);
	spool_clicks(2, 10, now, person);
	ingest_until_idle();
	cr_assert(spool_has(1, true));
	database_do(ADMIN, "TRUNCATE clicks, click_counts, click_stats, click_days, click_totals, "
			   "click_visitors, spool_offsets, spool_runs");
	spool_clicks(2, 1, now, person);
	ingest_until("SELECT (count(*) = 111)::integer FROM clicks");
	ingest_until_idle();
	ingest_expect_counted(111);
	ingest_expect("SELECT n FROM click_values WHERE dimension = 'visitors'", 1);
}

Test(ingest_faults, give_odd_times_a_place)
{
	database_do(OWNER,
		"DO $$ DECLARE partition regclass; BEGIN FOR partition IN SELECT inhrelid FROM "
		"pg_inherits WHERE inhparent IN ('clicks'::regclass, 'click_visitors'::regclass) "
		"AND "
		"inhrelid::regclass::text !~ 'other' LOOP EXECUTE format('DROP TABLE %s', "
		"partition); "
		"END LOOP; END $$");
	ingest_stop();
	ingest_start();
	spool_segment(1);
	spool_clicks(1, 1, 0, person);
	spool_clicks(1, 2, now - INT64_C(10) * 86400000, person);
	spool_clicks(1, 3, now, person);
	spool_clicks(1, 4, now + INT64_C(400) * 86400000, person);
	spool_clicks(1, 5, INT64_C(253402300799999), person);
	ingest_until_idle();
	ingest_expect("SELECT count(*) FROM clicks", 15);
	/* The one of 1970 is older than clicks are kept. */
	ingest_expect("SELECT count(*) FROM clicks_other", 10);
	ingest_expect("SELECT count(*) FROM pg_inherits WHERE inhparent = 'clicks'::regclass", 6);
	database_do(INGEST, "SELECT clicks_drop_partitions(current_date, 90)");
	ingest_expect("SELECT count(*) FROM clicks", 14);
	database_do(INGEST, "SELECT clicks_drop_partitions(current_date, 0)");
	ingest_expect("SELECT count(*) FROM clicks", 12);
	ingest_expect("SELECT sum(n)::bigint FROM click_hours", 15);
}

/* Of two links and two nodes, today and on three days before; and of one that has many values. */
static const char counted[] =
	"INSERT INTO click_counts (link, hour, node, n, bots) "
	"SELECT l, date_trunc('day', now(), 'UTC') - d * interval '1 day' + h * interval '1 hour', "
	"k, "
	"l * 1000 + h, h FROM generate_series(1, 2) l, generate_series(0, 3) d, "
	"generate_series(1, 2) k, generate_series(0, 23) h "
	"ON CONFLICT (link, hour, node) DO UPDATE SET n = click_counts.n + excluded.n; "
	"INSERT INTO click_stats (link, day, dimension, value, node, n) "
	"SELECT l, (now() AT TIME ZONE 'UTC')::date - d, 'referrer', 'host' || v, k, v "
	"FROM generate_series(1, 2) l, generate_series(0, 3) d, generate_series(1, 2) k, "
	"generate_series(1, 60) v "
	"UNION ALL SELECT 3, (now() AT TIME ZONE 'UTC')::date - 2, 'referrer', 'host' || v, 1, 1 "
	"FROM generate_series(1, 9000) v "
	"UNION ALL SELECT l, (now() AT TIME ZONE 'UTC')::date - 2, 'visitors', '', 1, l * 10 "
	"FROM generate_series(1, 3) l "
	"ON CONFLICT (day, link, dimension, value, node) DO UPDATE SET n = click_stats.n + "
	"excluded.n";

static void until_packed(void)
{
	ingest_until("SELECT (NOT EXISTS (SELECT FROM click_stats "
		     "WHERE day < (now() AT TIME ZONE 'UTC')::date - 1) "
		     "AND NOT EXISTS (SELECT FROM click_counts "
		     "WHERE hour < date_trunc('day', now(), 'UTC') - interval '1 day'))::integer");
}

/* So many times as it was counted, all of it is there. */
static void expect_packed(int64_t times)
{
	ingest_expect("SELECT sum(n)::bigint FROM click_hours", times * 580416);
	ingest_expect(
		"SELECT sum(bots)::bigint FROM click_hours WHERE link = 1 AND node = 2 AND hour "
		"= date_trunc('day', now(), 'UTC') - interval '65 hours'",
		times * 7);
	ingest_expect("SELECT sum(n)::bigint FROM click_hours WHERE link = 2 AND node = 1 AND hour "
		      "= date_trunc('day', now(), 'UTC') - interval '71 hours'",
		times * 2001);
	ingest_expect("SELECT sum(n)::bigint FROM click_values WHERE dimension = 'referrer' "
		      "AND link < 3",
		times * 29280);
	ingest_expect("SELECT sum(n)::bigint FROM click_values WHERE dimension = 'referrer' "
		      "AND link = 3",
		times * 9000);
	ingest_expect(
		"SELECT sum(n)::bigint FROM click_values WHERE dimension = 'visitors'", times * 60);
}

Test(ingest_faults, pack_days_that_are_over_and_fold_their_rare_values)
{
	database_do(ADMIN, counted);
	until_packed();
	expect_packed(1);
	ingest_expect("SELECT n FROM click_values WHERE day < current_date - 2 AND link = 2 AND "
		      "value = 'other' AND node = 1",
		55);
	ingest_expect("SELECT count(*) FROM click_values WHERE day < current_date - 2 AND link = 2 "
		      "AND value = 'host60' AND node = 2 AND n = 60",
		1);
	/* Today and yesterday are as they were, the others a row for each link and node; whoever has
	 * very many values has some more. */
	ingest_expect("SELECT count(*) FROM click_stats", 480);
	ingest_expect("SELECT count(*) FROM click_counts", 192);
	ingest_expect("SELECT count(*) FROM click_days WHERE link < 3", 8);
	ingest_expect(
		"SELECT (count(*) BETWEEN 2 AND 10)::integer FROM click_days WHERE link = 3", 1);
}

Test(ingest_faults, pack_what_came_late_beside_what_was_packed)
{
	database_do(ADMIN, counted);
	until_packed();
	ingest_stop();
	database_do(ADMIN, counted);
	ingest_start();
	until_packed();
	expect_packed(2);
}

Test(ingest_faults, forget_offsets_of_segments_that_are_long_gone)
{
	ingest_stop();
	database_do(ADMIN, "INSERT INTO spool_offsets (segment, node, bytes, records, updated_at) "
			   "VALUES (5, 1, 10, 0, now() - interval '49 hours'), "
			   "(6, 1, 10, 0, now() - interval '47 hours'), "
			   "(7, 2, 10, 0, now() - interval '49 hours'), "
			   "(8, 1, 66, 0, now() - interval '49 hours')");
	spool_segment(8);
	ingest_start();
	ingest_until("SELECT (count(*) = 3)::integer FROM spool_offsets");
	ingest_until_idle();
	ingest_expect("SELECT sum(segment)::bigint FROM spool_offsets", 21);
}

Test(ingest_faults, publish_when_all_is_there)
{
	uint64_t began = clock_monotonic();

	metrics_set(METRIC_clicks_spooled, 0, 0, 12);
	spool_segment(1);
	spool_clicks(1, 10, now, person);
	ingest_until_idle();
	cr_expect(segment_get()->clicks_committed_until > began);
	cr_expect(eq(u64, segment_get()->clicks_committed_of, 13));
	cr_expect(eq(u64, metrics_value(METRIC_clicks_committed, 0, 0), 10));
	cr_expect(eq(u64, metrics_value(METRIC_click_drift, 0, 0), 2));
	cr_expect(eq(u64, metrics_observations(METRIC_click_delay, 0), 10));
	spool_clicks(1, 2, now, person);
	ingest_until_idle();
	cr_expect(eq(u64, metrics_value(METRIC_click_drift, 0, 0), 0));
	began = segment_get()->clicks_committed_until;
	database_control("stop -m immediate");
	spool_clicks(1, 2, now, person);
	for (int i = 0; i < 5; i++)
		ingest_once();
	cr_expect(eq(u64, segment_get()->clicks_committed_until, began));
	database_control("start");
	ingest_until_idle();
}
