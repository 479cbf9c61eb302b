#include "domain/click_file.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/scratch.h"
#include "unit/spooling.h"

TestSuite(click_file, .init = spooling_begin, .fini = spooling_end);

Test(click_file, writers_have_segments_of_their_own)
{
	struct click_writer *other = click_writer_new(spooling_path(""), 7);
	record();
	cr_assert_eq(click_record(other, &sample), CLICK_KEPT);
	look();
	cr_expect_eq(found.locked, 2);
	click_writer_free(other);
	look();
	cr_expect_eq(found.locked, 1);
	cr_expect_eq(found.records, 2);
}

Test(click_file, a_segment_ends_after_an_hour_or_when_the_clock_goes_back)
{
	record_at(sample.at);
	record_at(sample.at + CLICK_SEGMENT_MS - 1);
	look();
	cr_expect_eq(found.segments, 1);
	record_at(sample.at + CLICK_SEGMENT_MS);
	look();
	cr_expect_eq(found.locked, 1, "the old one is finished at once, not when it is synced");
	cr_expect_eq(found.segments, 2);
	record_at(sample.at);
	look();
	cr_expect_eq(found.locked, 1);
	cr_expect_eq(found.segments, 3);
	click_sync();
	record_at(sample.at);
	look();
	cr_expect_eq(found.records, 5);
	cr_expect_eq(found.wrong + found.torn, 0);
}

static void expect_end_at(off_t bytes)
{
	enum { ENOUGH = 250000 }; /* of 100 bytes */
	struct stat status;
	unsigned clicks = 0;
	for (look(); found.segments < 2 && clicks < ENOUGH; clicks++) {
		cr_assert_eq(record(), CLICK_KEPT);
		if (clicks * INT64_C(100) % (bytes / 16) < 100)
			look();
	}
	look();
	cr_assert_eq(found.segments, 2);
	cr_expect_eq(found.records, clicks);
	cr_expect_eq(found.wrong + found.torn, 0);
	off_t larger = 0;
	for (unsigned i = 0; i < 2; i++) {
		cr_assert_eq(stat(spooling_path(found.names[i]), &status), 0);
		larger = status.st_size > larger ? status.st_size : larger;
	}
	cr_expect_geq(larger, bytes);
	cr_expect_lt(larger, bytes + CLICK_LINE_MAX);
}

Test(click_file, a_segment_ends_when_it_is_large)
{
	expect_end_at(CLICK_SEGMENT_BYTES);
}

Test(click_file, a_segment_ends_sooner_in_a_small_spool)
{
	spooling_settings("0", "1048576");
	expect_end_at((1 << 20) / 16);
}

static void record_in_another_process(void)
{
	record();
}

Test(click_file, a_segment_is_locked_until_its_writer_ends_however_it_ends)
{
	pid_t child = scratch_fork(record_in_another_process);
	look();
	cr_expect_eq(found.locked, 1);
	scratch_kill(child);
	look();
	cr_expect_eq(found.locked, 0);
	cr_expect_eq(found.segments, 1);
	record();
	click_writer_free(writer);
	writer = NULL;
	look();
	cr_expect_eq(found.locked, 0);
	cr_expect_eq(found.segments, 2, "nobody appends to a segment of somebody else");
	cr_expect_eq(found.records, 2);
}

static void record_for_ever(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (record() == CLICK_KEPT)
		;
	_exit(1);
}

Test(click_file, is_whole_or_at_the_torn_end_when_its_writer_is_killed)
{
	enum { KILLS = 60 };
	for (unsigned kill_number = 0; kill_number < KILLS; kill_number++) {
		pid_t child = fork();
		if (child == 0)
			record_for_ever();
		usleep(kill_number * 331 % 5000);
		kill(child, SIGKILL);
		cr_assert_eq(waitpid(child, NULL, 0), child);
	}
	look();
	cr_expect_eq(found.locked, 0);
	cr_expect_gt(spooled(), 0);
	cr_expect_eq(found.wrong, 0);
	cr_expect_leq(found.torn, KILLS);
	cr_expect_geq(found.records, spooled(), "a click that was counted is there");
	cr_expect_leq(found.records, spooled() + KILLS);
}

