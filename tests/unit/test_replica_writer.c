#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/segment.h"
#include "domain/replica_private.h"
#include "unit/replica_scratch.h"
#include "unit/scratch.h"

static struct replica_writer *writer;

static void make(void)
{
	replica_scratch_make();
	writer = replica_scratch_writer();
}

static void clean(void)
{
	replica_writer_free(writer);
	replica_scratch_remove();
}

TestSuite(replica_writer, .init = make, .fini = clean);

static struct replica_record found;

static enum replica_result find(unsigned n)
{
	return replica_writer_find(writer, replica_scratch_code(n), &found);
}

Test(replica_writer, finds_no_file_in_an_empty_directory)
{
	cr_expect_eq(replica_writer_open(writer), REPLICA_MISSING);
	cr_expect_eq(replica_writer_begin(writer), REPLICA_MISSING);
	cr_expect_eq(find(0), REPLICA_MISSING);
	cr_expect_eq(replica_writer_count(writer), 0);
	cr_expect_eq(replica_writer_generation(writer), 0);
}

Test(replica_writer, makes_the_directory)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/sub", replica_scratch_directory());
	struct replica_writer *other = replica_writer_new(path, 1 << 24);
	cr_expect_eq(replica_writer_open(other), REPLICA_MISSING);
	cr_expect_eq(replica_writer_build(other), REPLICA_OK);
	replica_writer_free(other);
	cr_expect_eq(unlink(scratch_path("sub/writer.lock")), 0);
	cr_expect_eq(rmdir(path), 0, "what was not published is gone");
}

Test(replica_writer, publishes_what_it_built)
{
	replica_scratch_build(writer, 100);
	uint64_t generation = replica_writer_generation(writer);
	cr_expect_neq(generation, 0);
	cr_expect_eq(segment_get()->replica.generation, generation);
	cr_expect_eq(replica_writer_count(writer), 100);
	cr_expect_eq(replica_writer_open(writer), REPLICA_OK);
	cr_expect_eq(replica_writer_generation(writer), generation);
	cr_expect_eq(find(99), REPLICA_OK);
	cr_expect_str_eq(found.tags, "{}");
	cr_expect_eq(find(100), REPLICA_MISSING);
}

Test(replica_writer, takes_records_in_any_order_while_building)
{
	static const unsigned order[] = { 5, 3, 9, 3, 0, 9 };
	cr_assert_eq(replica_writer_build(writer), REPLICA_OK);
	cr_assert_eq(replica_writer_begin(writer), REPLICA_OK);
	for (unsigned i = 0; i < sizeof(order) / sizeof(*order); i++) {
		struct replica_record record = replica_scratch_record(order[i]);
		record.link.version = i + 1;
		cr_assert_eq(replica_writer_put(writer, &record, NULL), REPLICA_OK);
	}
	cr_assert_eq(replica_writer_commit(writer), REPLICA_OK);
	cr_assert_eq(replica_writer_publish(writer), REPLICA_OK);
	cr_expect_eq(replica_writer_count(writer), 4);
	cr_expect_eq(find(3), REPLICA_OK);
	cr_expect_eq(found.link.version, 4);
	cr_expect_eq(find(9), REPLICA_OK);
	cr_expect_eq(found.link.version, 6);
}

Test(replica_writer, builds_on_after_a_part_was_taken_back)
{
	struct replica_record record = replica_scratch_record(5);
	cr_assert_eq(replica_writer_build(writer), REPLICA_OK);
	cr_assert_eq(replica_writer_begin(writer), REPLICA_OK);
	cr_assert_eq(replica_writer_put(writer, &record, NULL), REPLICA_OK);
	replica_writer_abort(writer);
	record = replica_scratch_record(2);
	replica_scratch_put(writer, &record);
	cr_assert_eq(replica_writer_publish(writer), REPLICA_OK);
	cr_expect_eq(replica_writer_count(writer), 1);
	cr_expect_eq(find(5), REPLICA_MISSING);
	struct replica *replica = replica_new(replica_scratch_directory());
	struct link link;
	cr_expect_eq(replica_find_id(replica, NULL, 3, &link), LINK_OK);
	cr_expect_eq(replica_find_id(replica, NULL, 6, &link), LINK_DOWN, "no such id");
	replica_free(replica);
}

