#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/text.h"
#include "domain/database.h"
#include "domain/link.h"

enum {
	CREATORS = 64,
	ROUNDS = 30,
	PATIENCE = 20000,
	BOUND_MS = 5000,
	KILLS = 3,
	NO_USER = 999999999
};

static _Atomic unsigned created[ROUNDS], acknowledged, refused;
static _Atomic bool over;

struct creator {
	pthread_t thread;
	unsigned number;
	void (*work)(struct db *db, unsigned number);
};

static void *join_creators(void *argument)
{
	struct creator *creator = argument;
	struct db *db = database_open();

	db_set_deadline(db, PATIENCE);
	creator->work(db, creator->number);
	db_free(db);
	return NULL;
}

/* Runs work in CREATORS threads while `meanwhile` runs in this one. */
static void create_at_once(void (*work)(struct db *db, unsigned number), void (*meanwhile)(void))
{
	static struct creator creators[CREATORS];

	db_pool_limit(4);
	for (unsigned i = 0; i < CREATORS; i++) {
		creators[i] = (struct creator){ .number = i, .work = work };
		cr_assert(pthread_create(&creators[i].thread, NULL, join_creators, &creators[i]) ==
			  0);
	}
	if (meanwhile)
		meanwhile();
	for (unsigned i = 0; i < CREATORS; i++)
		pthread_join(creators[i].thread, NULL);
}

static struct link link_of(const char *name, unsigned number, int round)
{
	struct link link = { .redirect_status = 307, .max_visits = number + 1 };
	struct text target = text_fixed(link.target, sizeof(link.target));

	text_addf(&target, "https://%s.example.com/%u/%d", name, number, round);
	return link;
}

static uint64_t statements(void)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < LABEL_result_COUNT; i++)
		sum += metrics_value(METRIC_db_queries, LABEL_program_REDIRECT, i);
	return sum;
}

/* The record as it was answered is the record as it is found. */
static void check_record(struct db *db, const struct link *link)
{
	struct link found;

	cr_assert(link_find(db, link->code, &found) == LINK_OK);
	cr_assert(strcmp(found.target, link->target) == 0, "%s", link->code);
	cr_assert(strcmp(found.title, link->title) == 0, "%s", link->title);
	cr_assert(eq(i64, found.id, link->id));
	cr_assert(eq(i64, found.created_at, link->created_at));
	cr_assert(eq(i64, found.updated_at, link->updated_at));
	cr_assert(eq(i64, found.version, link->version));
	cr_assert(eq(i64, found.owner, link->owner));
	cr_assert(eq(i64, found.valid_since, link->valid_since));
	cr_assert(eq(i64, found.valid_until, link->valid_until));
	cr_assert(eq(i64, found.max_visits, link->max_visits));
	cr_assert(found.state == link->state && found.forward_query == link->forward_query &&
		  found.redirect_status == link->redirect_status);
}

static void create_mixed(struct db *db, unsigned number)
{
	for (int round = 0; round < ROUNDS; round++) {
		struct link random = link_of("mixed", number, round);
		struct link own = link_of("mixed", number, round);
		struct link wanted = link_of("wanted", number, round);
		struct text own_code = text_fixed(own.code, sizeof(own.code));
		struct text wanted_code = text_fixed(wanted.code, sizeof(wanted.code));
		enum link_result result;

		text_addf(&own_code, "own-%u-%d", number, round);
		text_addf(&wanted_code, "wanted-%d", round);
		cr_assert(link_create(db, &random) == LINK_OK);
		cr_assert(code_is_valid(random.code));
		cr_assert(link_create(db, &own) == LINK_OK);
		cr_assert(link_create(db, &own) == LINK_TAKEN);
		result = link_create(db, &wanted);
		cr_assert(result == LINK_OK || result == LINK_TAKEN);
		created[round] += result == LINK_OK;
		if (round == (int)number % ROUNDS) {
			check_record(db, &random);
			check_record(db, &own);
		}
	}
}

Test(link_group, gives_each_its_link_and_a_wanted_code_to_one)
{
	create_at_once(create_mixed, NULL);
	for (int round = 0; round < ROUNDS; round++)
		cr_expect(eq(uint, created[round], 1), "round %d", round);
	cr_assert(eq(i64,
		database_number("SELECT count(*) FROM links "
				"WHERE target LIKE 'https://mixed.%'"),
		2 * CREATORS * ROUNDS));
	cr_assert(eq(i64,
		database_number("SELECT count(*) FROM links WHERE target LIKE 'https://wanted.%'"),
		ROUNDS));
	cr_assert(lt(u64, statements(), 4 * CREATORS * ROUNDS), "nothing was gathered");
}

/* Locks the table until all the others wait behind the two that store. */
static void hold_them_back(void)
{
	PGconn *owner = database_session(OWNER);

	database_in(owner, "BEGIN; LOCK TABLE links");
	over = true;
	database_wait_until("SELECT (count(*) = 2)::integer FROM pg_stat_activity WHERE "
			    "application_name = 'linkshrink-redirect' "
			    "AND wait_event_type = 'Lock'");
	poll(NULL, 0, 200);
	database_in(owner, "COMMIT");
	PQfinish(owner);
}

static void wait_for_the_lock(void)
{
	while (!over)
		poll(NULL, 0, 1);
}

