#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bell.h"
#include "base/clock.h"
#include "base/hints.h"
#include "base/segment.h"
#include "unit/replica_scratch.h"
#include "unit/scratch.h"

static struct replica_writer *writer;
static struct replica *replica;

static void make(void)
{
	replica_scratch_make();
	replica = replica_new(replica_scratch_directory());
	cr_assert_not_null(replica);
}

static void clean(void)
{
	replica_free(replica);
	replica_writer_free(writer);
	replica_scratch_remove();
}

TestSuite(replica, .init = make, .fini = clean);

static void build(unsigned count)
{
	if (writer == NULL)
		writer = replica_scratch_writer();
	replica_scratch_build(writer, count);
	replica_scratch_say(LABEL_state_FOLLOWING);
}

static uint64_t lookups(enum label_lookup lookup)
{
	return metrics_value(METRIC_replica_lookups, lookup, 0);
}

Test(replica, finds_links_by_code_and_id_and_knows_what_is_not_there)
{
	struct link link;
	build(3000);
	for (unsigned n = 0; n < 3000; n++) {
		cr_assert_eq(replica_scratch_find(replica, n), LINK_OK);
		cr_assert_eq(replica_find_id(replica, NULL, n + 1, &link), LINK_OK);
		cr_assert_str_eq(link.code, replica_scratch_code(n));
	}
	static const char *const absent[] = { "aaa", "link00000a", "link01500-", "zzz", "",
		"link" };
	for (size_t i = 0; i < sizeof(absent) / sizeof(*absent); i++)
		cr_expect_eq(replica_find(replica, NULL, absent[i], &link), LINK_UNKNOWN, "%s",
			absent[i]);
	cr_expect_eq(replica_find_id(replica, NULL, 3001, &link), LINK_UNKNOWN);
	cr_expect_eq(lookups(LABEL_lookup_HIT), 6000);
	cr_expect_eq(lookups(LABEL_lookup_NEGATIVE), 6);
}

Test(replica, judges_a_link_by_its_state_and_times)
{
	const int64_t now = clock_wall_ms();
	const struct {
		struct link link;
		enum link_result expected;
	} rows[] = {
		{ { .state = LINK_ACTIVE }, LINK_OK },
		{ { .state = LINK_DISABLED }, LINK_UNKNOWN },
		{ { .state = LINK_DELETED }, LINK_GONE },
		{ { .valid_until = now - 1 }, LINK_GONE },
		{ { .valid_since = now + 60000 }, LINK_UNKNOWN },
	};
	build(1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct replica_record record = replica_scratch_record(0);
		record.link.state = rows[i].link.state;
		record.link.valid_since = rows[i].link.valid_since;
		record.link.valid_until = rows[i].link.valid_until;
		replica_scratch_put(writer, &record);
		cr_expect_eq(replica_scratch_find(replica, 0), rows[i].expected, "%zu", i);
	}
}

Test(replica, says_absent_only_while_it_follows)
{
	static const struct {
		enum label_state state;
		enum link_result expected;
	} rows[] = {
		{ LABEL_state_FOLLOWING, LINK_UNKNOWN },
		{ LABEL_state_ABSENT, LINK_DOWN },
		{ LABEL_state_BUILDING, LINK_DOWN }, /* without a database to ask */
		{ LABEL_state_REFUSING, LINK_DOWN },
		{ LABEL_state_COUNT, LINK_DOWN },
	};
	build(1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		replica_scratch_say(rows[i].state);
		cr_expect_eq(replica_scratch_find(replica, 1), rows[i].expected, "%zu", i);
		cr_expect_eq(replica_scratch_find(replica, 0), LINK_OK, "%zu", i);
	}
	replica_scratch_say(LABEL_state_FOLLOWING);
	atomic_fetch_sub(&segment_get()->replica.seen, 5 * CLOCK_S);
	cr_expect_eq(replica_scratch_find(replica, 1), LINK_DOWN, "its writer is silent");
	cr_expect_eq(replica_state(), LABEL_state_ABSENT);
	cr_expect_eq(replica_scratch_find(replica, 0), LINK_OK);
	cr_expect_eq(lookups(LABEL_lookup_STALE), 5);
}

Test(replica, finds_nothing_and_says_so_where_there_is_no_file)
{
	cr_expect_eq(replica_scratch_find(replica, 0), LINK_DOWN);
	replica_scratch_say(LABEL_state_FOLLOWING);
	cr_expect_eq(replica_scratch_find(replica, 0), LINK_DOWN, "never 404 without a file");
}

Test(replica, finds_the_file_without_the_segment)
{
	replica_scratch_build_apart(1);
	atomic_store(&segment_get()->replica.generation, 0);
	cr_expect_eq(replica_scratch_find(replica, 0), LINK_OK);
	replica_scratch_say(LABEL_state_FOLLOWING);
	cr_expect_eq(replica_scratch_find(replica, 1), LINK_DOWN, "it may be an old one");
}

