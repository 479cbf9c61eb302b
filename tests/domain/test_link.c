#include "domain/link.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/segment.h"
#include "base/text.h"
#include "domain/database.h"
#include "domain/replica.h"

enum { LINKS_A_THREAD = 100, VISITS = 40 };

static struct link link_to(const char *target)
{
	struct link link = { 0 };

	cr_assert(text_copy(link.target, sizeof(link.target), target));
	return link;
}

static struct link link_with_code(const char *code)
{
	struct link link = link_to("https://example.com/");

	cr_assert(text_copy(link.code, sizeof(link.code), code));
	return link;
}

/* A user of this name, and the id. */
static int64_t make_user(const char *name)
{
	char memory[512];
	struct text sql = text_fixed(memory, sizeof(memory));

	text_addf(&sql,
		"INSERT INTO users (username, email) VALUES ('%s', '%s@example.com') RETURNING id",
		name, name);
	return database_number(memory);
}

static void change(const char *code, const char *what)
{
	char memory[512];
	struct text sql = text_fixed(memory, sizeof(memory));

	text_addf(&sql, "UPDATE links SET %s WHERE code = '%s'", what, code);
	database_do(OWNER, memory);
}

Test(link, is_created_with_a_random_code_and_the_defaults)
{
	struct db *db = database_open();
	struct link link = link_to("https://example.com/a?b=c#d");
	int64_t now = clock_wall_ms();

	cr_assert(link_create(db, &link) == LINK_OK);
	cr_assert(code_is_valid(link.code));
	cr_assert(eq(sz, strlen(link.code), CODE_RANDOM));
	cr_assert(strcmp(link.target, "https://example.com/a?b=c#d") == 0);
	cr_assert(gt(i64, link.id, 0));
	cr_assert(eq(int, link.redirect_status, 302));
	cr_assert(eq(i64, link.version, 1));
	cr_assert(link.state == LINK_ACTIVE);
	cr_assert(eq(i64, link.updated_at, link.created_at));
	cr_assert(link.created_at > now - 60000 && link.created_at < now + 60000);
	cr_assert(link.owner == 0 && link.valid_since == 0 && link.valid_until == 0 &&
		  link.max_visits == 0 && !link.forward_query && !*link.title);
	db_free(db);
}

Test(link, comes_back_as_it_was_stored)
{
	struct db *db = database_open();
	struct link link = link_with_code("as-it-was"), found;

	memset(link.title, 't', LINK_TITLE_MAX);
	memset(link.target + strlen(link.target), 'x', TARGET_URL_MAX - strlen(link.target));
	link.owner = make_user("as-it-was");
	link.redirect_status = 308;
	link.forward_query = true;
	link.valid_since = 1700000000123;
	link.valid_until = 4100000000456;
	link.max_visits = INT64_MAX;
	cr_assert(link_create(db, &link) == LINK_OK);
	cr_assert(link_find(db, "as-it-was", &found) == LINK_OK);
	cr_assert(strcmp(found.code, "as-it-was") == 0);
	cr_assert(strcmp(found.title, link.title) == 0);
	cr_assert(eq(sz, strlen(found.title), LINK_TITLE_MAX));
	cr_assert(strcmp(found.target, link.target) == 0);
	cr_assert(eq(sz, strlen(found.target), TARGET_URL_MAX));
	cr_assert(eq(i64, found.owner, link.owner));
	cr_assert(eq(int, found.redirect_status, 308));
	cr_assert(found.forward_query);
	cr_assert(eq(i64, found.valid_since, 1700000000123));
	cr_assert(eq(i64, found.valid_until, 4100000000456));
	cr_assert(eq(i64, found.max_visits, INT64_MAX));
	cr_assert(eq(i64, found.id, link.id));
	db_free(db);
}

Test(link, is_taken_when_its_code_is)
{
	struct db *db = database_open();
	struct link first = link_with_code("the-code"), second = link_with_code("the-code"),
		    other_case = link_with_code("The-Code");

	cr_assert(link_create(db, &first) == LINK_OK);
	cr_assert(link_create(db, &second) == LINK_TAKEN);
	cr_assert(link_create(db, &other_case) == LINK_OK);
	cr_assert(eq(u64, metrics_value(METRIC_code_collisions, 0, 0), 0));
	db_free(db);
}

