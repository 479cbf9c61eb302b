#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "domain/database.h"

/* Only shows that a call does not hang: the deadline and much room for a busy machine. */
enum { BOUND_MS = 5000, SHORT_MS = 300 };

static const char unreachable[] = "host=/nonexistent user=u password=hunter2 dbname=d";

static enum db_result find(struct db *db, const char *code)
{
	struct db_rows *rows;
	enum db_result result = db_query(db, STATEMENT_link_find, &code, 1, &rows);

	db_rows_free(rows);
	return result;
}

static enum db_result write_row(struct db *db)
{
	return database_store(db, "https://example.com/db");
}

static uint64_t connects(void)
{
	return metrics_value(METRIC_db_connects, LABEL_program_REDIRECT, 0);
}

Test(db, answers_with_rows)
{
	struct db *db = database_open();
	struct db_rows *rows;

	cr_assert(db_query(db, STATEMENT_schema_version, NULL, 0, &rows) == DB_OK);
	cr_assert(eq(int, db_rows_count(rows), 1));
	cr_assert(eq(i64, db_number(rows, 0, 0), DB_SCHEMA_VERSION));
	cr_assert(not(db_is_null(rows, 0, 0)));
	cr_assert(gt(int, db_session_pid(db), 0));
	cr_assert(gt(i64, db_spent_us(db), 0));
	db_rows_free(rows);
	db_free(db);
}

Test(db, says_not_found_when_there_is_no_row)
{
	struct db *db = database_open();
	struct db_rows *rows;
	const char *code = "no-such-code";

	cr_assert(db_query(db, STATEMENT_link_find, &code, 1, &rows) == DB_NOT_FOUND);
	cr_assert(rows == NULL);
	cr_assert(db_run(db, STATEMENT_link_visit, &code, 1) == DB_NOT_FOUND);
	db_free(db);
}

Test(db, counts_each_call_by_its_result)
{
	struct db *db = database_open();

	cr_assert(write_row(db) == DB_OK);
	cr_assert(find(db, "no-such-code") == DB_NOT_FOUND);
	cr_assert(eq(
		u64, metrics_value(METRIC_db_queries, LABEL_program_REDIRECT, LABEL_result_OK), 1));
	cr_assert(eq(u64,
		metrics_value(METRIC_db_queries, LABEL_program_REDIRECT, LABEL_result_NOT_FOUND),
		1));
	cr_assert(
		eq(u64, metrics_observations(METRIC_db_query_duration, LABEL_program_REDIRECT), 2));
	cr_assert(eq(u64, connects(), 1));
	db_free(db);
}

/* A trigger of the test's own lets the server itself fail with each SQLSTATE. */
static const struct {
	const char *sqlstate;
	enum db_result result;
} failures[] = {
	{ "23505", DB_CONFLICT },
	{ "23P01", DB_CONFLICT },
	{ "23503", DB_NOT_FOUND },
	{ "40001", DB_BUSY },
	{ "40P01", DB_BUSY },
	{ "55P03", DB_BUSY },
	{ "57014", DB_BUSY },
	{ "53300", DB_BUSY },
	{ "53100", DB_DOWN },
	{ "57P01", DB_DOWN },
	{ "08006", DB_DOWN },
	{ "22003", DB_DOWN },
	{ "23514", DB_DOWN },
	{ "42501", DB_DOWN },
	{ "XX000", DB_DOWN },
	{ "P0001", DB_DOWN },
};

static uint64_t errors(enum label_class class)
{
	return metrics_value(METRIC_db_errors, class, 0);
}

static void fail_with(const char *sqlstate)
{
	char memory[512];
	struct text sql = text_fixed(memory, sizeof(memory));

	text_addf(&sql,
		"CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS "
		"$$ BEGIN RAISE 'a test' USING ERRCODE = '%s'; END $$; "
		"CREATE OR REPLACE TRIGGER fail BEFORE INSERT ON links "
		"EXECUTE FUNCTION fail()",
		sqlstate);
	database_do(OWNER, memory);
}

static void fail_no_more(void)
{
	database_do(OWNER, "DROP TRIGGER IF EXISTS fail ON links");
}

Test(db, turns_each_sqlstate_into_one_of_five_results, .fini = fail_no_more)
{
	struct db *db = database_open();
	int pid = 0;

	for (size_t i = 0; i < sizeof(failures) / sizeof(*failures); i++) {
		enum label_class class = metrics_class(failures[i].sqlstate);
		uint64_t before = errors(class);

		fail_with(failures[i].sqlstate);
		db_set_deadline(db, DEADLINE_MS);
		cr_expect(write_row(db) == failures[i].result, "%s", failures[i].sqlstate);
		cr_expect(pid == 0 || pid == db_session_pid(db), "%s cost the connection",
			failures[i].sqlstate);
		cr_expect(eq(u64, errors(class), before + 1), "%s", failures[i].sqlstate);
		pid = db_session_pid(db);
	}
	db_free(db);
}