Test(replica_writer, says_whether_a_record_changed)
{
	bool changed;
	struct replica_record record = replica_scratch_record(1);
	replica_scratch_build(writer, 2);
	cr_assert_eq(replica_writer_begin(writer), REPLICA_OK);
	cr_expect_eq(replica_writer_put(writer, &record, &changed), REPLICA_OK);
	cr_expect_not(changed);
	record.visits++;
	cr_expect_eq(replica_writer_put(writer, &record, &changed), REPLICA_OK);
	cr_expect(changed);
	record = replica_scratch_record(2);
	cr_expect_eq(replica_writer_put(writer, &record, &changed), REPLICA_OK);
	cr_expect(changed);
	cr_expect_eq(replica_writer_commit(writer), REPLICA_OK);
	cr_expect_eq(replica_writer_count(writer), 3);
}

Test(replica_writer, keeps_what_is_committed_and_nothing_else)
{
	struct replica_record record = replica_scratch_record(0);
	replica_scratch_build(writer, 1);
	record.link.version = 2;
	cr_assert_eq(replica_writer_begin(writer), REPLICA_OK);
	cr_assert_eq(replica_writer_put(writer, &record, NULL), REPLICA_OK);
	cr_expect_eq(find(0), REPLICA_OK);
	cr_expect_eq(found.link.version, 2, "within the transaction it is there");
	replica_writer_abort(writer);
	cr_expect_eq(find(0), REPLICA_OK);
	cr_expect_eq(found.link.version, 1);
	replica_scratch_put(writer, &record);
	cr_expect_eq(find(0), REPLICA_OK);
	cr_expect_eq(found.link.version, 2);
}

Test(replica_writer, wants_a_transaction_for_changes)
{
	const struct replica_record record = replica_scratch_record(0);
	const struct replica_meta meta = { .cursor_us = 1 };
	replica_scratch_build(writer, 1);
	cr_expect_eq(replica_writer_put(writer, &record, NULL), REPLICA_ERROR);
	cr_expect_eq(replica_writer_put_meta(writer, &meta), REPLICA_ERROR);
	cr_expect_eq(replica_writer_commit(writer), REPLICA_ERROR);
	cr_expect_eq(replica_writer_publish(writer), REPLICA_ERROR, "nothing is being built");
	replica_writer_abort(writer);
}

Test(replica_writer, keeps_what_is_known_of_the_whole)
{
	static struct replica_meta meta = {
		.identity = "7301", .complete = true, .cursor_us = 1, .cursor_code = "abc"
	};
	static struct replica_meta kept;
	replica_scratch_build(writer, 1);
	cr_expect_eq(replica_writer_get_meta(writer, &kept), REPLICA_MISSING);
	cr_assert_eq(replica_writer_begin(writer), REPLICA_OK);
	cr_expect_eq(replica_writer_put_meta(writer, &meta), REPLICA_OK);
	cr_assert_eq(replica_writer_commit(writer), REPLICA_OK);
	cr_assert_eq(replica_writer_open(writer), REPLICA_OK);
	cr_expect_eq(replica_writer_get_meta(writer, &kept), REPLICA_OK);
	cr_expect_str_eq(kept.identity, "7301");
	cr_expect(kept.complete);
	cr_expect_eq(kept.cursor_us, 1);
	cr_expect_str_eq(kept.cursor_code, "abc");
}