Test(replica, sees_a_new_generation_and_each_commit)
{
	struct link link;
	build(1);
	cr_expect_eq(replica_scratch_find(replica, 1), LINK_UNKNOWN);
	build(2);
	cr_expect_eq(replica_scratch_find(replica, 1), LINK_OK);
	struct replica_record record = replica_scratch_record(1);
	record.link.version = 5;
	replica_scratch_put(writer, &record);
	cr_expect_eq(replica_find(replica, NULL, record.link.code, &link), LINK_OK);
	cr_expect_eq(link.version, 5);
}

Test(replica, walks_in_the_order_of_codes)
{
	static struct replica_record record;
	char after[CODE_MAX + 1] = "";
	unsigned n = 0;
	cr_expect_eq(replica_next(replica, "", &record), LINK_DOWN, "there is no file");
	replica_scratch_build_apart(500);
	for (; replica_next(replica, after, &record) == LINK_OK; n++) {
		cr_assert_str_eq(record.link.code, replica_scratch_code(n));
		memcpy(after, record.link.code, sizeof(after));
	}
	cr_expect_eq(n, 500);
	cr_expect_eq(replica_next(replica, after, &record), LINK_UNKNOWN);
}

static void *put_soon(void *context)
{
	char hints[4][HINT_MAX + 1];
	bool lost;
	uint32_t since = bell_count(BELL_LINKS_WANTED);
	unsigned count = hints_take(hints, 4, &lost);
	while (count == 0) {
		bell_wait(BELL_LINKS_WANTED, since, 10000);
		since = bell_count(BELL_LINKS_WANTED);
		count = hints_take(hints, 4, &lost);
	}
	replica_scratch_put(writer, context);
	bell_ring(BELL_LINKS_APPLIED);
	return strcmp(hints[0], ((struct replica_record *)context)->link.code) == 0 ? context
										    : NULL;
}

Test(replica, is_waited_for)
{
	pthread_t thread;
	void *hinted;
	build(1);
	struct replica_record record = replica_scratch_record(0);
	cr_expect(replica_wait(replica, &record.link, 10000), "it is there already");
	record.link.id++;
	cr_expect_not(replica_wait(replica, &record.link, 1), "it is another link");
	record.link.id--;
	record.link.version = 2;
	cr_expect_not(replica_wait(replica, &record.link, 1), "nobody puts it");
	char hints[4][HINT_MAX + 1];
	bool lost;
	cr_expect_eq(hints_take(hints, 4, &lost), 2);
	pthread_create(&thread, NULL, put_soon, &record);
	cr_expect(replica_wait(replica, &record.link, 10000));
	pthread_join(thread, &hinted);
	cr_expect_not_null(hinted);
	replica_scratch_say(LABEL_state_ABSENT);
	record.link.version = 3;
	cr_expect_not(replica_wait(replica, &record.link, 1000000), "it would be in vain");
}

Test(replica, does_not_say_absent_of_what_somebody_was_told_of)
{
	build(1);
	cr_expect_eq(replica_scratch_find(replica, 1), LINK_UNKNOWN);
	struct replica_record missing = replica_scratch_record(1);
	cr_expect_not(replica_wait(replica, &missing.link, 1));
	cr_expect_eq(replica_scratch_find(replica, 1), LINK_DOWN, "without a database to ask");
	cr_expect_eq(replica_scratch_find(replica, 0), LINK_OK);
	replica_scratch_say(LABEL_state_FOLLOWING);
	cr_expect_eq(replica_scratch_find(replica, 1), LINK_UNKNOWN, "it has all by now");
}

static void read_one(void)
{
	struct replica *child = replica_new(replica_scratch_directory());
	cr_assert_eq(replica_scratch_find(child, 0), LINK_OK);
}

/* Commits so often that only pages that are used again keep the file from growing. */
static off_t size_after_commits(void)
{
	struct stat file;
	for (unsigned i = 0; i < 200; i++) {
		struct replica_record record = replica_scratch_record(i % 100);
		record.link.version = i + 2;
		replica_scratch_put(writer, &record);
	}
	cr_assert_eq(stat(replica_scratch_file(), &file), 0);
	return file.st_size;
}

Test(replica, leaves_no_place_taken_when_its_process_is_killed)
{
	replica_scratch_build_apart(100);
	writer = replica_scratch_writer();
	cr_assert_eq(replica_writer_open(writer), REPLICA_OK);
	/* More than there are places. */
	for (int i = 0; i < 600; i++) {
		scratch_kill(scratch_fork(read_one));
		if (i % 100 == 0)
			cr_assert_eq(replica_writer_check(writer), REPLICA_OK);
	}
	cr_assert_eq(replica_writer_check(writer), REPLICA_OK);
	off_t size = size_after_commits();
	cr_expect_eq(size_after_commits(), size);
	cr_expect_eq(replica_scratch_find(replica, 99), LINK_OK);
}
