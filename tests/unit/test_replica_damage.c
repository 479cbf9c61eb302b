/* What becomes of readers and of the writer when the file does not stay what it was. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/segment.h"
#include "unit/replica_scratch.h"
#include "unit/scratch.h"

enum { LINKS = 2000, PAGE = 4096 };

TestSuite(replica_damage, .init = replica_scratch_make, .fini = replica_scratch_remove);

static void overwrite(const char *path, off_t at, const void *bytes, size_t len)
{
	int descriptor = open(path, O_WRONLY | O_CREAT, 0600);
	cr_assert_eq(pwrite(descriptor, bytes, len, at), (ssize_t)len);
	close(descriptor);
}

static off_t size_of(const char *path)
{
	struct stat file;
	cr_assert_eq(stat(path, &file), 0);
	return file.st_size;
}

/* A good file, damaged in one way while nobody has it open. */
static void expect_damaged(const char *how, off_t size, off_t at)
{
	struct replica_writer *writer = replica_scratch_writer();
	struct replica *replica = replica_new(replica_scratch_directory());
	replica_scratch_build_apart(LINKS);
	char path[512];
	snprintf(path, sizeof(path), "%s", replica_scratch_file());
	if (size >= 0)
		cr_assert_eq(truncate(path, size), 0);
	if (at >= 0)
		overwrite(path, at, "\377\377\377\377\377\377\377\377", 8);
	replica_scratch_say(LABEL_state_FOLLOWING);
	cr_expect_eq(replica_scratch_find(replica, 7), LINK_DOWN, "%s", how);
	cr_expect_eq(replica_scratch_find(replica, 7), LINK_DOWN, "%s, at once again", how);
	cr_expect_eq(replica_writer_open(writer), REPLICA_DAMAGED, "%s", how);
	cr_expect_eq(replica_writer_begin(writer), REPLICA_DAMAGED, "%s", how);
	replica_scratch_build(writer, LINKS);
	cr_expect_eq(replica_scratch_find(replica, 7), LINK_OK, "%s: another one was built", how);
	replica_free(replica);
	replica_writer_free(writer);
}

Test(replica_damage, is_found_when_the_file_is_opened)
{
	expect_damaged("empty", 0, -1);
	expect_damaged("no page", 100, -1);
	expect_damaged("two pages", 2 * PAGE, -1);
	expect_damaged("half", 40 * PAGE, -1);
	expect_damaged("a foreign file", -1, 16);
	expect_damaged("another version", -1, 20);
	expect_damaged("an endless map", -1, 32);
	expect_damaged("another size of pages", -1, 40);
	expect_damaged("another size of pages in the other first page", -1, PAGE + 40);
	expect_damaged("more pages than the file has", -1, 136);
}

Test(replica_damage, is_no_file_where_current_leads_nowhere)
{
	struct replica_writer *writer = replica_scratch_writer();
	cr_assert_eq(symlink("links-0000000000000abc.mdb", scratch_path("current")), 0);
	cr_expect_eq(replica_writer_open(writer), REPLICA_MISSING);
	cr_assert_eq(unlink(scratch_path("current")), 0);
	cr_assert_eq(symlink("../../etc/passwd", scratch_path("current")), 0);
	cr_expect_eq(replica_writer_open(writer), REPLICA_MISSING);
	replica_writer_free(writer);
}

Test(replica_damage, is_noticed_by_the_writer_when_files_go)
{
	static const char *const what[] = { "", "-lock" };
	for (size_t i = 0; i < sizeof(what) / sizeof(*what); i++) {
		struct replica_writer *writer = replica_scratch_writer();
		char path[600];
		replica_scratch_build(writer, 10);
		cr_assert_eq(replica_writer_check(writer), REPLICA_OK);
		snprintf(path, sizeof(path), "%s%s", replica_scratch_file(), what[i]);
		cr_assert_eq(unlink(path), 0);
		cr_expect_eq(replica_writer_check(writer), REPLICA_DAMAGED);
		replica_scratch_build(writer, 10);
		cr_expect_eq(replica_writer_check(writer), REPLICA_OK);
		cr_assert_eq(truncate(replica_scratch_file(), PAGE), 0);
		cr_expect_eq(replica_writer_begin(writer), REPLICA_DAMAGED);
		replica_scratch_build(writer, 10);
		unlink(scratch_path("current"));
		cr_expect_eq(replica_writer_check(writer), REPLICA_DAMAGED);
		replica_writer_free(writer);
	}
}

Test(replica_damage, is_survived_by_a_reader_whose_file_is_deleted)
{
	struct replica_writer *writer = replica_scratch_writer();
	struct replica *replica = replica_new(replica_scratch_directory());
	replica_scratch_build(writer, 10);
	cr_expect_eq(replica_scratch_find(replica, 3), LINK_OK);
	unlink(replica_scratch_file());
	cr_expect_eq(replica_scratch_find(replica, 3), LINK_OK, "what is open stays");
	struct replica *late = replica_new(replica_scratch_directory());
	cr_expect_eq(replica_writer_check(writer), REPLICA_DAMAGED);
	replica_scratch_build(writer, 11);
	cr_expect_eq(replica_scratch_find(replica, 10), LINK_OK);
	cr_expect_eq(replica_scratch_find(late, 10), LINK_OK);
	replica_free(late);
	replica_free(replica);
	replica_writer_free(writer);
}

static atomic_bool enough;
static atomic_uint found, down, wrong;

