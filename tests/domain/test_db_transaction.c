#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <signal.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/text.h"
#include "domain/database.h"

/* Only shows that a call does not hang: the deadline and much room for a busy machine. */
enum { BOUND_MS = 5000, SHORT_MS = 300, ROWS = 50000 };

#define SESSIONS                                                                                   \
	"SELECT count(*) FROM pg_stat_activity WHERE application_name = 'linkshrink-redirect'"

/* One more link, whose target says which test it was. */
static enum db_result write_row(struct db *db, int test)
{
	char memory[64];
	struct text target = text_fixed(memory, sizeof(memory));

	text_addf(&target, "https://example.com/transaction/%d", test);
	return database_store(db, memory);
}

static int64_t rows_written(int test)
{
	char memory[256];
	struct text sql = text_fixed(memory, sizeof(memory));

	text_addf(&sql,
		"SELECT count(*) FROM links WHERE target = 'https://example.com/transaction/%d'",
		test);
	return database_number(memory);
}

static enum db_result find_nothing(struct db *db)
{
	const char *code = "no-such-code";
	struct db_rows *rows;
	enum db_result result = db_query(db, STATEMENT_link_find, &code, 1, &rows);

	db_rows_free(rows);
	return result;
}

/* A number is expected where this one has none. */
static enum db_result fail(struct db *db)
{
	const char *id = "none";
	struct db_rows *rows;

	return db_query(db, STATEMENT_link_find_id, &id, 1, &rows);
}

Test(db_transaction, happens_whole_at_its_commit)
{
	struct db *db = database_open();

	cr_assert(db_begin(db) == DB_OK);
	cr_assert(write_row(db, 1) == DB_OK);
	cr_assert(find_nothing(db) == DB_NOT_FOUND);
	cr_assert(write_row(db, 1) == DB_OK);
	cr_assert(eq(i64, rows_written(1), 0));
	cr_assert(db_commit(db) == DB_OK);
	cr_assert(eq(i64, rows_written(1), 2));
	db_free(db);
}

Test(db_transaction, leaves_nothing_when_it_is_rolled_back)
{
	struct db *db = database_open();

	cr_assert(db_begin(db) == DB_OK);
	cr_assert(write_row(db, 2) == DB_OK);
	db_rollback(db);
	cr_assert(eq(i64, rows_written(2), 0));
	cr_assert(write_row(db, 2) == DB_OK);
	cr_assert(eq(i64, rows_written(2), 1));
	db_rollback(db);
	cr_assert(db_commit(db) == DB_BUSY, "there is none");
	db_free(db);
}

Test(db_transaction, keeps_its_session_from_other_threads)
{
	struct db *db = database_open(), *other = database_open();
	int pid;

	cr_assert(db_begin(db) == DB_OK);
	pid = db_session_pid(db);
	cr_assert(find_nothing(other) == DB_NOT_FOUND);
	cr_assert(ne(int, db_session_pid(other), pid));
	cr_assert(db_begin(db) == DB_DOWN, "one at a time");
	cr_assert(write_row(db, 3) == DB_OK);
	cr_assert(eq(int, db_session_pid(db), pid));
	cr_assert(db_commit(db) == DB_OK);
	cr_assert(eq(i64, rows_written(3), 1));
	db_free(other);
	db_free(db);
}

Test(db_transaction, fails_whole_after_a_statement_that_failed)
{
	struct db *db = database_open();

	uint64_t sent;

	cr_assert(db_begin(db) == DB_OK);
	cr_assert(write_row(db, 4) == DB_OK);
	cr_assert(fail(db) == DB_DOWN);
	sent = metrics_observations(METRIC_db_query_duration, LABEL_program_REDIRECT);
	cr_assert(write_row(db, 4) == DB_DOWN);
	cr_assert(find_nothing(db) == DB_DOWN);
	cr_assert(eq(
		u64, metrics_observations(METRIC_db_query_duration, LABEL_program_REDIRECT), sent));
	cr_assert(db_commit(db) == DB_BUSY);
	cr_assert(eq(i64, rows_written(4), 0));
	cr_assert(write_row(db, 4) == DB_OK, "it is over");
	cr_assert(db_begin(db) == DB_OK);
	cr_assert(fail(db) == DB_DOWN);
	db_rollback(db);
	cr_assert(write_row(db, 4) == DB_OK);
	cr_assert(eq(i64, rows_written(4), 2));
	db_free(db);
}

static void end_session(int pid)
{
	char memory[128];
	struct text sql = text_fixed(memory, sizeof(memory));

	text_addf(&sql, "SELECT pg_terminate_backend(%d, 5000)", pid);
	database_do(ADMIN, memory);
}

