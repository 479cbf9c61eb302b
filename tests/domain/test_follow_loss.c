#include "domain/follow.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hints.h"
#include "domain/following.h"

TestSuite(follow_loss, .init = following_begin, .fini = following_end);

static void compare(void)
{
	follow_start_comparison(follow);
	TURN_UNTIL(!follow->comparison.running);
}

static void accept_long_ago(const char *word, const char *identity, int seconds)
{
	char path[FOLLOWING_PATH_MAX + 16];
	snprintf(path, sizeof(path), "%s/accept", directory);
	FILE *file = fopen(path, "w");
	cr_assert(file != NULL);
	fprintf(file, "%s %lld %s\n", word, (long long)(clock_wall_ms() / 1000 - seconds),
		identity);
	fclose(file);
	TURN_UNTIL(access(path, F_OK) != 0);
}

static void accept_database(const char *word, const char *identity)
{
	accept_long_ago(word, identity, 0);
}

static void start_again(void)
{
	follow_free(follow);
	follow = follow_new(directory, REPLICA_BYTES, 1);
}

static void remove_replica(const char *files)
{
	char command[2 * FOLLOWING_PATH_MAX];
	snprintf(command, sizeof(command), "cd %s && rm -f %s", directory, files);
	cr_assert(system(command) == 0);
}

Test(follow_loss, puts_right_what_differs)
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

Test(follow_loss, puts_right_without_a_word_what_has_only_just_changed)
{
	create("fresh");
	TURN_UNTIL(is_following());
	database_do(OWNER, "UPDATE links SET target = 'https://second.example/'");
	compare();
	cr_assert(leads_to("fresh", "https://second.example/"));
	cr_assert(eq(i64, metric(METRIC_replica_differences), 0));
}

Test(follow_loss, finds_a_link_that_it_overlooked)
{
	create_old("seen-", LINKS);
	TURN_UNTIL(is_following());
	create_old("overlooked-", 1);
	compare();
	cr_assert(has("overlooked-1"));
	cr_assert(eq(i64, metric(METRIC_replica_differences), 1));
}

Test(follow_loss, takes_visits_over_without_calling_them_a_difference)
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

Test(follow_loss, keeps_and_counts_a_link_that_was_lost)
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

Test(follow_loss, counts_a_newer_version_that_was_lost)
{
	create_old("older-", LINKS);
	database_do(OWNER, "UPDATE links SET version = 2 WHERE code = 'older-3'");
	TURN_UNTIL(is_following());
	database_do(OWNER, "UPDATE links SET version = 1 WHERE code = 'older-3'");
	compare();
	cr_assert(eq(i64, metric(METRIC_links_lost), 1));
}

Test(follow_loss, refuses_a_database_that_lost_more_than_one_of_a_hundred)
{
	create_old("many-", LINKS);
	TURN_UNTIL(is_following());
	database_do(OWNER, "CREATE TABLE saved AS SELECT * FROM links WHERE code LIKE 'many-5_'; "
			   "DELETE FROM links WHERE code LIKE 'many-5_'");
	follow_start_comparison(follow);
	TURN_UNTIL(state() == LABEL_state_REFUSING);
	TURN_UNTIL(!follow->comparison.running);
	cr_assert(eq(i64, metric(METRIC_links_lost), 10));
	create("not-taken-over");
	turn_some();
	cr_assert(not(has("not-taken-over")));
	cr_assert(has("many-50"));
	database_do(OWNER, "INSERT INTO links SELECT * FROM saved; DROP TABLE saved");
	TURN_UNTIL(is_following());
	cr_assert(has("not-taken-over"));
	cr_assert(eq(i64, metric(METRIC_links_lost), 0));
}

Test(follow_loss, refuses_another_database_until_it_is_the_right_one_again)
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

