#include "base/segment.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "unit/scratch.h"

static void cleanup(void)
{
	segment_close();
	scratch_remove();
}

TestSuite(segment, .init = scratch_make, .fini = cleanup);

static bool open_segment(void)
{
	return segment_open(scratch_path("segment"));
}

static uint64_t counted(void)
{
	return metrics_value(METRIC_links_created, 0, 0);
}

static void count_1000(void)
{
	if (open_segment())
		metrics_add(METRIC_links_created, 0, 0, 1000);
}

Test(segment, is_one_memory_for_all_processes)
{
	cr_assert(open_segment());
	pid_t child = scratch_fork(count_1000);
	cr_expect_eq(counted(), 1000);
	scratch_kill(child);
}

Test(segment, keeps_its_counters_when_every_process_was_killed)
{
	scratch_kill(scratch_fork(count_1000));
	cr_assert(open_segment());
	cr_expect_eq(counted(), 1000);
	cr_expect(segment_shared());
}

Test(segment, tells_when_it_was_made_and_nobody_else_may_read_it)
{
	struct stat file;
	int64_t before = clock_wall_ms();
	cr_assert(open_segment());
	int64_t made = segment_get()->header.created_ms;
	cr_expect(made >= before && made <= clock_wall_ms());
	cr_assert_eq(stat(segment_path(), &file), 0);
	cr_expect_eq(file.st_mode & 0777, 0600);
}

/* Damages the file in one way and expects a new one that counts from 0. */
static void expect_replaced(const char *how, off_t size, off_t at)
{
	count_1000();
	int descriptor = open(segment_path(), O_WRONLY);
	cr_assert_geq(descriptor, 0, "%s", how);
	if (size >= 0)
		cr_assert_eq(ftruncate(descriptor, size), 0, "%s", how);
	if (at >= 0)
		cr_assert_eq(pwrite(descriptor, "#damage#", 8, at), 8, "%s", how);
	close(descriptor);
	cr_expect(open_segment(), "%s", how);
	cr_expect(segment_shared(), "%s", how);
	cr_expect_eq(counted(), 0, "%s", how);
	cr_expect_eq(scratch_count(), 1, "%s", how);
}

Test(segment, replaces_a_damaged_file)
{
	expect_replaced("empty", 0, -1);
	expect_replaced("cut short", 4096, -1);
	expect_replaced("too long", sizeof(struct segment) + 1, -1);
	expect_replaced("another magic", -1, offsetof(struct segment_header, magic));
	expect_replaced("another layout", -1, offsetof(struct segment_header, layout));
	expect_replaced("another size", -1, offsetof(struct segment_header, bytes));
}

Test(segment, serves_on_with_private_memory_where_none_can_be_made)
{
	static const char *const paths[] = { "/nonexistent/folder/segment", "/proc/segment",
		"no slash" };
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		cr_expect_not(segment_open(paths[i]), "%s", paths[i]);
		cr_expect_not(segment_shared(), "%s", paths[i]);
		cr_expect_eq(segment_descriptor(), -1, "%s", paths[i]);
		metrics_add(METRIC_links_created, 0, 0, 1);
		cr_expect_eq(counted(), 1, "%s", paths[i]);
	}
}

Test(segment, does_not_follow_a_link_that_somebody_laid)
{
	cr_assert(open_segment());
	char laid[512];
	snprintf(laid, sizeof(laid), "%s", segment_path());
	unlink(laid);
	cr_assert_eq(symlink("/dev/null", laid), 0);
	cr_expect_not(open_segment());
	cr_expect_not(segment_shared());
}

Test(segment, knows_when_others_no_longer_find_it)
{
	cr_assert(open_segment());
	cr_expect(segment_shared());
	unlink(segment_path());
	cr_expect_not(segment_shared());
	pid_t child = scratch_fork(count_1000);
	cr_expect_not(segment_shared(), "another file has its name now");
	scratch_kill(child);
}

/* Many processes at once; each counts 1. The parent's pipe starts them together. */
static void open_at_once(unsigned processes)
{
	int start[2];
	char byte;
	cr_assert_eq(pipe(start), 0);
	for (unsigned i = 0; i < processes; i++) {
		if (fork() != 0)
			continue;
		close(start[1]);
		bool good = read(start[0], &byte, 1) == 0 && open_segment();
		metrics_add(METRIC_links_created, 0, 0, 1);
		_exit(good ? 0 : 1);
	}
	close(start[0]);
	close(start[1]);
	for (unsigned i = 0; i < processes; i++) {
		int status = -1;
		wait(&status);
		cr_expect_eq(status, 0);
	}
}

Test(segment, is_made_once_when_many_come_first)
{
	for (int round = 0; round < 20; round++) {
		open_at_once(16);
		cr_assert(open_segment());
		cr_assert_eq(counted(), 16, "round %d: %u", round, (unsigned)counted());
		cr_expect_eq(scratch_count(), 1);
		unlink(segment_path());
	}
}

Test(segment, is_replaced_once_when_many_find_it_damaged)
{
	for (int round = 0; round < 50; round++) {
		cr_assert(open_segment());
		cr_assert_eq(truncate(segment_path(), 100), 0);
		segment_close();
		open_at_once(16);
		cr_assert(open_segment());
		cr_assert_eq(counted(), 16, "round %d: %u", round, (unsigned)counted());
		unlink(segment_path());
	}
}
