#include "domain/follow.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hints.h"
#include "base/metrics.h"
#include "base/text.h"
#include "domain/database.h"
#include "domain/follow_private.h"
#include "domain/replica.h"

enum { PATIENCE_MS = 20000, SQL_MAX = 512, LINKS = 300, REPLICA_BYTES = 1 << 28 };

static struct follow *follow;
static struct db *db;
static char directory[] = "/tmp/linkshrink-follow.XXXXXX";

static void forget_links(void)
{
	database_do(OWNER, "TRUNCATE links");
}

static void begin(void)
{
	forget_links();
	cr_assert(mkdtemp(directory) != NULL);
	db = db_new(database_url(WEB), "replicate");
	follow = follow_new(directory, REPLICA_BYTES, 1);
	cr_assert(db != NULL && follow != NULL);
}

static void end(void)
{
	char command[sizeof(directory) + 16];
	follow_free(follow);
	db_free(db);
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	cr_assert(system(command) == 0);
}

TestSuite(follow, .init = begin, .fini = end);

/* As replicate's thread does it, but that pauses are short. */
static void turn(void)
{
	if (follow_turn(follow, db, NULL, 0) > 0)
		usleep(2000);
}

static enum label_state state(void)
{
	return atomic_load(&segment_get()->replica.state);
}