Test(replica_writer, walks_in_the_order_of_codes)
{
	char after[CODE_MAX + 1] = "";
	unsigned n = 0;
	replica_scratch_build(writer, 1500);
	while (replica_writer_next(writer, after, &found) == REPLICA_OK) {
		cr_assert_str_eq(found.link.code, replica_scratch_code(n));
		memcpy(after, found.link.code, sizeof(after));
		n++;
	}
	cr_expect_eq(n, 1500);
	cr_expect_eq(replica_writer_next(writer, "link00041x", &found), REPLICA_OK);
	cr_expect_str_eq(found.link.code, "link00042", "from a code that is not there");
}

Test(replica_writer, forgets_the_old_id_of_a_code)
{
	struct link link;
	struct replica *replica = replica_new(replica_scratch_directory());
	struct replica_record record = replica_scratch_record(0);
	replica_scratch_build(writer, 2);
	record.link.id = 77;
	replica_scratch_put(writer, &record);
	replica_scratch_say(LABEL_state_FOLLOWING);
	cr_expect_eq(replica_find_id(replica, NULL, 77, &link), LINK_OK);
	cr_expect_eq(replica_find_id(replica, NULL, 1, &link), LINK_UNKNOWN);
	replica_free(replica);
}

Test(replica_writer, is_alone)
{
	struct replica_writer *other = replica_scratch_writer();
	replica_scratch_build(writer, 1);
	cr_expect_eq(replica_writer_open(other), REPLICA_BUSY);
	cr_expect_eq(replica_writer_build(other), REPLICA_BUSY);
	replica_writer_free(writer);
	writer = NULL;
	cr_expect_eq(replica_writer_open(other), REPLICA_OK);
	replica_writer_free(other);
}

static unsigned replica_files(void)
{
	return scratch_count() - 3; /* the segment, writer.lock, current */
}

Test(replica_writer, leaves_no_old_file)
{
	replica_scratch_build(writer, 1);
	char old[512];
	snprintf(old, sizeof(old), "%s", replica_scratch_file());
	replica_scratch_build(writer, 1);
	cr_expect_neq(access(old, F_OK), 0);
	cr_expect_eq(replica_files(), 2, "the file and LMDB's lock file");
}

static void begin_to_build(void)
{
	struct replica_writer *child = replica_scratch_writer();
	const struct replica_record record = replica_scratch_record(7);
	cr_assert_eq(replica_writer_build(child), REPLICA_OK);
	replica_scratch_put(child, &record);
}

Test(replica_writer, sweeps_up_what_a_killed_one_was_building)
{
	replica_scratch_build_apart(1);
	scratch_kill(scratch_fork(begin_to_build));
	cr_expect_eq(replica_files(), 4);
	cr_expect_eq(replica_writer_open(writer), REPLICA_OK);
	cr_expect_eq(find(7), REPLICA_MISSING);
	replica_scratch_build(writer, 2);
	cr_expect_eq(replica_files(), 2);
}

static void change_half(void)
{
	struct replica_writer *child = replica_scratch_writer();
	struct replica_record record = replica_scratch_record(0);
	cr_assert_eq(replica_writer_open(child), REPLICA_OK);
	record.link.version = 2;
	replica_scratch_put(child, &record);
	cr_assert_eq(replica_writer_begin(child), REPLICA_OK);
	for (unsigned n = 1; n < 50; n++) {
		record = replica_scratch_record(n);
		record.link.version = 2;
		cr_assert_eq(replica_writer_put(child, &record, NULL), REPLICA_OK);
	}
}

Test(replica_writer, finds_the_last_commit_of_one_that_was_killed)
{
	replica_scratch_build_apart(100);
	scratch_kill(scratch_fork(change_half));
	cr_assert_eq(replica_writer_open(writer), REPLICA_OK);
	cr_expect_eq(find(0), REPLICA_OK);
	cr_expect_eq(found.link.version, 2);
	for (unsigned n = 1; n < 100; n++) {
		cr_expect_eq(find(n), REPLICA_OK);
		cr_expect_eq(found.link.version, 1, "%u", n);
	}
	const struct replica_record record = replica_scratch_record(100);
	replica_scratch_put(writer, &record);
}