Test(db_transaction, sends_nothing_again_when_its_session_ends)
{
	struct db *db = database_open();

	cr_assert(db_begin(db) == DB_OK);
	cr_assert(write_row(db, 5) == DB_OK);
	end_session(db_session_pid(db));
	cr_assert(find_nothing(db) == DB_DOWN);
	cr_assert(write_row(db, 5) == DB_DOWN);
	cr_assert(db_commit(db) == DB_BUSY, "it certainly did not happen");
	cr_assert(eq(i64, rows_written(5), 0));
	cr_assert(find_nothing(db) == DB_NOT_FOUND);
	db_free(db);
}

Test(db_transaction, begins_on_a_session_that_lives)
{
	struct db *db = database_open();

	cr_assert(find_nothing(db) == DB_NOT_FOUND);
	end_session(db_session_pid(db));
	cr_assert(db_begin(db) == DB_OK);
	cr_assert(write_row(db, 6) == DB_OK);
	cr_assert(db_commit(db) == DB_OK);
	cr_assert(eq(i64, rows_written(6), 1));
	db_free(db);
}

static void wait_at_commit_no_more(void)
{
	database_do(OWNER, "DROP TRIGGER IF EXISTS wait ON links");
}

/* A trigger of the test's own lets a COMMIT wait for a lock. */
static void wait_at_commit(void)
{
	database_do(OWNER,
		"CREATE OR REPLACE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql "
		"SECURITY DEFINER AS $$ BEGIN LOCK TABLE click_counts; RETURN NULL; END $$; "
		"CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON links "
		"DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait()");
}

static void *end_waiting_session(void *pid)
{
	database_wait_until(SESSIONS " AND wait_event_type = 'Lock'");
	end_session(*(int *)pid);
	return NULL;
}

Test(db_transaction, has_an_unknown_outcome_when_its_session_ends_at_the_commit,
	.fini = wait_at_commit_no_more)
{
	struct db *db = database_open();
	PGconn *owner = database_session(OWNER);
	pthread_t other;
	int pid;

	wait_at_commit();
	db_set_deadline(db, 2 * BOUND_MS);
	database_in(owner, "BEGIN; LOCK TABLE click_counts");
	cr_assert(db_begin(db) == DB_OK);
	cr_assert(write_row(db, 7) == DB_OK);
	pid = db_session_pid(db);
	cr_assert(pthread_create(&other, NULL, end_waiting_session, &pid) == 0);
	cr_assert(db_commit(db) == DB_DOWN);
	pthread_join(other, NULL);
	cr_assert(find_nothing(db) == DB_NOT_FOUND);
	PQfinish(owner);
	db_free(db);
}

Test(db_transaction, ends_when_its_deadline_passed)
{
	struct db *db = database_open();

	cr_assert(db_begin(db) == DB_OK);
	cr_assert(write_row(db, 8) == DB_OK);
	db_set_deadline(db, DEADLINE_MS);
	cr_assert(write_row(db, 8) == DB_OK, "more time was given in time");
	db_set_deadline(db, 0);
	cr_assert(eq(i64, database_number(SESSIONS), 1));
	db_set_deadline(db, DEADLINE_MS);
	database_wait_until("SELECT (count(*) = 0)::integer FROM pg_stat_activity "
			    "WHERE application_name = 'linkshrink-redirect'");
	cr_assert(write_row(db, 8) == DB_DOWN);
	cr_assert(db_commit(db) == DB_BUSY);
	cr_assert(eq(i64, rows_written(8), 0));
	cr_assert(write_row(db, 8) == DB_OK);
	db_free(db);
}

Test(db_transaction, is_not_committed_after_its_deadline)
{
	struct db *db = database_open();

	cr_assert(db_begin(db) == DB_OK);
	cr_assert(write_row(db, 9) == DB_OK);
	db_set_deadline(db, 0);
	cr_assert(db_commit(db) == DB_BUSY);
	cr_assert(eq(i64, rows_written(9), 0));
	db_free(db);
}

static struct db *open_ingest(void)
{
	struct db *db = db_new(database_url(INGEST), "ingest");

	db_set_deadline(db, 2 * BOUND_MS);
	return db;
}

static struct text rows_of(int64_t segment, int count)
{
	struct text rows = text_growing(1 << 24);

	for (int i = 0; i < count; i++)
		text_addf(&rows,
			"2026-01-01T00:00:00Z\t%lld\t%d\t7\t302\t\\N\tfirefox\tlinux\tf\tf\t"
			"198.51.100.0/24\t-5\n",
			(long long)segment, i);
	cr_assert(not(rows.cut));
	return rows;
}