Test(link, keeps_its_code_when_it_is_deleted)
{
	struct db *db = database_open();
	struct link link = link_with_code("once-used");

	cr_assert(link_create(db, &link) == LINK_OK);
	change("once-used", "state = 'deleted'");
	cr_assert(link_create(db, &link) == LINK_TAKEN);
	db_free(db);
}

static void create_many(struct db *db, unsigned number)
{
	for (int i = 0; i < LINKS_A_THREAD; i++) {
		struct link link = link_to("https://crowd.example.com/");

		cr_assert(link_create(db, &link) == LINK_OK, "thread %u", number);
	}
}

Test(link, is_never_given_a_code_twice_by_16_threads_at_once)
{
	database_crowd(create_many);
	cr_assert(eq(i64,
		database_number("SELECT count(DISTINCT code) FROM links "
				"WHERE target = 'https://crowd.example.com/'"),
		THREADS * LINKS_A_THREAD));
}

static _Atomic unsigned winners;

static void claim(struct db *db, unsigned number)
{
	struct link link = link_with_code("wanted-by-all");
	enum link_result result = link_create(db, &link);

	cr_assert(result == LINK_OK || result == LINK_TAKEN, "thread %u", number);
	winners += result == LINK_OK;
}

Test(link, with_a_wanted_code_goes_to_exactly_one_of_16_threads)
{
	database_crowd(claim);
	cr_assert(eq(uint, winners, 1));
}

Test(link, cannot_be_created_while_the_database_is_busy_or_away)
{
	struct db *db = database_open();
	struct db *away = db_new("host=/nonexistent", "redirect");
	PGconn *owner = database_session(OWNER);
	struct link link = link_to("https://example.com/"), found;

	db_set_deadline(away, DEADLINE_MS);
	cr_expect(link_create(away, &link) == LINK_DOWN);
	cr_expect(link_find(away, "abc", &found) == LINK_DOWN);
	database_in(owner, "BEGIN; LOCK TABLE links IN ACCESS EXCLUSIVE MODE");
	cr_expect(link_create(db, &link) == LINK_DOWN);
	PQfinish(owner);
	db_free(away);
	db_free(db);
}

static enum link_result find_same(struct db *db, int64_t owner, char code[CODE_MAX + 1])
{
	struct link link = link_to("https://same.example.com/");
	enum link_result result;

	link.owner = owner;
	result = link_find_same(db, &link);
	(void)text_copy(code, CODE_MAX + 1, link.code);
	return result;
}

static void create_same(struct db *db, const char *code, int64_t owner)
{
	struct link link = link_to("https://same.example.com/");

	cr_assert(text_copy(link.code, sizeof(link.code), code));
	link.owner = owner;
	cr_assert(link_create(db, &link) == LINK_OK);
}

Test(link, is_found_again_by_its_owner_alone_the_newest_first)
{
	struct db *db = database_open();
	int64_t ada = make_user("ada"), bob = make_user("bob");
	char code[CODE_MAX + 1];

	cr_assert(find_same(db, ada, code) == LINK_UNKNOWN);
	create_same(db, "same-old", ada);
	create_same(db, "same-new", ada);
	create_same(db, "same-nobody", 0);
	cr_assert(find_same(db, ada, code) == LINK_OK);
	cr_assert(strcmp(code, "same-new") == 0);
	cr_assert(find_same(db, bob, code) == LINK_UNKNOWN);
	cr_assert(find_same(db, 0, code) == LINK_OK);
	cr_assert(strcmp(code, "same-nobody") == 0);
	change("same-new", "state = 'disabled'");
	cr_assert(find_same(db, ada, code) == LINK_OK);
	cr_assert(strcmp(code, "same-old") == 0);
	change("same-old", "valid_until = now()");
	cr_assert(find_same(db, ada, code) == LINK_UNKNOWN);
	db_free(db);
}

Test(link, is_found_again_through_an_index)
{
	PGconn *session = database_session(OWNER);
	PGresult *answer;
	char plan[4096];
	struct text text = text_fixed(plan, sizeof(plan));

	database_in(session, "SET enable_seqscan = off");
	answer = PQexec(session,
		"EXPLAIN SELECT code FROM links WHERE hashtextextended(target, 0) = "
		"hashtextextended('x'::text, 0) AND coalesce(owner, 0) = 7 AND target = 'x' "
		"AND state = 'active' ORDER BY created_at DESC LIMIT 1");
	for (int i = 0; i < PQntuples(answer); i++)
		text_addf(&text, "%s\n", PQgetvalue(answer, i, 0));
	cr_assert(strstr(plan, "Backward using links_same") != NULL, "%s", plan);
	cr_assert(strstr(plan, "Sort") == NULL, "%s", plan);
	PQclear(answer);
	PQfinish(session);
}