static struct replica_meta known;

Test(replica_writer, remembers_what_must_be_there_without_its_file)
{
	static struct replica_meta meta = { .identity = "7301",
		.complete = true,
		.cursor_us = 1,
		.known = { { "abc", 1, 3, 1600, 1700 }, [15] = { "xyz", 2, 1, 1600, 1600 } } };
	cr_assert_eq(replica_writer_open(writer), REPLICA_MISSING);
	cr_expect_eq(replica_writer_get_memory(writer, &known), REPLICA_MISSING);
	cr_assert_eq(replica_writer_put_memory(writer, &meta), REPLICA_OK);
	replica_scratch_build(writer, 1);
	cr_expect_eq(replica_writer_get_memory(writer, &known), REPLICA_OK);
	cr_expect_str_eq(known.identity, "7301");
	cr_expect_str_eq(known.known[0].code, "abc");
	cr_expect_eq(known.known[0].version, 3);
	cr_expect_str_eq(known.known[15].code, "xyz");
	cr_expect_not(known.complete, "of the file, which may be gone");
	cr_expect_eq(known.cursor_us, 0);
	meta.known[1] = (struct replica_known){ "new", 3, 1, 1800, 1800 };
	cr_assert_eq(replica_writer_put_memory(writer, &meta), REPLICA_OK);
	cr_assert_eq(replica_writer_get_memory(writer, &known), REPLICA_OK);
	cr_expect_str_eq(known.known[1].code, "new");
	cr_expect_neq(access(scratch_path("known.new"), F_OK), 0);
}

Test(replica_writer, writes_again_what_was_removed)
{
	const struct replica_meta meta = { .identity = "7301" };
	cr_assert_eq(replica_writer_open(writer), REPLICA_MISSING);
	cr_assert_eq(replica_writer_put_memory(writer, &meta), REPLICA_OK);
	cr_assert_eq(unlink(scratch_path("known")), 0);
	cr_assert_eq(replica_writer_put_memory(writer, &meta), REPLICA_OK);
	cr_expect_eq(replica_writer_get_memory(writer, &known), REPLICA_OK);
}

Test(replica_writer, tells_a_damaged_memory_from_none)
{
	static const off_t sizes[] = { 0, 100, sizeof(known) };
	struct replica_meta meta = { .identity = "7301" };
	cr_assert_eq(replica_writer_open(writer), REPLICA_MISSING);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		meta.known[0].version++;
		cr_assert_eq(replica_writer_put_memory(writer, &meta), REPLICA_OK);
		cr_assert_eq(truncate(scratch_path("known"), sizes[i]), 0);
		cr_expect_eq(replica_writer_get_memory(writer, &known), REPLICA_DAMAGED);
	}
	meta.known[0].version++;
	cr_assert_eq(replica_writer_put_memory(writer, &meta), REPLICA_OK);
	int file = open(scratch_path("known"), O_WRONLY);
	cr_assert_eq(pwrite(file, "8", 1, 8), 1);
	close(file);
	cr_expect_eq(replica_writer_get_memory(writer, &known), REPLICA_DAMAGED);
}

static void open_only(void)
{
	(void)!replica_writer_open(replica_scratch_writer());
}

static void open_and_commit(void)
{
	struct replica_writer *child = replica_scratch_writer();
	const struct replica_record record = replica_scratch_record(0);
	cr_assert_eq(replica_writer_open(child), REPLICA_OK);
	replica_scratch_put(child, &record);
}

static void open_and_prove(void)
{
	struct replica_writer *child = replica_scratch_writer();
	cr_assert_eq(replica_writer_open(child), REPLICA_OK);
	replica_writer_prove(child);
}

static void open_for_a_minute(void)
{
	struct replica_writer *child = replica_scratch_writer();
	cr_assert_eq(replica_writer_open(child), REPLICA_OK);
	child->opened -= 60 * CLOCK_S;
	cr_assert_eq(replica_writer_check(child), REPLICA_OK);
}