static int64_t rows_copied(int segment)
{
	char memory[128];
	struct text sql = text_fixed(memory, sizeof(memory));

	text_addf(&sql, "SELECT count(*) FROM clicks WHERE segment = %d", segment);
	return database_number(memory);
}

/* What the role of ingest may write besides. */
static enum db_result count_click(struct db *db)
{
	static const char *const parameters[] = { "{10}", "{10}", "{1}", "{0}", "1" };

	return db_run(db, STATEMENT_clicks_count, parameters, 5);
}

static enum db_result copy(struct db *db, const struct text *rows)
{
	return db_copy(db, STATEMENT_clicks_copy, rows->data, rows->len);
}

Test(db_copy, brings_every_row)
{
	struct db *db = open_ingest();
	struct text rows = rows_of(1, ROWS);

	cr_assert(copy(db, &rows) == DB_OK);
	cr_assert(eq(i64, rows_copied(1), ROWS));
	cr_assert(db_copy(db, STATEMENT_clicks_copy, "", 0) == DB_NOT_FOUND);
	text_free(&rows);
	db_free(db);
}

Test(db_copy, brings_all_rows_or_none)
{
	struct db *db = open_ingest();
	struct text rows = rows_of(2, ROWS);
	int pid;

	text_add(&rows, "a row that is none\n");
	cr_assert(copy(db, &rows) == DB_DOWN);
	pid = db_session_pid(db);
	cr_assert(eq(i64, rows_copied(2), 0));
	text_free(&rows);
	rows = rows_of(2, 3);
	cr_assert(copy(db, &rows) == DB_OK, "the connection goes on");
	cr_assert(eq(int, db_session_pid(db), pid));
	cr_assert(copy(db, &rows) == DB_CONFLICT);
	cr_assert(eq(i64, rows_copied(2), 3));
	text_free(&rows);
	db_free(db);
}

Test(db_copy, is_refused_in_the_middle_of_many_rows)
{
	struct db *db = open_ingest();
	struct text rows = text_growing(1 << 24), more = rows_of(3, ROWS);

	text_add(&rows, "a row that is none\n");
	text_add(&rows, more.data);
	cr_assert(copy(db, &rows) == DB_DOWN);
	cr_assert(copy(db, &more) == DB_OK);
	text_free(&rows);
	text_free(&more);
	db_free(db);
}

Test(db_copy, is_part_of_a_transaction)
{
	struct db *db = open_ingest();
	struct text rows = rows_of(4, 10), more = rows_of(5, 10);

	cr_assert(db_begin(db) == DB_OK);
	cr_assert(copy(db, &rows) == DB_OK);
	db_rollback(db);
	cr_assert(db_begin(db) == DB_OK);
	cr_assert(copy(db, &more) == DB_OK);
	cr_assert(count_click(db) == DB_OK);
	cr_assert(db_commit(db) == DB_OK);
	cr_assert(eq(i64, rows_copied(4), 0));
	cr_assert(eq(i64, rows_copied(5), 10));
	cr_assert(eq(i64, database_number("SELECT n FROM click_counts WHERE link = 10"), 1));
	cr_assert(db_begin(db) == DB_OK);
	cr_assert(copy(db, &more) == DB_CONFLICT);
	cr_assert(count_click(db) == DB_DOWN);
	cr_assert(db_commit(db) == DB_BUSY);
	text_free(&rows);
	text_free(&more);
	db_free(db);
}

Test(db_copy, is_refused_to_who_may_not)
{
	struct db *db = database_open();
	struct text rows = rows_of(6, 3);

	cr_assert(copy(db, &rows) == DB_DOWN);
	cr_assert(find_nothing(db) == DB_NOT_FOUND);
	text_free(&rows);
	db_free(db);
}

Test(db_copy, needs_its_rows)
{
	struct db *db = open_ingest();

	cr_assert(db_run(db, STATEMENT_clicks_copy, NULL, 0) == DB_DOWN);
	cr_assert(count_click(db) == DB_OK);
	db_free(db);
}

Test(db_copy, keeps_its_deadline_while_the_session_is_stopped)
{
	struct db *db = open_ingest();
	struct text rows = rows_of(7, ROWS);
	uint64_t begin = clock_monotonic();
	int pid;

	cr_assert(count_click(db) == DB_OK);
	pid = db_session_pid(db);
	cr_assert(kill(pid, SIGSTOP) == 0);
	db_set_deadline(db, SHORT_MS);
	cr_expect(copy(db, &rows) == DB_DOWN);
	cr_expect(lt(u64, database_ms_since(begin), BOUND_MS));
	kill(pid, SIGCONT);
	text_free(&rows);
	db_free(db);
}