static _Atomic unsigned visits;

static void visit(struct db *db, unsigned number)
{
	struct link link = link_with_code("limited");

	(void)number;
	for (int i = 0; i < 5; i++)
		visits += link_visit(db, &link) == LINK_OK;
}

Test(link, with_a_visit_limit_is_visited_that_often_and_no_more)
{
	struct db *db = database_open();
	struct link link = link_with_code("limited");

	link.max_visits = VISITS;
	cr_assert(link_create(db, &link) == LINK_OK);
	cr_assert(link_visits_left(db, &link) == LINK_OK);
	database_crowd(visit);
	cr_assert(eq(uint, visits, VISITS));
	cr_assert(link_visit(db, &link) == LINK_GONE);
	cr_assert(link_visits_left(db, &link) == LINK_GONE);
	cr_assert(eq(
		i64, database_number("SELECT visits FROM links WHERE code = 'limited'"), VISITS));
	db_free(db);
}

/* The copy that redirects look into learns it a moment later. */
Test(link, whose_limit_was_just_taken_away_is_not_used_up)
{
	struct db *db = database_open();
	struct link link = { .code = "unlimited", .target = "https://a.example/", .max_visits = 1 };

	cr_assert(link_create(db, &link) == LINK_OK);
	database_do(OWNER, "UPDATE links SET max_visits = NULL WHERE code = 'unlimited'");
	cr_assert(link_visit(db, &link) == LINK_OK);
	cr_assert(link_visit(db, &link) == LINK_OK);
	db_free(db);
}

enum { NEVER = 0, BEFORE = 500, NOW = 1000, AFTER = 1500 };

static const struct {
	enum link_state state;
	int64_t since, until;
	enum link_result verdict;
} verdicts[] = {
	{ LINK_ACTIVE, NEVER, NEVER, LINK_OK },
	{ LINK_ACTIVE, BEFORE, NEVER, LINK_OK },
	{ LINK_ACTIVE, NOW, NEVER, LINK_OK },
	{ LINK_ACTIVE, AFTER, NEVER, LINK_UNKNOWN },
	{ LINK_ACTIVE, NEVER, BEFORE, LINK_GONE },
	{ LINK_ACTIVE, NEVER, NOW, LINK_GONE },
	{ LINK_ACTIVE, NEVER, AFTER, LINK_OK },
	{ LINK_ACTIVE, BEFORE, AFTER, LINK_OK },
	{ LINK_DISABLED, NEVER, NEVER, LINK_UNKNOWN },
	{ LINK_DISABLED, NEVER, BEFORE, LINK_UNKNOWN },
	{ LINK_DISABLED, BEFORE, AFTER, LINK_UNKNOWN },
	{ LINK_DELETED, NEVER, NEVER, LINK_GONE },
	{ LINK_DELETED, AFTER, NEVER, LINK_GONE },
	{ LINK_DELETED, NEVER, BEFORE, LINK_GONE },
};

Test(link, is_followed_only_while_it_is_active_and_valid)
{
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(*verdicts); i++) {
		struct link link = { .state = verdicts[i].state,
			.valid_since = verdicts[i].since,
			.valid_until = verdicts[i].until };

		cr_expect(link_verdict(&link, NOW) == verdicts[i].verdict, "row %zu", i);
	}
}