static void *read_on(void *context)
{
	struct replica *replica = replica_new(replica_scratch_directory());
	unsigned n = *(unsigned *)context;
	while (!atomic_load(&enough)) {
		struct link link;
		n = (n * 31 + 7) % LINKS;
		const struct replica_record record = replica_scratch_record(n);
		switch (replica_find(replica, NULL, record.link.code, &link)) {
		case LINK_OK:
			if (strcmp(link.target, record.link.target) != 0)
				wrong++;
			found++;
			break;
		case LINK_DOWN: down++; break;
		case LINK_UNKNOWN:
		case LINK_GONE:
		case LINK_TAKEN:
		case LINK_NOBODY:
		case LINK_CHANGED: wrong++; break;
		}
	}
	replica_free(replica);
	return NULL;
}

static void wait_for_more(atomic_uint *count)
{
	for (unsigned before = atomic_load(count); atomic_load(count) < before + 1000;)
		sched_yield();
}

Test(replica_damage, is_survived_when_the_file_is_cut_under_readers)
{
	static const off_t sizes[] = { 30 * PAGE, 2 * PAGE, 0 };
	struct replica_writer *writer = replica_scratch_writer();
	pthread_t threads[3];
	unsigned seeds[3] = { 1, 2, 3 };
	replica_scratch_build(writer, LINKS);
	replica_scratch_say(LABEL_state_REFUSING);
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, read_on, &seeds[i]);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		wait_for_more(&found);
		cr_assert_gt(size_of(replica_scratch_file()), sizes[i]);
		cr_assert_eq(truncate(replica_scratch_file(), sizes[i]), 0);
		wait_for_more(&down);
		cr_expect_eq(replica_writer_check(writer), REPLICA_DAMAGED);
		replica_scratch_build(writer, LINKS);
	}
	wait_for_more(&found);
	atomic_store(&enough, true);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	cr_expect_eq(wrong, 0);
	replica_writer_free(writer);
}

/* Flips bits and writes rubbish, more at the heads of pages, where LMDB's pointers are. */
static void spoil(const char *path, off_t size)
{
	for (int left = 1 + rand() % (rand() % 2 ? 3 : 100); left > 0; left--) {
		off_t at = rand() % (size / PAGE) * PAGE + rand() % (rand() % 2 ? 64 : PAGE);
		unsigned char byte = (unsigned char)rand();
		overwrite(path, at, &byte, 1);
	}
}

static void copy_file(const char *from, const char *to, off_t size)
{
	int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_TRUNC | O_CREAT, 0600);
	char *bytes = malloc((size_t)size);
	cr_assert_eq(read(in, bytes, (size_t)size), size);
	cr_assert_eq(write(out, bytes, (size_t)size), size);
	free(bytes);
	close(in);
	close(out);
}

/* In a process of its own: looks at every link, and walks. Ends with 0 if all found was right. */
static void read_all(void)
{
	static struct replica_record record;
	char after[CODE_MAX + 1] = "";
	struct replica *replica = replica_new(replica_scratch_directory());
	for (unsigned n = 0; n < LINKS; n++) {
		struct link link;
		const struct replica_record wanted = replica_scratch_record(n);
		if (replica_find(replica, NULL, wanted.link.code, &link) == LINK_OK &&
			strcmp(link.target, wanted.link.target) != 0)
			_exit(1);
		if (replica_find_id(replica, NULL, n + 1, &link) == LINK_OK &&
			strcmp(link.target, wanted.link.target) != 0)
			_exit(1);
	}
	while (replica_next(replica, after, &record) == LINK_OK)
		memcpy(after, record.link.code, sizeof(after));
	replica_free(replica);
	_exit(0);
}

Test(replica_damage, of_any_kind_gives_no_wrong_link_and_kills_no_reader)
{
	char good[512], path[512];
	replica_scratch_build_apart(LINKS);
	snprintf(path, sizeof(path), "%s", replica_scratch_file());
	snprintf(good, sizeof(good), "%s", scratch_path("good"));
	off_t size = size_of(path);
	copy_file(path, good, size);
	for (unsigned seed = 1; seed <= 300; seed++) {
		int status = -1;
		srand(seed);
		copy_file(good, path, size);
		spoil(path, size);
		pid_t child = fork();
		if (child == 0)
			read_all();
		cr_assert_eq(waitpid(child, &status, 0), child);
		cr_expect_eq(status, 0, "seed %u: status %d", seed, status);
	}
}

Test(replica_damage, of_a_record_is_reported_to_the_writer)
{
	static struct replica_record record;
	char *bytes = malloc(1 << 22);
	struct replica_writer *writer = replica_scratch_writer();
	struct replica *replica = replica_new(replica_scratch_directory());
	replica_scratch_build_apart(10);
	off_t size = (off_t)scratch_read(strrchr(replica_scratch_file(), '/') + 1, bytes, 1 << 22);
	const char *target = memmem(bytes, (size_t)size, "example.com/link00005", 21);
	cr_assert_not_null(target);
	overwrite(replica_scratch_file(), target - bytes, "exbmple", 7);
	free(bytes);
	replica_scratch_say(LABEL_state_FOLLOWING);
	cr_expect_eq(replica_scratch_find(replica, 5), LINK_DOWN);
	cr_expect_eq(replica_scratch_find(replica, 4), LINK_OK);
	cr_expect_eq(segment_get()->hints_added, 1);
	cr_expect_eq(segment_get()->bells[0].rung, 1);
	cr_expect_eq(replica_next(replica, replica_scratch_code(3), &record), LINK_OK);
	cr_expect_eq(replica_next(replica, replica_scratch_code(4), &record), LINK_DOWN,
		"not the end of the walk");
	replica_free(replica);
	cr_assert_eq(replica_writer_open(writer), REPLICA_OK);
	cr_expect_eq(
		replica_writer_find(writer, replica_scratch_code(5), &record), REPLICA_DAMAGED);
	replica_writer_free(writer);
}