Test(follow_loss, refuses_a_database_that_went_back_in_time)
{
	create_old("before-", LINKS);
	create("newest");
	TURN_UNTIL(is_following());
	database_do(OWNER, "CREATE TABLE saved AS SELECT * FROM links WHERE code = 'newest'; "
			   "DELETE FROM links WHERE code = 'newest'");
	end_sessions();
	TURN_UNTIL(state() == LABEL_state_REFUSING);
	cr_assert(has("newest"));
	database_do(OWNER, "INSERT INTO links SELECT * FROM saved; DROP TABLE saved");
	TURN_UNTIL(is_following());
}

Test(follow_loss, remembers_what_it_refuses_over_a_restart)
{
	create_old("before-", LINKS);
	create("newest");
	TURN_UNTIL(is_following());
	database_do(OWNER, "DELETE FROM links WHERE code = 'newest'");
	start_again();
	TURN_UNTIL(state() == LABEL_state_REFUSING);
	cr_assert(has("newest"));
}

Test(follow_loss, accepts_another_database_that_has_all_links)
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

Test(follow_loss, forgets_what_an_operator_says_is_gone)
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
	cr_assert(eq(i64, metric(METRIC_links_lost), 0));
}

Test(follow_loss, takes_no_word_about_another_database)
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

Test(follow_loss, takes_no_word_of_long_ago)
{
	create_old("mine-", LINKS);
	TURN_UNTIL(is_following());
	forget_links();
	TURN_UNTIL(state() == LABEL_state_REFUSING);
	accept_long_ago("rebuild", follow->database, 301);
	turn_some();
	cr_assert(state() == LABEL_state_REFUSING);
	accept_long_ago("rebuild", follow->database, 290);
	TURN_UNTIL(is_following());
}

Test(follow_loss, refuses_what_was_lost_within_a_session)
{
	create_old("before-", LINKS);
	create("newest");
	TURN_UNTIL(is_following());
	database_do(OWNER, "DELETE FROM links WHERE code = 'newest'");
	create("not-taken-over");
	TURN_UNTIL(state() == LABEL_state_REFUSING);
	cr_assert(has("newest"));
	cr_assert(not(has("not-taken-over")));
}

Test(follow_loss, refuses_another_name_within_a_session)
{
	create_old("mine-", LINKS);
	TURN_UNTIL(is_following());
	database_do(OWNER, "UPDATE database_identity SET id = gen_random_uuid()");
	TURN_UNTIL(state() == LABEL_state_REFUSING);
}

Test(follow_loss, refuses_a_namesake_of_the_newest)
{
	create_old("before-", LINKS);
	create("newest");
	TURN_UNTIL(is_following());
	database_do(OWNER,
		"DELETE FROM links WHERE code = 'newest'; INSERT INTO links (code, target) "
		"VALUES ('newest', 'https://forged.example/')");
	TURN_UNTIL(state() == LABEL_state_REFUSING);
	cr_assert(leads_to("newest", "https://new.example/"));
}

/* It lost a link that is not among the newest, and gave its code away. */
Test(follow_loss, keeps_the_link_whose_code_was_given_away)
{
	create_old("given-", LINKS);
	TURN_UNTIL(is_following());
	database_do(OWNER, "CREATE TABLE saved AS SELECT * FROM links WHERE code = 'given-77'; "
			   "DELETE FROM links WHERE code = 'given-77'");
	create("given-77");
	TURN_UNTIL(state() == LABEL_state_REFUSING);
	TURN_UNTIL(metric(METRIC_links_lost) == 1);
	cr_assert(leads_to("given-77", "https://old.example/77"));
	follow->look_due = 0;
	turn_some();
	cr_assert(state() == LABEL_state_REFUSING);
	database_do(OWNER, "DELETE FROM links WHERE code = 'given-77'; "
			   "INSERT INTO links SELECT * FROM saved; DROP TABLE saved");
	TURN_UNTIL(is_following());
	cr_assert(eq(i64, metric(METRIC_links_lost), 0));
}

