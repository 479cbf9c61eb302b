#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

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

TestSuite(ingest_doubt, .init = begin, .fini = ingest_end);

static void take_turns(int turns)
{
	while (turns-- > 0)
		ingest_once();
}

/* Whether what was answered until now comes to be committed, as far as it says. */
static bool publishes(void)
{
	uint64_t asked = clock_monotonic();

	take_turns(10);
	return segment_get()->clicks_committed_until > asked;
}

Test(ingest_doubt, takes_no_fault_in_reading_for_the_end)
{
	spool_segment(1);
	spool_segment(2);
	spool_clicks(1, 10, now, person);
	ingest_until_idle();
	cr_assert(publishes());
	spool_spoil(1);
	spool_clicks(2, 5, now, person);
	cr_expect(not(publishes()));
	cr_expect(spool_has(1, false) && !spool_has(1, true));
	ingest_expect_counted(15);
}

Test(ingest_doubt, says_nothing_of_clicks_that_it_cannot_see)
{
	char path[256];

	spool_segment(1);
	spool_clicks(1, 10, now, person);
	cr_expect(publishes());
	snprintf(path, sizeof(path), "%s/00000000000000aa.clicks", ingest_settings.directory);
	cr_assert(symlink("elsewhere", path) == 0);
	spool_clicks(1, 10, now, person);
	cr_expect(not(publishes()));
	ingest_expect_counted(20);
	cr_assert(unlink(path) == 0);
	cr_expect(publishes());
}

Test(ingest_doubt, drops_nothing_for_a_clock_that_runs_ahead)
{
	spool_segment(1);
	spool_clicks(1, 10, now, person);
	ingest_until_idle();
	database_do(INGEST, "SELECT clicks_drop_partitions(current_date + 4000, 90)");
	ingest_expect_counted(10);
}

Test(ingest_doubt, drops_few_days_at_once)
{
	static const char old[] =
		"SELECT count(*) FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid "
		"WHERE inhparent = 'clicks'::regclass AND relname ~ '_[0-9]{8}$' AND "
		"to_date(right(relname, 8), 'YYYYMMDD') < current_date - 90";

	database_do(
		INGEST, "SELECT clicks_make_partitions(current_date - 209, current_date - 200)");
	database_do(INGEST, "SELECT clicks_drop_partitions(current_date, 90)");
	ingest_expect(old, 8);
	for (int i = 0; i < 4; i++)
		database_do(INGEST, "SELECT clicks_drop_partitions(current_date, 90)");
	ingest_expect(old, 0);
}

/* Whether a kept segment is still there after so many milliseconds of turns. */
static bool stays(int64_t number, uint64_t ms)
{
	uint64_t begin = clock_monotonic();

	while (spool_has(number, true) && database_ms_since(begin) < ms)
		poll(NULL, 0, ingest_once() > 0 ? 5 : 0);
	return spool_has(number, true);
}

Test(ingest_doubt, keeps_segments_by_the_clock_that_is_behind)
{
	spool_segment(1);
	spool_clicks(1, 10, now, person);
	spool_finish(1);
	ingest_until_idle();
	spool_age(1, 5 * 86400);
	ingest_stop();
	database_do(ADMIN, "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz "
			   "LANGUAGE sql AS $$ SELECT pg_catalog.clock_timestamp() - "
			   "interval '10 days' $$; ALTER ROLE linkshrink_ingest "
			   "SET search_path = public, pg_catalog");
	ingest_start();
	cr_expect(stays(1, 2500));
	database_do(ADMIN, "ALTER ROLE linkshrink_ingest RESET search_path; "
			   "DROP FUNCTION public.clock_timestamp()");
}

Test(ingest_doubt, keeps_segments_while_it_cannot_know_what_postgresql_has)
{
	ingest_stop();
	/* Longer than it believes what it was told. */
	ingest_settings.retention_s = 6;
	ingest_start();
	spool_segment(1);
	spool_clicks(1, 10, now, person);
	spool_finish(1);
	ingest_until_idle();
	database_control("stop -m immediate");
	cr_expect(stays(1, 8000));
	database_control("start");
	ingest_until_idle();
}

Test(ingest_doubt, gets_on_with_a_server_however_slow)
{
	ingest_until_idle();
	database_do(ADMIN, "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
			   "PERFORM pg_sleep(0.1); RETURN new; END $$; "
			   "CREATE TRIGGER dawdle BEFORE INSERT ON clicks FOR EACH ROW "
			   "EXECUTE FUNCTION dawdle()");
	spool_segment(1);
	spool_clicks(1, 30, now, person);
	ingest_until("SELECT (count(*) = 30)::integer FROM clicks");
	database_do(ADMIN, "DROP TRIGGER dawdle ON clicks; DROP FUNCTION dawdle");
	ingest_until_idle();
	ingest_expect_counted(30);
}