/* The largest size that a file of this process may have, as if the disk ended there. */
static void limit_files(rlim_t bytes)
{
	struct rlimit limit;
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = bytes;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

Test(click_file, is_dropped_and_leaves_no_part_of_a_line_when_the_disk_is_full)
{
	signal(SIGXFSZ, SIG_IGN);
	limit_files(1000);
	unsigned kept = 0;
	while (record() == CLICK_KEPT)
		kept++;
	cr_expect_eq(record(), CLICK_DROPPED);
	cr_expect_eq(dropped(LABEL_reason_DISK_FULL), 2);
	look();
	cr_expect_gt(kept, 0);
	cr_expect_eq(found.records, kept);
	cr_expect_eq(found.torn, 0);
	cr_expect_eq(spooled(), kept);
	limit_files(RLIM_INFINITY);
	click_sync();
	for (unsigned wait = 0; wait < 1000 && record() == CLICK_DROPPED; wait++) {
		usleep(10000);
		click_sync();
	}
	look();
	cr_expect_eq(found.segments, 1, "the segment is as good as before");
	cr_expect_eq(found.records, kept + 1);
	cr_expect_eq(found.wrong + found.torn, 0);
}

Test(click_file, goes_to_the_old_segment_where_no_new_one_can_be_made)
{
	char elsewhere[80];
	text_copy(elsewhere, sizeof(elsewhere), scratch_path("elsewhere"));
	record();
	cr_assert_eq(rename(spooling_path(""), elsewhere), 0);
	cr_expect_eq(record_at(sample.at + CLICK_SEGMENT_MS), CLICK_KEPT);
	cr_assert_eq(rename(elsewhere, spooling_path("")), 0);
	cr_expect_eq(record_at(sample.at + 2 * CLICK_SEGMENT_MS), CLICK_KEPT);
	look();
	cr_expect_eq(found.locked, 1);
	cr_expect_eq(found.segments, 2);
	cr_expect_eq(found.records, 3);
}

Test(click_file, goes_to_a_new_segment_when_the_old_one_was_deleted)
{
	record();
	look();
	unlink(spooling_path(found.names[0]));
	click_sync();
	record();
	look();
	cr_expect_eq(found.segments, 1);
	cr_expect_eq(found.records, 1);
}

/* The spool goes elsewhere, with what it holds. */
static const char *move_spool(void)
{
	static char elsewhere[80];
	text_copy(elsewhere, sizeof(elsewhere), scratch_path("elsewhere"));
	cr_assert_eq(rename(spooling_path(""), elsewhere), 0);
	return elsewhere;
}

Test(click_file, goes_to_the_directory_that_took_the_place_of_the_old_one)
{
	char replaced[160];
	record();
	look();
	const char *elsewhere = move_spool();
	cr_assert_eq(mkdir(spooling_path(""), 0700), 0);
	click_sync();
	cr_expect_eq(record(), CLICK_KEPT);
	snprintf(replaced, sizeof(replaced), "%s/%s", elsewhere, found.names[0]);
	look();
	cr_expect_eq(found.segments, 1);
	cr_expect_eq(found.records, 1);
	click_sync();
	record();
	look();
	cr_expect_eq(found.segments, 1, "the new directory is the right one");
	cr_expect_eq(unlink(replaced), 0);
	cr_expect_eq(rmdir(elsewhere), 0);
}

Test(click_file, is_dropped_when_the_directory_was_renamed)
{
	record();
	const char *elsewhere = move_spool();
	click_sync();
	cr_expect_eq(record(), CLICK_DROPPED);
	cr_expect_eq(dropped(LABEL_reason_ERROR), 1);
	cr_assert_eq(rename(elsewhere, spooling_path("")), 0);
	look();
	cr_expect_eq(found.records, 1);
	cr_expect_eq(found.locked, 0, "its reader need not wait");
}