static void create_with_text(struct db *db, unsigned number)
{
	static const char *const titles[] = { "", "\"quoted\" \\ {a,b}", "NULL",
		"\xc3\xbc\n\t'$1" };
	struct link link = link_of("texts", number, 0);

	(void)text_copy(link.title, sizeof(link.title), titles[number % 4]);
	link.forward_query = number % 2;
	link.redirect_status = number % 3 ? 301 : 0;
	link.valid_since = number % 5 ? 1700000000123 : 0;
	link.valid_until = number % 7 ? 4100000000456 : 0;
	link.max_visits = number % 4 ? INT64_MAX : 0;
	memset(link.target + strlen(link.target), '"', TARGET_URL_MAX - strlen(link.target));
	wait_for_the_lock();
	cr_assert(link_create(db, &link) == LINK_OK);
	check_record(db, &link);
}

Test(link_group, keeps_every_value_as_it_is)
{
	create_at_once(create_with_text, hold_them_back);
	cr_assert(lt(u64, statements(), CREATORS + 20));
}

static void create_or_be_refused(struct db *db, unsigned number)
{
	struct link link = link_of("refused", number, 0);
	bool bad_owner = number % 16 == 3, bad_text = number % 16 == 9;
	enum link_result result;

	if (bad_owner)
		link.owner = NO_USER;
	if (bad_text)
		(void)text_copy(link.title, sizeof(link.title), "\xff");
	wait_for_the_lock();
	result = link_create(db, &link);
	cr_assert(result == (bad_owner         ? LINK_NOBODY
				    : bad_text ? LINK_DOWN
					       : LINK_OK),
		"thread %u", number);
	acknowledged += result == LINK_OK;
	refused += result != LINK_OK;
}

Test(link_group, lets_a_refused_row_hit_its_own_creator_alone)
{
	create_at_once(create_or_be_refused, hold_them_back);
	cr_assert(eq(uint, refused, CREATORS / 8));
	cr_assert(eq(uint, acknowledged, CREATORS - CREATORS / 8));
	cr_assert(eq(i64,
		database_number("SELECT count(*) FROM links "
				"WHERE target LIKE 'https://refused.%'"),
		CREATORS - CREATORS / 8));
}

static void create_in_transactions(struct db *db, unsigned number)
{
	for (int round = 0; round < ROUNDS; round++) {
		bool undone = number % 4 == 0;
		struct link link = link_of(undone ? "undone" : "done", number, round);

		if (undone)
			cr_assert(db_begin(db) == DB_OK);
		cr_assert(link_create(db, &link) == LINK_OK);
		db_rollback(db);
	}
}

Test(link_group, is_no_place_for_what_belongs_to_a_transaction)
{
	create_at_once(create_in_transactions, NULL);
	cr_assert(eq(i64,
		database_number("SELECT count(*) FROM links WHERE target LIKE 'https://done.%'"),
		CREATORS * 3 / 4 * ROUNDS));
	cr_assert(eq(i64,
		database_number("SELECT count(*) FROM links WHERE target LIKE 'https://undone.%'"),
		0));
}

static struct text codes[CREATORS]; /* of what was acknowledged, each with a comma behind it */

static void create_until_over(struct db *db, unsigned number)
{
	codes[number] = text_growing(1 << 20);
	for (int round = 0; !over; round++) {
		struct link link = link_of("killed", number, round);

		uint64_t begin = clock_monotonic();
		enum link_result result;

		db_set_deadline(db, 400);
		result = link_create(db, &link);
		cr_assert(lt(u64, database_ms_since(begin), BOUND_MS));
		if (result != LINK_OK) {
			poll(NULL, 0, 1);
			continue;
		}
		text_addf(&codes[number], "%s,", link.code);
		acknowledged++;
	}
}

static void wait_for_more(void)
{
	unsigned before = acknowledged;

	for (uint64_t begin = clock_monotonic(); acknowledged < before + 500;) {
		cr_assert(database_ms_since(begin) < PATIENCE, "it does not come back");
		poll(NULL, 0, 1);
	}
}

static void kill_the_server(void)
{
	for (int i = 0; i < KILLS; i++) {
		wait_for_more();
		database_control("restart -m immediate");
	}
	over = true;
}

static void stop_the_server(void)
{
	int server = database_postmaster(), pids[8], count = 0;
	PGconn *admin = database_session(ADMIN);
	PGresult *sessions;

	wait_for_more();
	sessions = PQexec(admin, "SELECT pid FROM pg_stat_activity "
				 "WHERE application_name = 'linkshrink-redirect' LIMIT 8");
	for (; count < PQntuples(sessions); count++) {
		int64_t pid = 0;

		(void)text_to_number(PQgetvalue(sessions, count, 0), 1, INT32_MAX, &pid);
		pids[count] = (int)pid;
	}
	PQclear(sessions);
	kill(server, SIGSTOP);
	for (int i = 0; i < count; i++)
		kill(pids[i], SIGSTOP);
	poll(NULL, 0, 1000);
	for (int i = 0; i < count; i++)
		kill(pids[i], SIGCONT);
	kill(server, SIGCONT);
	wait_for_more();
	over = true;
	PQfinish(admin);
}

static void create_through(void (*trouble)(void))
{
	struct text sql = text_growing(1 << 24);

	create_at_once(create_until_over, trouble);
	text_add(&sql, "SELECT count(*) FROM links WHERE code = ANY ('{");
	for (int i = 0; i < CREATORS; i++) {
		cr_assert(not(codes[i].cut));
		text_add(&sql, codes[i].data);
		text_free(&codes[i]);
	}
	sql.data[sql.len - 1] = '}';
	text_add(&sql, "')");
	cr_assert(not(sql.cut));
	cr_assert(eq(i64, database_number(sql.data), acknowledged));
	text_free(&sql);
}

Test(link_group, loses_nothing_that_it_acknowledged_when_the_server_is_killed)
{
	create_through(kill_the_server);
}

Test(link_group, keeps_all_deadlines_while_the_server_is_stopped)
{
	create_through(stop_the_server);
}