Test(db, counts_a_full_disk_apart_from_whatever_else_runs_out, .fini = fail_no_more)
{
	struct db *db = database_open();

	fail_with("53100");
	cr_assert(write_row(db) == DB_DOWN);
	cr_assert(eq(u64, errors(LABEL_class_53100), 1));
	cr_assert(eq(u64, errors(LABEL_class_53), 0));
	fail_with("53200");
	db_set_deadline(db, DEADLINE_MS);
	cr_assert(write_row(db) == DB_DOWN);
	cr_assert(eq(u64, errors(LABEL_class_53100), 1));
	cr_assert(eq(u64, errors(LABEL_class_53), 1));
	db_free(db);
}

Test(db, finds_a_locked_table_busy_and_keeps_the_connection)
{
	struct db *db = database_open();
	PGconn *owner = database_session(OWNER);
	int pid;

	db_set_deadline(db, SHORT_MS);
	cr_assert(find(db, "no-such-code") == DB_NOT_FOUND);
	pid = db_session_pid(db);
	database_in(owner, "BEGIN; LOCK TABLE links IN ACCESS EXCLUSIVE MODE");
	db_set_deadline(db, DEADLINE_MS);
	cr_assert(find(db, "no-such-code") == DB_BUSY);
	database_in(owner, "COMMIT");
	cr_assert(find(db, "no-such-code") == DB_NOT_FOUND);
	cr_assert(eq(int, db_session_pid(db), pid));
	PQfinish(owner);
	db_free(db);
}

/* The timeouts of the server then come before what is left is over. */
Test(db, finds_a_locked_table_busy_late_in_its_budget_as_well)
{
	struct db *db = database_open();
	PGconn *owner = database_session(OWNER);
	int pid;

	database_in(owner, "BEGIN; LOCK TABLE links IN ACCESS EXCLUSIVE MODE");
	db_set_deadline(db, DEADLINE_MS);
	(void)usleep(DEADLINE_MS * 1000 / 3);
	cr_assert(find(db, "no-such-code") == DB_BUSY);
	pid = db_session_pid(db);
	database_in(owner, "COMMIT");
	db_set_deadline(db, DEADLINE_MS);
	cr_assert(find(db, "no-such-code") == DB_NOT_FOUND);
	cr_assert(eq(int, db_session_pid(db), pid));
	PQfinish(owner);
	db_free(db);
}

static void let_all_connect(void)
{
	database_do(ADMIN, "ALTER ROLE linkshrink_web CONNECTION LIMIT -1");
}

Test(db, finds_a_server_without_a_free_connection_busy, .fini = let_all_connect)
{
	struct db *db = database_open();

	database_do(ADMIN, "ALTER ROLE linkshrink_web CONNECTION LIMIT 0");
	cr_assert(find(db, "no-such-code") == DB_BUSY);
	cr_expect(eq(u64, errors(LABEL_class_53), 1), "the server said why it refused");
	db_free(db);
}

Test(db, refuses_a_url_that_it_cannot_read)
{
	cr_assert(db_new("host='", "redirect") == NULL);
	cr_assert(db_new("nonsense", "redirect") == NULL);
	db_free(NULL);
}

Test(db, sends_nothing_before_a_deadline_is_set_or_after_it)
{
	struct db *db = db_new(database_url(WEB), "redirect");
	int pid;

	cr_assert(find(db, "no-such-code") == DB_DOWN);
	cr_assert(eq(u64, connects(), 0));
	db_set_deadline(db, DEADLINE_MS);
	cr_assert(find(db, "no-such-code") == DB_NOT_FOUND);
	pid = db_session_pid(db);
	db_set_deadline(db, 0);
	cr_assert(find(db, "no-such-code") == DB_DOWN);
	cr_assert(eq(int, db_session_pid(db), pid));
	db_free(db);
}