Test(follow_loss, refuses_a_code_given_away_that_a_comparison_finds)
{
	create_old("given-", LINKS);
	TURN_UNTIL(is_following());
	database_do(OWNER, "UPDATE links SET id = id + 1000000 WHERE code = 'given-77'");
	follow_start_comparison(follow);
	TURN_UNTIL(state() == LABEL_state_REFUSING);
	TURN_UNTIL(metric(METRIC_links_lost) == 1);
}

Test(follow_loss, takes_over_another_link_that_is_a_newer_version)
{
	create_old("moved-", LINKS);
	TURN_UNTIL(is_following());
	database_do(OWNER, "UPDATE links SET id = id + 1000000, version = 2, target = "
			   "'https://moved.example/', updated_at = now() WHERE code = 'moved-77'");
	TURN_UNTIL(leads_to("moved-77", "https://moved.example/"));
	cr_assert(state() == LABEL_state_FOLLOWING);
}

Test(follow_loss, goes_on_guarding_after_an_operator_said_follow)
{
	create_old("mine-", LINKS);
	create("newest");
	TURN_UNTIL(is_following());
	database_do(OWNER, "CREATE TABLE saved AS SELECT * FROM links WHERE code = 'newest'; "
			   "DELETE FROM links WHERE code = 'newest'");
	TURN_UNTIL(state() == LABEL_state_REFUSING);
	accept_database("follow", follow->database);
	turn_some();
	cr_assert(state() == LABEL_state_REFUSING);
	database_do(OWNER, "INSERT INTO links SELECT * FROM saved; DROP TABLE saved");
	TURN_UNTIL(is_following());
}

Test(follow_loss, copies_no_loss_however_often_it_is_started)
{
	create_old("kept-", LINKS);
	TURN_UNTIL(is_following());
	forget_links();
	for (int i = 0; i < 8; i++) {
		start_again();
		TURN_UNTIL(follow->wrong != NULL);
	}
	cr_assert(eq(u64, replica_writer_count(follow->writer), LINKS));
	cr_assert(eq(i64, metric(METRIC_replica_builds), 1));
}

Test(follow_loss, copies_no_loss_when_the_replica_is_gone)
{
	create_old("kept-", LINKS);
	TURN_UNTIL(is_following());
	forget_links();
	start_again();
	remove_replica("current links-*");
	TURN_UNTIL(state() == LABEL_state_REFUSING);
	turn_some();
	cr_assert(eq(i64, metric(METRIC_replica_builds), 1));
	accept_database("rebuild", follow->database);
	TURN_UNTIL(is_following());
	cr_assert(eq(i64, metric(METRIC_replica_builds), 2));
}

Test(follow_loss, builds_another_replica_of_the_database_that_it_knows)
{
	create_old("kept-", LINKS);
	TURN_UNTIL(is_following());
	follow_free(follow);
	remove_replica("current links-*");
	follow = follow_new(directory, REPLICA_BYTES, 1);
	TURN_UNTIL(is_following());
	cr_assert(eq(u64, replica_writer_count(follow->writer), LINKS));
}

Test(follow_loss, copies_nothing_when_what_it_must_have_is_unreadable)
{
	create_old("kept-", LINKS);
	TURN_UNTIL(is_following());
	follow_free(follow);
	remove_replica("current links-* && : >known");
	follow = follow_new(directory, REPLICA_BYTES, 1);
	TURN_UNTIL(state() == LABEL_state_REFUSING);
	accept_database("follow", follow->database);
	TURN_UNTIL(is_following());
}

Test(follow_loss, publishes_no_copy_of_what_was_lost_while_it_was_made)
{
	create_old("kept-", 2 * FOLLOW_CHUNK);
	TURN_UNTIL(follow->walked[0] != '\0');
	forget_links();
	TURN_UNTIL(state() == LABEL_state_REFUSING);
	cr_assert(follow->phase == FOLLOW_BUILDING);
}