/* Turns until it is so. */
#define TURN_UNTIL(condition)                                                                      \
	for (uint64_t since_ = clock_monotonic(); !(condition); turn())                            \
	cr_assert(database_ms_since(since_) < PATIENCE_MS, "never true: %s", #condition)

static void turn_some(void)
{
	for (int i = 0; i < 4; i++)
		turn();
}

static bool is_following(void)
{
	return state() == LABEL_state_FOLLOWING &&
	       atomic_load(&segment_get()->replica.seen) == follow->looked;
}

static bool finds(const char *code, struct replica_record *record)
{
	return replica_writer_find(follow->writer, code, record) == REPLICA_OK;
}

static bool has(const char *code)
{
	struct replica_record record;
	return finds(code, &record);
}

static bool leads_to(const char *code, const char *target)
{
	struct replica_record record;
	return finds(code, &record) && strcmp(record.link.target, target) == 0;
}

/* An hour old, so that a comparison takes it seriously. */
static void create_old(const char *prefix, int count)
{
	char sql[SQL_MAX];
	snprintf(sql, sizeof(sql),
		"INSERT INTO links (code, target, updated_at, created_at) "
		"SELECT '%s' || i, 'https://old.example/' || i, now() - interval '1 h', "
		"now() - interval '1 h' FROM generate_series(1, %d) AS i",
		prefix, count);
	database_do(OWNER, sql);
}

static void create(const char *code)
{
	char sql[SQL_MAX];
	snprintf(sql, sizeof(sql),
		"INSERT INTO links (code, target) VALUES ('%s', 'https://new.example/')", code);
	database_do(OWNER, sql);
}

static void end_sessions(void)
{
	database_do(ADMIN, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
			   "WHERE usename = 'linkshrink_web'");
}

static void compare(void)
{
	follow_start_comparison(follow);
	TURN_UNTIL(!follow->comparison.running);
}

static int64_t metric(enum metric metric)
{
	return (int64_t)metrics_value(metric, 0, 0);
}

static void accept_database(const char *word, const char *identity)
{
	char path[sizeof(directory) + 16];
	snprintf(path, sizeof(path), "%s/accept", directory);
	FILE *file = fopen(path, "w");
	cr_assert(file != NULL);
	fprintf(file, "%s %s\n", word, identity);
	fclose(file);
	TURN_UNTIL(access(path, F_OK) != 0);
}

Test(follow, loads_all_links_there_are)
{
	create_old("all-", 2 * FOLLOW_CHUNK + 1);
	TURN_UNTIL(is_following());
	cr_assert(eq(u64, replica_writer_count(follow->writer), 2 * FOLLOW_CHUNK + 1));
	cr_assert(leads_to("all-10001", "https://old.example/10001"));
	cr_assert(eq(i64, metric(METRIC_replica_builds), 1));
}

Test(follow, follows_an_empty_database)
{
	TURN_UNTIL(is_following());
	cr_assert(eq(u64, replica_writer_count(follow->writer), 0));
	create("the-first");
	TURN_UNTIL(has("the-first"));
}

Test(follow, keeps_a_link_to_the_microsecond)
{
	struct replica_record record;
	database_do(OWNER,
		"INSERT INTO links (code, target, title, state, redirect_status, forward_query, "
		"valid_since, valid_until, max_visits, visits, tags, created_at, updated_at, "
		"version) "
		"VALUES ('whole', 'https://whole.example/', E'a\\\\b\tc', 'disabled', 308, true, "
		"'2020-01-01 00:00:00.000999Z', '2100-01-01 00:00:00.123456Z', 7, 3, "
		"'{\"a b\",c}', '2021-02-03 04:05:06.789012Z', '2021-02-03 04:05:07.000001Z', 5)");
	TURN_UNTIL(is_following());
	cr_assert(finds("whole", &record));
	cr_expect(strcmp(record.link.title, "a\\b\tc") == 0);
	cr_expect(strcmp(record.tags, "{\"a b\",c}") == 0);
	cr_expect(record.link.state == LINK_DISABLED && record.link.forward_query);
	cr_expect(eq(int, record.link.redirect_status, 308));
	cr_expect(eq(i64, record.link.valid_since, 1577836800000));
	cr_expect(eq(int, record.valid_since_us, 999));
	cr_expect(eq(i64, record.link.valid_until, 4102444800123));
	cr_expect(eq(int, record.valid_until_us, 456));
	cr_expect(eq(i64, record.link.max_visits, 7));
	cr_expect(eq(i64, record.visits, 3));
	cr_expect(eq(int, record.created_us, 12));
	cr_expect(eq(i64, follow_updated_us(&record), 1612325107000001));
	cr_expect(eq(i64, record.link.version, 5));
}

Test(follow, applies_a_hint_before_the_front_is_due)
{
	TURN_UNTIL(is_following());
	create("hinted");
	create("not-hinted");
	follow->front_due = clock_monotonic() + CLOCK_S / 5;
	hints_add("hinted");
	hints_add("../not a code");
	hints_add("NULL");
	turn();
	cr_assert(has("hinted"));
	cr_assert(not(has("not-hinted")));
}

Test(follow, looks_at_once_when_it_is_woken)
{
	TURN_UNTIL(is_following());
	create("from-elsewhere");
	follow->front_due = clock_monotonic() + CLOCK_S / 5;
	follow_wake(follow);
	turn();
	cr_assert(has("from-elsewhere"));
}

Test(follow, tells_other_nodes_of_what_was_hinted_at)
{
	PGconn *other = database_session(OWNER);
	PGnotify *notification = NULL;
	TURN_UNTIL(is_following());
	database_in(other, "LISTEN linkshrink_links");
	create("to-be-told");
	hints_add("to-be-told");
	TURN_UNTIL(has("to-be-told"));
	TURN_UNTIL(PQconsumeInput(other) && (notification = PQnotifies(other)) != NULL);
	cr_assert(strcmp(notification->extra, "1") == 0);
	PQfreemem(notification);
	PQfinish(other);
}

Test(follow, takes_over_each_change_and_no_older_version)
{
	struct replica_record record;
	create("changing");
	TURN_UNTIL(is_following());
	database_do(OWNER, "UPDATE links SET target = 'https://second.example/', version = 2, "
			   "updated_at = clock_timestamp() WHERE code = 'changing'");
	TURN_UNTIL(leads_to("changing", "https://second.example/"));
	database_do(OWNER, "UPDATE links SET target = 'https://first.example/', version = 1, "
			   "updated_at = clock_timestamp() WHERE code = 'changing'");
	create("after-it");
	TURN_UNTIL(has("after-it"));
	cr_assert(finds("changing", &record));
	cr_assert(eq(i64, record.link.version, 2));
}

Test(follow, reads_more_changes_than_fit_into_a_chunk)
{
	TURN_UNTIL(is_following());
	database_do(OWNER,
		"INSERT INTO links (code, target) SELECT 'burst-' || i, 'https://burst.example/' "
		"FROM generate_series(1, 3500) AS i");
	TURN_UNTIL(replica_writer_count(follow->writer) == 3500);
}

Test(follow, finds_what_was_committed_late)
{
	PGconn *late = database_session(OWNER);
	TURN_UNTIL(is_following());
	database_in(late,
		"BEGIN; INSERT INTO links (code, target) VALUES ('late', 'https://late.example/')");
	create("in-time");
	TURN_UNTIL(has("in-time"));
	database_in(late, "COMMIT");
	PQfinish(late);
	TURN_UNTIL(has("late"));
}

Test(follow, finds_what_was_committed_half_a_minute_late)
{
	TURN_UNTIL(is_following());
	create("in-time");
	TURN_UNTIL(strcmp(follow->cursors[2].code, "in-time") == 0);
	database_do(OWNER, "INSERT INTO links (code, target, updated_at) "
			   "VALUES ('late', 'https://late.example/', now() - interval '29 s')");
	TURN_UNTIL(has("late"));
}

Test(follow, goes_on_when_the_clock_of_the_database_is_set_back)
{
	TURN_UNTIL(is_following());
	for (unsigned i = 0; i < FOLLOW_CURSORS; i++)
		follow->cursors[i].us += 3600 * INT64_C(1000000);
	create("an-hour-before");
	TURN_UNTIL(has("an-hour-before"));
}

Test(follow, goes_on_where_it_was_after_a_restart)
{
	create_old("warm-", LINKS);
	TURN_UNTIL(is_following());
	follow_free(follow);
	create("while-away");
	follow = follow_new(directory, REPLICA_BYTES, 1);
	TURN_UNTIL(has("while-away"));
	cr_assert(eq(u64, replica_writer_count(follow->writer), LINKS + 1));
	cr_assert(eq(i64, metric(METRIC_replica_builds), 1));
}

Test(follow, does_nothing_while_another_one_writes)
{
	struct follow *second = follow_new(directory, REPLICA_BYTES, 1);
	TURN_UNTIL(is_following());
	cr_assert(gt(uint, follow_turn(second, db, NULL, 0), 0));
	cr_assert(second->phase == FOLLOW_CLOSED);
	follow_free(second);
}

Test(follow, goes_on_when_the_database_comes_back)
{
	TURN_UNTIL(is_following());
	uint64_t seen = atomic_load(&segment_get()->replica.seen);
	database_control("stop -m immediate");
	for (int i = 0; i < 10; i++)
		turn();
	cr_assert(state() == LABEL_state_FOLLOWING);
	cr_assert(atomic_load(&segment_get()->replica.seen) - seen < CLOCK_S);
	database_control("start");
	create("back-again");
	TURN_UNTIL(has("back-again"));
}

Test(follow, builds_another_file_when_the_file_is_gone)
{
	create_old("gone-", LINKS);
	TURN_UNTIL(is_following());
	uint64_t generation = replica_writer_generation(follow->writer);
	char command[SQL_MAX];
	snprintf(command, sizeof(command), "rm %s/links-*.mdb", directory);
	cr_assert(system(command) == 0);
	TURN_UNTIL(replica_writer_generation(follow->writer) != generation && is_following());
	cr_assert(eq(u64, replica_writer_count(follow->writer), LINKS));
}

Test(follow, puts_right_what_differs)
{
	create_old("differs-", LINKS);
	TURN_UNTIL(is_following());
	database_do(OWNER,
		"UPDATE links SET target = 'https://forged.example/' WHERE code = 'differs-7'");
	compare();
	cr_assert(leads_to("differs-7", "https://forged.example/"));
	cr_assert(eq(i64, metric(METRIC_replica_differences), 1));
	cr_assert(eq(i64, metric(METRIC_links_lost), 0));
	compare();
	cr_assert(eq(i64, metric(METRIC_replica_differences), 0));
}

Test(follow, puts_right_without_a_word_what_has_only_just_changed)
{
	create("fresh");
	TURN_UNTIL(is_following());
	database_do(OWNER, "UPDATE links SET target = 'https://second.example/'");
	compare();
	cr_assert(leads_to("fresh", "https://second.example/"));
	cr_assert(eq(i64, metric(METRIC_replica_differences), 0));
}

Test(follow, finds_a_link_that_it_overlooked)
{
	create_old("seen-", LINKS);
	TURN_UNTIL(is_following());
	create_old("overlooked-", 1);
	compare();
	cr_assert(has("overlooked-1"));
	cr_assert(eq(i64, metric(METRIC_replica_differences), 1));
}

Test(follow, takes_visits_over_without_calling_them_a_difference)
{
	struct replica_record record;
	create_old("visited-", LINKS);
	TURN_UNTIL(is_following());
	database_do(OWNER, "UPDATE links SET visits = 5 WHERE code = 'visited-1'");
	compare();
	cr_assert(finds("visited-1", &record));
	cr_assert(eq(i64, record.visits, 5));
	cr_assert(eq(i64, metric(METRIC_replica_differences), 0));
}

Test(follow, keeps_and_counts_a_link_that_was_lost)
{
	create_old("kept-", LINKS);
	create("newest");
	TURN_UNTIL(is_following());
	database_do(OWNER, "DELETE FROM links WHERE code = 'kept-3'");
	compare();
	cr_assert(has("kept-3"));
	cr_assert(eq(i64, metric(METRIC_links_lost), 1));
	cr_assert(state() == LABEL_state_FOLLOWING);
}

Test(follow, counts_a_newer_version_that_was_lost)
{
	create_old("older-", LINKS);
	database_do(OWNER, "UPDATE links SET version = 2 WHERE code = 'older-3'");
	TURN_UNTIL(is_following());
	database_do(OWNER, "UPDATE links SET version = 1 WHERE code = 'older-3'");
	compare();
	cr_assert(eq(i64, metric(METRIC_links_lost), 1));
}

Test(follow, refuses_a_database_that_lost_more_than_one_of_a_hundred)
{
	create_old("many-", LINKS);
	TURN_UNTIL(is_following());
	database_do(OWNER, "CREATE TABLE saved AS SELECT * FROM links WHERE code LIKE 'many-1_'; "
			   "DELETE FROM links WHERE code LIKE 'many-1_'");
	follow_start_comparison(follow);
	TURN_UNTIL(state() == LABEL_state_REFUSING);
	TURN_UNTIL(!follow->comparison.running);
	cr_assert(eq(i64, metric(METRIC_links_lost), 10));
	create("not-taken-over");
	turn_some();
	cr_assert(not(has("not-taken-over")));
	cr_assert(has("many-10"));
	database_do(OWNER, "INSERT INTO links SELECT * FROM saved; DROP TABLE saved");
	TURN_UNTIL(is_following());
	cr_assert(has("not-taken-over"));
	cr_assert(eq(i64, metric(METRIC_links_lost), 0));
}

Test(follow, refuses_another_database_until_it_is_the_right_one_again)
{
	create_old("mine-", LINKS);
	TURN_UNTIL(is_following());
	database_do(OWNER, "CREATE TABLE saved AS SELECT * FROM database_identity; "
			   "UPDATE database_identity SET id = gen_random_uuid()");
	end_sessions();
	create("not-mine");
	/* The first that the new session is asked for is not who it is. */
	follow->front_due = clock_monotonic() + CLOCK_S / 5;
	hints_add("not-mine");
	TURN_UNTIL(state() == LABEL_state_REFUSING);
	uint64_t seen = atomic_load(&segment_get()->replica.seen);
	hints_add("not-mine");
	turn_some();
	cr_assert(not(has("not-mine")));
	cr_assert(eq(u64, atomic_load(&segment_get()->replica.seen), seen));
	database_do(OWNER,
		"UPDATE database_identity SET id = (SELECT id FROM saved); DROP TABLE saved");
	TURN_UNTIL(is_following());
	cr_assert(has("not-mine"));
}

Test(follow, refuses_a_database_that_went_back_in_time)
{
	create_old("before-", LINKS);
	create("newest");
	TURN_UNTIL(is_following());
	database_do(OWNER, "DELETE FROM links WHERE code = 'newest'");
	end_sessions();
	TURN_UNTIL(state() == LABEL_state_REFUSING);
	cr_assert(has("newest"));
	create("newest");
	TURN_UNTIL(is_following());
}

Test(follow, remembers_what_it_refuses_over_a_restart)
{
	create_old("before-", LINKS);
	create("newest");
	TURN_UNTIL(is_following());
	database_do(OWNER, "DELETE FROM links WHERE code = 'newest'");
	follow_free(follow);
	follow = follow_new(directory, REPLICA_BYTES, 1);
	TURN_UNTIL(state() == LABEL_state_REFUSING);
	cr_assert(has("newest"));
}

Test(follow, accepts_another_database_that_has_all_links)
{
	create_old("same-", LINKS);
	TURN_UNTIL(is_following());
	database_do(OWNER, "UPDATE database_identity SET id = gen_random_uuid()");
	create_old("other-", 1);
	end_sessions();
	TURN_UNTIL(state() == LABEL_state_REFUSING);
	accept_database("follow", follow->database);
	TURN_UNTIL(is_following());
	cr_assert(has("other-1") && has("same-1"));
	cr_assert(strcmp(follow->meta.identity, follow->database) == 0);
	cr_assert(eq(i64, metric(METRIC_replica_builds), 1));
}

Test(follow, forgets_what_an_operator_says_is_gone)
{
	create_old("gone-", LINKS);
	TURN_UNTIL(is_following());
	forget_links();
	database_do(OWNER, "UPDATE database_identity SET id = gen_random_uuid()");
	create("the-only-one");
	end_sessions();
	TURN_UNTIL(state() == LABEL_state_REFUSING);
	accept_database("rebuild", follow->database);
	TURN_UNTIL(is_following());
	cr_assert(eq(u64, replica_writer_count(follow->writer), 1));
	cr_assert(has("the-only-one"));
}

Test(follow, takes_no_word_about_another_database)
{
	create_old("mine-", LINKS);
	TURN_UNTIL(is_following());
	forget_links();
	end_sessions();
	TURN_UNTIL(state() == LABEL_state_REFUSING);
	accept_database("rebuild", "7711559420903245459 a3952aab-3811-442e-a066-201e183ef093");
	turn_some();
	cr_assert(state() == LABEL_state_REFUSING);
}
