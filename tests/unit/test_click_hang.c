/*
 * Clicks while a disk hangs. The disk is this file's: fdatasync(), and making a file without a
 * name, wait here as long as a test wants them to.
 */
#include "domain/click.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "domain/click_file.h"
#include "unit/spooling.h"

static atomic_bool hangs, waits;

static void wait_for_disk(void)
{
	waits = hangs;
	while (hangs)
		usleep(1000);
	waits = false;
}

int fdatasync(int descriptor)
{
	wait_for_disk();
	return (int)syscall(SYS_fdatasync, descriptor);
}

int openat(int folder, const char *path, int flags, ...)
{
	if ((flags & O_TMPFILE) == O_TMPFILE)
		wait_for_disk();
	return (int)syscall(SYS_openat, folder, path, flags, 0640);
}

TestSuite(click_hang, .init = spooling_begin, .fini = spooling_end);

static void *sync_all(void *argument)
{
	(void)argument;
	(void)click_sync();
	return NULL;
}

static pthread_t let_it_hang(void)
{
	pthread_t thread;
	hangs = true;
	cr_assert_eq(pthread_create(&thread, NULL, sync_all, NULL), 0);
	for (unsigned wait = 0; !waits && wait < 10000; wait++)
		usleep(1000);
	cr_assert(waits);
	return thread;
}

static void let_it_go(pthread_t thread)
{
	hangs = false;
	pthread_join(thread, NULL);
}

static void pass_a_look(void)
{
	cr_expect_eq(click_look(), CLICK_LOOK_MS);
	usleep(10000);
}

/* As when all of the process is stopped: time passes and nobody looks. */
Test(click_hang, is_not_taken_for_a_pause_of_the_process)
{
	record();
	pthread_t thread = let_it_hang();
	usleep(1500000);
	cr_expect_eq(record(), CLICK_KEPT);
	cr_expect_eq(dropped(LABEL_reason_ERROR), 0);
	pass_a_look();
	cr_expect_eq(record(), CLICK_KEPT);
	let_it_go(thread);
}

Test(click_hang, is_over_with_each_wait)
{
	for (unsigned i = 0; i < 3; i++) {
		record();
		pthread_t thread = let_it_hang();
		for (unsigned look = 0; look < 8; look++)
			pass_a_look();
		cr_expect_eq(record(), CLICK_KEPT);
		let_it_go(thread);
	}
}

Test(click_hang, drops_clicks_until_the_disk_is_back)
{
	unsigned wait = 0;
	record();
	pthread_t thread = let_it_hang();
	while (record() == CLICK_KEPT && ++wait < 6000)
		pass_a_look();
	cr_expect_eq(record(), CLICK_DROPPED);
	cr_expect_eq(dropped(LABEL_reason_ERROR), 2);
	let_it_go(thread);
	cr_expect_eq(record(), CLICK_KEPT);
	look();
	cr_expect_eq(found.segments, 1);
	cr_expect_eq(found.records, spooled());
}

Test(click_hang, is_noticed_by_who_has_written_nothing)
{
	unsigned wait = 0;
	pthread_t thread = let_it_hang();
	while (!click_files_hang() && ++wait < 6000)
		pass_a_look();
	cr_assert(click_files_hang());
	cr_expect_eq(record(), CLICK_DROPPED);
	cr_expect_eq(dropped(LABEL_reason_ERROR), 1);
	let_it_go(thread);
	look();
	cr_expect_eq(found.segments, 0);
	cr_expect_eq(record(), CLICK_KEPT);
}

Test(click_hang, does_not_hide_that_a_segment_was_deleted)
{
	/* The newest comes first to the disk. */
	struct click_file *deleted = click_file_new(spooling_path(""), 7, 1);
	look();
	cr_assert_eq(unlink(spooling_path(found.names[0])), 0);
	struct click_file *other = click_file_new(spooling_path(""), 7, 1);
	pthread_t thread = let_it_hang();
	cr_expect(click_file_is_spoilt(deleted));
	cr_expect_not(click_file_is_spoilt(other));
	let_it_go(thread);
	click_file_finish(deleted);
	click_file_finish(other);
	click_files_sync();
}
