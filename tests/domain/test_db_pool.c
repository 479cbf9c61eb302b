#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "domain/database.h"

/* Only shows that a call does not hang: the deadline and much room for a busy machine. */
enum { BOUND_MS = 5000, SHORT_MS = 300, FEW = 3, CALLS = 50 };

#define SESSIONS                                                                                   \
	"SELECT count(*) FROM pg_stat_activity WHERE application_name = 'linkshrink-redirect'"

static enum db_result find_nothing(struct db *db)
{
	const char *code = "no-such-code";
	struct db_rows *rows;
	enum db_result result = db_query(db, STATEMENT_link_find, &code, 1, &rows);

	db_rows_free(rows);
	return result;
}

static uint64_t connects(void)
{
	return metrics_value(METRIC_db_connects, LABEL_program_REDIRECT, 0);
}

static void find_often(struct db *db, unsigned number)
{
	for (int i = 0; i < CALLS; i++)
		cr_assert(find_nothing(db) == DB_NOT_FOUND, "thread %u", number);
}

Test(db_pool, lets_many_threads_share_few_connections)
{
	struct db *db = database_open();

	db_pool_limit(FEW);
	database_crowd(find_often);
	cr_assert(le(u64, connects(), FEW));
	cr_assert(le(i64, database_number(SESSIONS), FEW));
	db_free(db);
}

Test(db_pool, is_another_one_for_whoever_puts_a_word_behind_the_name)
{
	struct db *db = database_open(), *other = db_new(database_url(WEB), "redirect other");
	int pid;

	db_set_deadline(other, DEADLINE_MS);
	cr_assert(find_nothing(db) == DB_NOT_FOUND);
	pid = db_session_pid(db);
	cr_assert(find_nothing(other) == DB_NOT_FOUND);
	cr_expect(ne(int, db_session_pid(other), pid));
	cr_expect(eq(i64, database_number(SESSIONS), 1));
	cr_expect(eq(u64, connects(), 2), "both are the program's");
	db_free(other);
	db_free(db);
}

static void transact_often(struct db *db, unsigned number)
{
	for (int i = 0; i < CALLS; i++) {
		cr_assert(db_begin(db) == DB_OK, "thread %u", number);
		cr_assert(database_store(db, "https://example.com/pool") == DB_OK);
		if (i % 2)
			cr_assert(db_commit(db) == DB_OK);
		else
			db_rollback(db);
	}
}

Test(db_pool, never_mixes_the_transactions_of_threads)
{
	db_pool_limit(FEW);
	database_crowd(transact_often);
	cr_assert(le(u64, connects(), FEW));
	cr_assert(eq(i64,
		database_number(
			"SELECT count(*) FROM links WHERE target = 'https://example.com/pool'"),
		THREADS * CALLS / 2));
}

Test(db_pool, goes_on_using_a_warm_session)
{
	struct db *db = database_open(), *other = database_open();

	cr_assert(find_nothing(db) == DB_NOT_FOUND);
	cr_assert(find_nothing(other) == DB_NOT_FOUND);
	cr_assert(eq(int, db_session_pid(other), db_session_pid(db)));
	cr_assert(eq(u64, connects(), 1));
	db_free(db);
	cr_assert(find_nothing(other) == DB_NOT_FOUND);
	cr_assert(eq(u64, connects(), 1));
	db_free(other);
	database_wait_until("SELECT (count(*) = 0)::integer FROM pg_stat_activity "
			    "WHERE application_name = 'linkshrink-redirect'");
}

Test(db_pool, belongs_to_one_url)
{
	struct db *web = database_open(), *ingest = db_new(database_url(INGEST), "redirect");

	db_set_deadline(ingest, DEADLINE_MS);
	cr_assert(find_nothing(web) == DB_NOT_FOUND);
	cr_assert(find_nothing(ingest) == DB_DOWN, "it sees no links");
	cr_assert(find_nothing(web) == DB_NOT_FOUND);
	db_free(ingest);
	db_free(web);
}

Test(db_pool, is_busy_for_who_finds_no_connection_in_time)
{
	struct db *db = database_open(), *other = database_open();
	uint64_t begin;

	db_pool_limit(1);
	db_set_deadline(db, 2 * BOUND_MS);
	cr_assert(db_begin(db) == DB_OK);
	db_set_deadline(other, SHORT_MS);
	begin = clock_monotonic();
	cr_assert(find_nothing(other) == DB_BUSY);
	cr_assert(lt(u64, database_ms_since(begin), BOUND_MS));
	cr_assert(db_commit(db) == DB_OK, "its session was left alone");
	db_set_deadline(other, DEADLINE_MS);
	cr_assert(find_nothing(other) == DB_NOT_FOUND);
	cr_assert(eq(u64, connects(), 1));
	db_free(other);
	db_free(db);
}

/* Long before its deadline: that is when it would look again by itself. */
static void *find_in_time(void *db)
{
	uint64_t begin = clock_monotonic();

	cr_assert(find_nothing(db) == DB_NOT_FOUND);
	cr_assert(lt(u64, database_ms_since(begin), BOUND_MS));
	return NULL;
}