/* Without a file all is asked, but not a database that must not be copied. */
Test(replica, judges_what_it_is_told_while_there_is_no_file)
{
	struct replica *replica = replica_new("/nonexistent");
	struct db *db = database_open();
	struct link link = link_with_code("judged"), found;

	atomic_store(&segment_get()->replica.state, LABEL_state_BUILDING);
	atomic_store(&segment_get()->replica.seen, clock_monotonic());
	cr_assert(replica_find(replica, db, "judged", &found) == LINK_UNKNOWN);
	cr_assert(link_create(db, &link) == LINK_OK);
	cr_assert(replica_find(replica, db, "judged", &found) == LINK_OK);
	cr_assert(strcmp(found.target, "https://example.com/") == 0);
	change("judged", "state = 'disabled'");
	cr_assert(replica_find(replica, db, "judged", &found) == LINK_UNKNOWN);
	change("judged", "state = 'deleted'");
	cr_assert(replica_find(replica, db, "judged", &found) == LINK_GONE);
	change("judged", "state = 'active', valid_until = now() - interval '1 s'");
	cr_assert(replica_find(replica, db, "judged", &found) == LINK_GONE);
	change("judged", "valid_until = NULL, valid_since = now() + interval '1 h'");
	cr_assert(replica_find(replica, db, "judged", &found) == LINK_UNKNOWN);
	change("judged", "valid_since = NULL");
	atomic_store(&segment_get()->replica.state, LABEL_state_ABSENT);
	cr_assert(replica_find(replica, db, "judged", &found) == LINK_OK);
	atomic_store(&segment_get()->replica.state, LABEL_state_REFUSING);
	cr_assert(replica_find(replica, db, "judged", &found) == LINK_DOWN);
	cr_expect(metrics_value(METRIC_replica_lookups, LABEL_lookup_ASKED, 0) == 7);
	replica_free(replica);
	db_free(db);
}

static const char *const refused_rows[] = {
	"INSERT INTO links (code, target) VALUES ('ab', 'https://a.example')",
	"INSERT INTO links (code, target) VALUES ('a/b', 'https://a.example')",
	"INSERT INTO links (code, target) VALUES ('bad-1', 'ftp://a.example')",
	"INSERT INTO links (code, target) VALUES ('bad-2', E'https://a.example/\\r\\nX: y')",
	"INSERT INTO links (code, target) VALUES ('bad-3', 'https://a.example/' || repeat('x', "
	"2048))",
	"INSERT INTO links (code, target, redirect_status) VALUES ('bad-4', 'https://a.example', "
	"200)",
	"INSERT INTO links (code, target, state) VALUES ('bad-5', 'https://a.example', 'lost')",
	"INSERT INTO links (code, target, max_visits) VALUES ('bad-6', 'https://a.example', 0)",
	"INSERT INTO links (code, target, valid_until) VALUES ('bad-7', 'https://a.example', "
	"'infinity')",
	"INSERT INTO links (code, target, valid_since, valid_until) "
	"VALUES ('bad-8', 'https://a.example', now(), now())",
};

Test(link, is_checked_by_the_database_as_well)
{
	for (size_t i = 0; i < sizeof(refused_rows) / sizeof(*refused_rows); i++)
		cr_expect(strcmp(database_refusal(OWNER, refused_rows[i]), "23514") == 0, "%s",
			refused_rows[i]);
}

Test(link, of_many_at_once_takes_the_other_code_where_the_first_is_taken)
{
	static const char *const columns[] = { "{0,0,0}", "{many-taken,many-taken,many-free}",
		"{https://a.example/,https://b.example/,https://c.example/}", "{\"\",\"\",\"\"}",
		"{0,0,0}", "{active,active,active}", "{302,302,302}", "{f,f,f}", "{0,0,0}",
		"{0,0,0}", "{0,0,0}", "{\"\",\"\",\"\"}", "{0,0,0}",
		"{\"\",many-other,many-unused}" };
	struct db *db = database_open();
	struct db_rows *refused;

	database_do(ADMIN, "INSERT INTO links (code, target) "
			   "VALUES ('many-taken', 'https://taken.example/')");
	cr_assert(db_query(db, STATEMENT_links_store, columns, 14, &refused) == DB_OK);
	cr_expect(eq(int, db_rows_count(refused), 1));
	cr_expect(eq(i64, db_number(refused, 0, 0), 0));
	cr_expect(eq(str, (char *)db_text(refused, 0, 1), (char *)"code"));
	cr_expect(eq(i64,
		database_number("SELECT count(*) FROM links WHERE (code, target) IN "
				"(('many-other', 'https://b.example/'), "
				"('many-free', 'https://c.example/'))"),
		2));
	cr_expect(
		eq(i64, database_number("SELECT count(*) FROM links WHERE code LIKE 'many-%'"), 3));
	db_rows_free(refused);
	db_free(db);
}