Test(db, fails_at_once_while_it_backs_off_and_then_tries_again)
{
	struct db *db = db_new(unreachable, "redirect");
	uint64_t begin;

	db_set_deadline(db, BOUND_MS);
	cr_assert(find(db, "abc") == DB_DOWN);
	cr_assert(find(db, "abc") == DB_DOWN);
	cr_assert(eq(u64, connects(), 1));
	cr_assert(eq(u64, errors(LABEL_class_NONE), 1), "what was not tried is no error");
	cr_assert(
		eq(u64, metrics_observations(METRIC_db_query_duration, LABEL_program_REDIRECT), 1));
	begin = clock_monotonic();
	while (connects() < 4 && database_ms_since(begin) < BOUND_MS) {
		cr_assert(find(db, "abc") == DB_DOWN);
		poll(NULL, 0, 1);
	}
	cr_assert(eq(u64, connects(), 4));
	/* At least half of 50 + 100 + 200 ms lay between. */
	cr_assert(ge(u64, database_ms_since(begin), 150));
	db_free(db);
}

static void *stop_session(void *argument)
{
	database_wait_until(
		"SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND "
		"application_name = 'linkshrink-redirect'");
	database_do(ADMIN, "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
			   "WHERE application_name = 'linkshrink-redirect'");
	database_in(argument, "COMMIT");
	return NULL;
}

/* Ends the session in the middle of a call, which waits for a lock until then. */
static enum db_result call_whose_session_ends(enum db_result (*call)(struct db *db))
{
	struct db *db = database_open();
	PGconn *owner = database_session(OWNER);
	pthread_t other;
	enum db_result result;

	db_set_deadline(db, 2 * BOUND_MS);
	cr_assert(find(db, "no-such-code") == DB_NOT_FOUND);
	cr_assert(write_row(db) == DB_OK);
	database_in(owner, "BEGIN; LOCK TABLE links IN ACCESS EXCLUSIVE MODE");
	cr_assert(pthread_create(&other, NULL, stop_session, owner) == 0);
	result = call(db);
	pthread_join(other, NULL);
	cr_assert(find(db, "no-such-code") == DB_NOT_FOUND, "it must connect again at once");
	PQfinish(owner);
	db_free(db);
	return result;
}

static enum db_result find_nothing(struct db *db)
{
	return find(db, "no-such-code");
}

Test(db, sends_a_read_again_when_its_session_ends)
{
	cr_assert(call_whose_session_ends(find_nothing) == DB_NOT_FOUND);
}

Test(db, never_sends_a_write_again_that_may_have_happened)
{
	cr_assert(call_whose_session_ends(write_row) == DB_DOWN);
}

Test(db, costs_no_error_when_the_server_restarted_between_two_calls)
{
	struct db *db = database_open();

	cr_assert(write_row(db) == DB_OK);
	database_control("restart -m immediate");
	db_set_deadline(db, DEADLINE_MS);
	cr_assert(write_row(db) == DB_OK);
	cr_assert(find(db, "no-such-code") == DB_NOT_FOUND);
	db_free(db);
}

Test(db, comes_back_by_itself_after_an_outage)
{
	struct db *db = database_open();
	enum db_result result = DB_DOWN;
	uint64_t begin;

	cr_assert(write_row(db) == DB_OK);
	database_control("stop -m immediate");
	cr_expect(write_row(db) == DB_DOWN);
	database_control("start");
	for (begin = clock_monotonic(); database_ms_since(begin) < BOUND_MS && result != DB_OK;) {
		poll(NULL, 0, 5);
		db_set_deadline(db, DEADLINE_MS);
		result = write_row(db);
	}
	cr_assert(result == DB_OK);
	db_free(db);
}

Test(db, keeps_its_deadline_while_the_session_is_stopped)
{
	struct db *db = database_open();
	uint64_t begin;
	int pid;

	cr_assert(find(db, "no-such-code") == DB_NOT_FOUND);
	pid = db_session_pid(db);
	cr_assert(kill(pid, SIGSTOP) == 0);
	db_set_deadline(db, SHORT_MS);
	begin = clock_monotonic();
	cr_expect(find(db, "no-such-code") == DB_DOWN);
	cr_expect(lt(u64, database_ms_since(begin), BOUND_MS));
	cr_expect(eq(int, db_session_pid(db), 0));
	cr_expect(eq(u64, errors(LABEL_class_NONE), 1));
	kill(pid, SIGCONT);
	db_free(db);
}

Test(db, keeps_its_deadline_while_the_server_is_stopped)
{
	struct db *db = database_open();
	int server = database_postmaster();
	uint64_t begin;

	cr_assert(kill(server, SIGSTOP) == 0);
	db_set_deadline(db, SHORT_MS);
	begin = clock_monotonic();
	cr_expect(find(db, "no-such-code") == DB_DOWN);
	cr_expect(lt(u64, database_ms_since(begin), BOUND_MS));
	kill(server, SIGCONT);
	db_free(db);
}