static void open_twice(void)
{
	struct replica_writer *child = replica_scratch_writer();
	for (int i = 0; i < 9; i++)
		cr_assert_eq(replica_writer_open(child), REPLICA_OK);
}

static void open_and_end(void)
{
	struct replica_writer *child = replica_scratch_writer();
	(void)!replica_writer_open(child);
	replica_writer_free(child);
}

/* What a process finds after five others that did this and were killed. */
static enum replica_result after_five(void (*work)(void))
{
	replica_scratch_build(writer, 1);
	replica_writer_free(writer);
	for (int i = 0; i < 5; i++)
		scratch_kill(scratch_fork(work));
	writer = replica_scratch_writer();
	return replica_writer_open(writer);
}

Test(replica_writer, gives_up_a_file_that_nobody_survives)
{
	cr_expect_eq(after_five(open_only), REPLICA_DAMAGED);
	cr_expect_eq(replica_writer_find(writer, "abc", &found), REPLICA_DAMAGED);
	cr_expect_eq(replica_writer_open(writer), REPLICA_DAMAGED);
	cr_expect_eq(after_five(open_and_commit), REPLICA_DAMAGED, "a commit is no proof");
}

Test(replica_writer, keeps_a_file_that_was_survived)
{
	cr_expect_eq(after_five(open_and_prove), REPLICA_OK);
	cr_expect_eq(after_five(open_for_a_minute), REPLICA_OK);
	cr_expect_eq(after_five(open_and_end), REPLICA_OK);
}

Test(replica_writer, counts_processes_that_died_and_nothing_else)
{
	replica_scratch_build(writer, 1);
	replica_writer_free(writer);
	for (int i = 0; i < 3; i++)
		scratch_kill(scratch_fork(open_twice));
	writer = replica_scratch_writer();
	cr_expect_eq(replica_writer_open(writer), REPLICA_OK);
}

static void find_damage(void)
{
	struct replica_writer *child = replica_scratch_writer();
	cr_assert_eq(replica_writer_open(child), REPLICA_OK);
	cr_assert_eq(unlink(scratch_path("current")), 0);
	cr_assert_eq(replica_writer_check(child), REPLICA_DAMAGED);
}

Test(replica_writer, distrusts_what_another_process_found_damaged)
{
	char name[64] = "";
	replica_scratch_build(writer, 1);
	replica_writer_free(writer);
	cr_assert_gt(readlink(scratch_path("current"), name, sizeof(name) - 1), 0);
	scratch_kill(scratch_fork(find_damage));
	cr_assert_eq(symlink(name, scratch_path("current")), 0);
	writer = replica_scratch_writer();
	cr_expect_eq(replica_writer_open(writer), REPLICA_DAMAGED);
	replica_writer_free(writer);
	writer = replica_scratch_writer();
	cr_expect_eq(replica_writer_open(writer), REPLICA_DAMAGED, "after an orderly end, too");
	replica_scratch_build(writer, 1);
	replica_writer_free(writer);
	writer = replica_scratch_writer();
	cr_expect_eq(replica_writer_open(writer), REPLICA_OK, "it is another one");
}

Test(replica_writer, says_when_its_file_is_full)
{
	struct replica_writer *small = replica_writer_new(replica_scratch_directory(), 1 << 16);
	struct replica_record record = replica_scratch_record(0);
	memset(record.link.target, 'x', TARGET_URL_MAX);
	enum replica_result result = replica_writer_build(small);
	for (unsigned n = 0; n < 100 && result == REPLICA_OK; n++) {
		record.link.id = n + 1;
		snprintf(record.link.code, sizeof(record.link.code), "full%u", n);
		result = replica_writer_begin(small);
		if (result == REPLICA_OK)
			result = replica_writer_put(small, &record, NULL);
		if (result == REPLICA_OK)
			result = replica_writer_commit(small);
	}
	cr_expect_eq(result, REPLICA_FULL);
	replica_writer_free(small);
}
