#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "domain/database.h"

/* Only shows that a call does not hang: the deadline and much room for a busy machine. */
enum { BOUND_MS = 5000, PAUSE_MS = 50 };

static void end_session(int pid)
{
	char memory[128];
	struct text sql = text_fixed(memory, sizeof(memory));

	text_addf(&sql, "SELECT pg_terminate_backend(%d, 5000)", pid);
	database_do(ADMIN, memory);
}

static char payload[8];

static enum db_result await(struct db *db, int64_t ms)
{
	return db_wait_notification(db, ms, payload, sizeof(payload));
}

Test(db_notification, comes_when_somebody_notifies)
{
	struct db *db = database_open();
	uint64_t begin = clock_monotonic();

	cr_assert(await(db, BOUND_MS) == DB_OK, "the first call listens");
	cr_assert(lt(u64, database_ms_since(begin), BOUND_MS));
	cr_assert(await(db, PAUSE_MS) == DB_NOT_FOUND);
	database_do(OWNER, "NOTIFY another");
	cr_assert(await(db, PAUSE_MS) == DB_NOT_FOUND);
	database_do(OWNER, "NOTIFY linkshrink_links; NOTIFY linkshrink_links, 'b'; "
			   "NOTIFY linkshrink_links, 'longer than it may be'");
	cr_assert(await(db, BOUND_MS) == DB_OK);
	cr_assert(strcmp(payload, "") == 0);
	cr_assert(await(db, BOUND_MS) == DB_OK);
	cr_assert(strcmp(payload, "b") == 0);
	cr_assert(await(db, BOUND_MS) == DB_OK);
	cr_assert(strcmp(payload, "") == 0, "too long");
	cr_assert(await(db, PAUSE_MS) == DB_NOT_FOUND);
	db_free(db);
}

static void *notify(void *unused)
{
	database_do(OWNER, "NOTIFY linkshrink_links");
	return unused;
}

Test(db_notification, ends_a_wait)
{
	struct db *db = database_open();
	pthread_t other;

	cr_assert(await(db, BOUND_MS) == DB_OK);
	cr_assert(pthread_create(&other, NULL, notify, NULL) == 0);
	cr_assert(await(db, BOUND_MS) == DB_OK);
	pthread_join(other, NULL);
	db_free(db);
}

Test(db_notification, may_have_been_missed_when_the_session_is_a_new_one)
{
	struct db *db = database_open();
	int pid;

	cr_assert(await(db, BOUND_MS) == DB_OK);
	pid = db_session_pid(db);
	end_session(pid);
	cr_assert(await(db, BOUND_MS) == DB_OK);
	cr_assert(ne(int, db_session_pid(db), pid));
	cr_assert(await(db, PAUSE_MS) == DB_NOT_FOUND);
	database_control("stop -m immediate");
	cr_assert(await(db, PAUSE_MS) == DB_DOWN);
	database_control("start");
	for (uint64_t begin = clock_monotonic(); await(db, BOUND_MS) != DB_OK;) {
		cr_assert(lt(u64, database_ms_since(begin), BOUND_MS));
		poll(NULL, 0, 5);
	}
	db_free(db);
}