/* Whether it comes back or ends: who waits for it goes on. */
static void find_after(void (*give_up)(struct db *db))
{
	struct db *db = database_open(), *other = database_open();
	pthread_t waiting;

	db_pool_limit(1);
	db_set_deadline(db, 2 * BOUND_MS);
	db_set_deadline(other, 2 * BOUND_MS);
	cr_assert(db_begin(db) == DB_OK);
	cr_assert(pthread_create(&waiting, NULL, find_in_time, other) == 0);
	poll(NULL, 0, 50);
	give_up(db);
	pthread_join(waiting, NULL);
	db_free(other);
	db_free(db);
}

Test(db_pool, hands_a_connection_to_who_waits_for_it)
{
	find_after(db_rollback);
}

static void pass_its_deadline(struct db *db)
{
	db_set_deadline(db, 0);
	cr_assert(find_nothing(db) == DB_DOWN);
}

Test(db_pool, lets_who_waits_connect_when_a_connection_is_dropped)
{
	find_after(pass_its_deadline);
}

static _Atomic unsigned down;

static void fail_once(struct db *db, unsigned number)
{
	(void)number;
	db_set_deadline(db, BOUND_MS);
	down += find_nothing(db) == DB_DOWN;
}

Test(db_pool, lets_one_thread_try_while_the_server_hangs)
{
	struct db *db = database_open();
	int server = database_postmaster();

	cr_assert(kill(server, SIGSTOP) == 0);
	db_set_deadline(db, SHORT_MS);
	cr_expect(find_nothing(db) == DB_DOWN);
	cr_expect(eq(u64, connects(), 1));
	poll(NULL, 0, 60); /* until the next try is due: 50 ms at most */
	database_crowd(fail_once);
	kill(server, SIGCONT);
	cr_expect(eq(uint, down, THREADS));
	cr_expect(eq(u64, connects(), 2));
	db_free(db);
}

static void let_all_connect(void)
{
	database_do(ADMIN, "ALTER ROLE linkshrink_web CONNECTION LIMIT -1");
}

Test(db_pool, asks_for_no_more_connections_while_the_server_has_none, .fini = let_all_connect)
{
	struct db *db = database_open(), *other = database_open();

	database_do(ADMIN, "ALTER ROLE linkshrink_web CONNECTION LIMIT 1");
	db_set_deadline(db, 2 * BOUND_MS);
	cr_assert(db_begin(db) == DB_OK);
	for (int i = 0; i < CALLS; i++) {
		cr_assert(find_nothing(db) == DB_NOT_FOUND);
		db_set_deadline(other, 8);
		cr_assert(find_nothing(other) != DB_NOT_FOUND);
	}
	cr_assert(lt(u64, connects(), CALLS / 2 + 1));
	db_rollback(db);
	db_set_deadline(other, DEADLINE_MS);
	cr_assert(find_nothing(other) == DB_NOT_FOUND);
	db_free(other);
	db_free(db);
}

/* Whatever keeps new ones away: who has some goes on with them. */
static void find_with_what_is_there(void)
{
	struct db *db = database_open(), *other = database_open();
	pthread_t waiting;

	cr_assert(db_begin(db) == DB_OK);
	cr_assert(pthread_create(&waiting, NULL, find_in_time, other) == 0);
	while (connects() < 2)
		poll(NULL, 0, 1);
	cr_assert(db_commit(db) == DB_OK);
	pthread_join(waiting, NULL);
	cr_assert(find_nothing(db) == DB_NOT_FOUND);
	db_free(other);
	db_free(db);
}

Test(db_pool, goes_on_with_what_it_has_when_the_server_has_no_more, .fini = let_all_connect)
{
	database_do(ADMIN, "ALTER ROLE linkshrink_web CONNECTION LIMIT 1");
	find_with_what_is_there();
}

static void let_postmaster_go_on(void)
{
	kill(database_postmaster(), SIGCONT);
}

Test(db_pool, goes_on_with_what_it_has_while_the_postmaster_hangs, .fini = let_postmaster_go_on)
{
	struct db *first = database_open();

	cr_assert(find_nothing(first) == DB_NOT_FOUND);
	cr_assert(kill(database_postmaster(), SIGSTOP) == 0);
	find_with_what_is_there();
	db_free(first);
}

static void *release_later(void *owner)
{
	database_wait_until(SESSIONS " AND wait_event_type = 'Lock'");
	poll(NULL, 0, SHORT_MS);
	database_in(owner, "COMMIT");
	return NULL;
}

Test(db_pool, gives_a_connection_the_timeouts_of_who_uses_it)
{
	struct db *hasty = database_open(), *patient = database_open();
	PGconn *owner = database_session(OWNER);
	pthread_t other;

	db_set_deadline(hasty, SHORT_MS);
	cr_assert(find_nothing(hasty) == DB_NOT_FOUND);
	database_in(owner, "BEGIN; LOCK TABLE links");
	cr_assert(pthread_create(&other, NULL, release_later, owner) == 0);
	db_set_deadline(patient, 2 * BOUND_MS);
	cr_assert(find_nothing(patient) == DB_NOT_FOUND);
	pthread_join(other, NULL);
	cr_assert(eq(u64, connects(), 1));
	PQfinish(owner);
	db_free(patient);
	db_free(hasty);
}