Test(db, tells_the_server_its_name_and_keeps_the_options_of_the_url)
{
	char url[1024];
	struct text text = text_fixed(url, sizeof(url));
	struct db *db;

	text_addf(&text, "%s options='-c search_path=pg_catalog'", database_url(WEB));
	db = db_new(url, "redirect");
	db_set_deadline(db, DEADLINE_MS);
	cr_assert(db_schema(db) == DB_SCHEMA_OLDER, "links were found outside of search_path");
	cr_assert(eq(i64,
		database_number("SELECT count(*) FROM pg_stat_activity "
				"WHERE application_name = 'linkshrink-redirect'"),
		1));
	db_free(db);
}

static void restore_schema_table(void)
{
	database_do(OWNER, "ALTER TABLE IF EXISTS hidden RENAME TO schema_migrations; "
			   "UPDATE schema_migrations SET version = -version WHERE version < 0");
}

Test(db, tells_an_older_schema_from_a_database_that_is_away, .fini = restore_schema_table)
{
	struct db *db = database_open();
	struct db *away = db_new(unreachable, "redirect");

	cr_expect(db_schema(db) == DB_SCHEMA_CURRENT);
	database_do(OWNER, "UPDATE schema_migrations SET version = -version");
	cr_expect(db_schema(db) == DB_SCHEMA_OLDER);
	database_do(OWNER, "ALTER TABLE schema_migrations RENAME TO hidden");
	cr_expect(db_schema(db) == DB_SCHEMA_OLDER);
	db_set_deadline(away, DEADLINE_MS);
	cr_expect(db_schema(away) == DB_SCHEMA_UNKNOWN);
	db_free(away);
	db_free(db);
}

static size_t occurrences(const char *text, const char *word)
{
	size_t count = 0;

	while ((text = strstr(text, word))) {
		text++;
		count++;
	}
	return count;
}

static void read_file(const char *path, char *to, size_t room)
{
	FILE *log = fopen(path, "r");
	size_t len;

	cr_assert(log != NULL);
	len = fread(to, 1, room - 1, log);
	to[len] = '\0';
	fclose(log);
}

static void fail_until_tried(struct db *db, uint64_t tries)
{
	db_set_deadline(db, BOUND_MS);
	while (connects() < tries) {
		cr_assert(find(db, "secret-code") == DB_DOWN);
		poll(NULL, 0, 1);
	}
}

Test(db, logs_an_outage_once_and_never_a_password)
{
	char path[] = "/tmp/linkshrink-test-log.XXXXXX";
	char lines[16384];
	struct db *away = db_new(unreachable, "redirect");
	/* The '@' in the password is not escaped: libpq takes the rest of it for the host. */
	struct db *mistyped = db_new("postgres://u:hunter2@hunter3@127.0.0.1:1/d", "redirect");
	struct db *db = database_open();

	close(mkstemp(path));
	cr_assert(log_open("redirect", path, LOG_DEBUG));
	fail_until_tried(away, 3);
	fail_until_tried(mistyped, 5);
	cr_assert(write_row(db) == DB_OK);
	read_file(path, lines, sizeof(lines));
	unlink(path);
	cr_expect(eq(sz, occurrences(lines, "\"database_down\""), 1), "%s", lines);
	cr_expect(eq(sz, occurrences(lines, "\"database_up\""), 1), "%s", lines);
	cr_expect(eq(sz, occurrences(lines, "hunter"), 0), "%s", lines);
	cr_expect(eq(sz, occurrences(lines, "secret-code"), 0), "%s", lines);
	db_free(away);
	db_free(mistyped);
	db_free(db);
}

Test(db, logs_the_failure_of_a_statement_without_its_values)
{
	static const char *const parameters[] = { "hunter2" };
	char path[] = "/tmp/linkshrink-test-log.XXXXXX";
	char lines[16384];
	struct db *db = database_open();

	close(mkstemp(path));
	cr_assert(log_open("redirect", path, LOG_DEBUG));
	cr_assert(db_run(db, STATEMENT_link_find_id, parameters, 1) == DB_DOWN);
	read_file(path, lines, sizeof(lines));
	unlink(path);
	cr_expect(eq(sz, occurrences(lines, "\"database_error\""), 1), "%s", lines);
	cr_expect(eq(sz, occurrences(lines, "22P02"), 1), "%s", lines);
	cr_expect(eq(sz, occurrences(lines, "link_find_id"), 1), "%s", lines);
	cr_expect(eq(sz, occurrences(lines, "hunter"), 0), "%s", lines);
	db_free(db);
}