Test(ingest_doubt, sets_no_click_aside_for_a_fault_of_the_schema)
{
	ingest_refuse_link(700, "23514");
	spool_segment(1);
	spool_clicks(1, 10, now, person);
	take_turns(50);
	cr_expect(eq(u32, spool_refused(), 0));
	ingest_accept();
	ingest_until("SELECT (count(*) = 10)::integer FROM clicks");
	ingest_expect_counted(10);
}

Test(ingest_doubt, sets_only_so_many_clicks_aside_in_a_row)
{
	ingest_refuse_link(700, "22003");
	spool_segment(1);
	spool_clicks(1, 300, now, person);
	take_turns(1000);
	cr_expect(eq(u32, spool_refused(), 100));
	ingest_accept();
	ingest_until("SELECT (count(*) = 200)::integer FROM clicks");
	ingest_expect_counted(200);
}

Test(ingest_doubt, pauses_when_a_click_cannot_be_set_aside)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/refused", ingest_settings.directory);
	cr_assert(mkdir(path, 0750) == 0);
	ingest_refuse_link(700, "22003");
	spool_segment(1);
	spool_clicks(1, 1, now, person);
	for (unsigned idle = 0, turns = 0; idle < 3; turns++) {
		cr_assert(turns < 10);
		idle += ingest_once() > 0;
	}
	ingest_accept();
	ingest_until("SELECT (count(*) = 1)::integer FROM clicks");
}

Test(ingest_doubt, needs_no_partition_of_its_own_for_a_day)
{
	PGconn *reader;

	ingest_until_idle();
	reader = database_session(ADMIN);
	database_in(reader, "BEGIN; LOCK TABLE clicks_other IN ACCESS SHARE MODE");
	spool_segment(1);
	spool_clicks(1, 10, now - INT64_C(40) * 86400000, person);
	ingest_until("SELECT (count(*) = 10)::integer FROM clicks");
	PQfinish(reader);
	ingest_until_idle();
	ingest_expect("SELECT count(*) FROM clicks_other", 10);
	ingest_expect_counted(10);
}

Test(ingest_doubt, is_done_with_a_segment_whose_end_was_lost)
{
	spool_segment(1);
	spool_clicks(1, 10, now, person);
	ingest_until_idle();
	spool_cut(1, 200);
	spool_finish(1);
	ingest_stop();
	ingest_start();
	ingest_until_idle();
	cr_expect(spool_has(1, true) && !spool_has(1, false));
	ingest_expect_counted(10);
}

static void rename_spool(const char *more)
{
	char path[256];

	snprintf(path, sizeof(path), "%s%s", ingest_settings.directory, more);
	cr_assert(rename(ingest_settings.directory, path) == 0);
}

Test(ingest_doubt, works_on_the_directory_that_is_there)
{
	char command[256];

	spool_segment(1);
	spool_clicks(1, 10, now, person);
	ingest_until_idle();
	rename_spool(".old");
	cr_assert(mkdir(ingest_settings.directory, 0750) == 0);
	spool_segment(2);
	spool_clicks(2, 5, now, person);
	ingest_until("SELECT (count(*) = 15)::integer FROM clicks");
	cr_expect(publishes());
	/* Gone altogether: it makes one. */
	snprintf(command, sizeof(command), "rm -r '%s' '%s.old'", ingest_settings.directory,
		ingest_settings.directory);
	cr_assert(system(command) == 0);
	while (access(ingest_settings.directory, F_OK) != 0)
		ingest_once();
	spool_finish(1);
	spool_finish(2);
	spool_segment(3);
	spool_clicks(3, 1, now, person);
	ingest_until("SELECT (count(*) = 16)::integer FROM clicks");
	ingest_expect_counted(16);
}

Test(ingest_doubt, counts_clicks_of_links_with_any_number)
{
	spool_segment(1);
	spool_clicks(1, 2, now, "-5\t302\t\\N\tfirefox\tlinux\t-\t\\N\t1");
	spool_clicks(1, 3, now, "-9223372036854775808\t302\t\\N\tfirefox\tlinux\t-\t\\N\t1");
	ingest_until_idle();
	ingest_expect_counted(5);
	ingest_expect("SELECT sum(n)::bigint FROM click_hours WHERE link < -5", 3);
}
