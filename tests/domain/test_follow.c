#include "domain/follow.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hints.h"
#include "domain/following.h"

TestSuite(follow, .init = following_begin, .fini = following_end);

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

Test(follow, keeps_a_link_without_its_tags_rather_than_not_at_all)
{
	struct replica_record record;
	TURN_UNTIL(is_following());
	database_do(OWNER,
		"INSERT INTO links (code, target, tags) "
		"VALUES ('tagged', 'https://tagged.example/', ARRAY[repeat('x', 4000)])");
	TURN_UNTIL(finds("tagged", &record));
	cr_assert(strcmp(record.tags, "{}") == 0);
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

/* Behind all cursors, as what was committed late: only a hint finds it soon. */
static void create_behind(const char *code)
{
	char sql[256];
	snprintf(sql, sizeof(sql),
		"INSERT INTO links (code, target, updated_at) "
		"VALUES ('%s', 'https://%s.example/', now() - interval '1 hour')",
		code, code);
	database_do(OWNER, sql);
}

Test(follow, keeps_a_hint_until_it_is_applied)
{
	PGconn *locking = database_session(OWNER);
	TURN_UNTIL(is_following());
	create_behind("hinted");
	hints_add("hinted");
	database_in(locking, "BEGIN; LOCK links");
	turn();
	cr_assert_not(has("hinted"));
	database_in(locking, "COMMIT");
	PQfinish(locking);
	uint64_t seen = atomic_load(&segment_get()->replica.seen);
	TURN_UNTIL(atomic_load(&segment_get()->replica.seen) != seen);
	cr_assert(has("hinted"));
}

Test(follow, reads_again_what_lost_hints_may_have_meant)
{
	TURN_UNTIL(is_following());
	/* Committed behind the front, which the third cursor will be behind for long. */
	database_do(OWNER, "INSERT INTO links (code, target, updated_at) "
			   "VALUES ('lost', 'https://lost.example/', now() - interval '1 s')");
	follow->cursors[0].us = follow->cursors[1].us = follow->now_us;
	follow->cursors[2].us = follow->now_us - 2000000;
	for (unsigned i = 0; i <= HINT_CELLS; i++)
		hints_add(i == 0 ? "lost" : "nothing");
	turn();
	cr_assert(has("lost"));
}

Test(follow, is_building_until_it_has_what_was_made_meanwhile)
{
	create_old("old-", LINKS);
	TURN_UNTIL(follow->phase == FOLLOW_FOLLOWING);
	cr_assert(state() == LABEL_state_BUILDING);
	create("meanwhile");
	TURN_UNTIL(state() == LABEL_state_FOLLOWING);
	cr_assert(has("meanwhile"));
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
	/* No longer among the newest, which must not go back. */
	database_do(OWNER,
		"INSERT INTO links (code, target) SELECT 'newer-' || i, 'https://newer.example/' "
		"FROM generate_series(1, 16) AS i");
	TURN_UNTIL(has("newer-16"));
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

Test(follow, finds_after_a_restart_what_was_committed_late_before_it)
{
	TURN_UNTIL(is_following());
	create("in-time");
	TURN_UNTIL(has("in-time"));
	follow_free(follow);
	database_do(OWNER, "INSERT INTO links (code, target, updated_at) "
			   "VALUES ('late', 'https://late.example/', now() - interval '5 s')");
	follow = follow_new(directory, REPLICA_BYTES, 1);
	TURN_UNTIL(is_following());
	cr_assert(has("late"));
}

Test(follow, claims_nothing_after_a_restart_before_it_has_looked)
{
	TURN_UNTIL(is_following());
	follow_free(follow);
	follow = follow_new(directory, REPLICA_BYTES, 1);
	follow_prepare();
	cr_assert(replica_state() == LABEL_state_BUILDING);
	database_control("stop -m immediate");
	(void)follow_turn(follow, db, NULL, 0);
	cr_assert(follow->phase == FOLLOW_FOLLOWING);
	cr_assert(replica_state() == LABEL_state_BUILDING);
	database_control("start");
	TURN_UNTIL(replica_state() == LABEL_state_FOLLOWING);
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
	char command[FOLLOWING_PATH_MAX + 32];
	snprintf(command, sizeof(command), "rm %s/links-*.mdb", directory);
	cr_assert(system(command) == 0);
	TURN_UNTIL(replica_writer_generation(follow->writer) != generation && is_following());
	cr_assert(eq(u64, replica_writer_count(follow->writer), LINKS));
}

Test(follow, builds_less_and_less_often_where_it_has_no_room)
{
	create_old("many-", 5 * LINKS);
	follow_free(follow);
	follow = follow_new(directory, 1 << 16, 1);
	TURN_UNTIL(follow->build_pause_s == 2);
	for (int i = 0; i < 100; i++)
		turn();
	cr_assert(eq(i64, metric(METRIC_replica_builds), 2));
	cr_assert(state() == LABEL_state_BUILDING);
}
