#include "domain/click_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/segment.h"
#include "base/text.h"
#include "domain/click.h"

enum { PATH_ROOM = 1200, MORE_BYTES = 1 << 20, MORE_MS = 10 * 1000 };

struct click_file {
	int descriptor;
	/* Of the writer alone. */
	off_t len;       /* bytes, all of them whole lines */
	off_t len_limit; /* due from here */
	int64_t begin;   /* milliseconds since 1970: due before this */
	int64_t life;    /* milliseconds: due when it is as old as that */
	/* Of both. */
	atomic_bool dirty, spoilt, finished;
	/* Of who holds `syncing` alone. */
	const char *directory; /* whose entry is not on the disk yet; else NULL */
	struct click_file *next;
};

static struct click_file *files;
/* Held for a few instructions, whenever the list changes. */
static pthread_mutex_t listing = PTHREAD_MUTEX_INITIALIZER;
/* Held while waiting for disks. Only who holds it takes a file from the list. */
static pthread_mutex_t syncing = PTHREAD_MUTEX_INITIALIZER;

static bool write_header(int descriptor, int64_t node, off_t *len)
{
	char memory[CLICK_LINE_MAX], created[CLOCK_TEXT];
	struct text line = text_fixed(memory, sizeof(memory));
	clock_format(clock_wall_ms(), created);
	text_addf(&line, "# linkshrink clicks 1 %" PRId64 " %016" PRIx64 " %s\n", node,
		segment_get()->header.run, created);
	*len = (off_t)line.len;
	errno = ENOSPC; /* what a short write means */
	return write(descriptor, line.data, line.len) == (ssize_t)line.len;
}

static bool give_name(int descriptor, const char *directory)
{
	char unnamed[64], path[PATH_ROOM];
	uint64_t number;
	do {
		random_bytes(&number, sizeof(number));
		number &= INT64_MAX; /* it is a bigint in PostgreSQL */
	} while (number == 0);
	snprintf(unnamed, sizeof(unnamed), "/proc/self/fd/%d", descriptor);
	snprintf(path, sizeof(path), "%s/%016" PRIx64 CLICK_SUFFIX, directory, number);
	return linkat(AT_FDCWD, unnamed, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0;
}

/*
 * Locked before it has a name, so that nobody ever finds it without its lock. A process that is
 * killed before leaves nothing; after, a segment without records, finished.
 */
static int make(const char *directory, int64_t node, off_t *len)
{
	int descriptor = open(directory, O_TMPFILE | O_WRONLY | O_APPEND | O_CLOEXEC, 0640);
	if (descriptor < 0)
		return -1;
	if (write_header(descriptor, node, len) && flock(descriptor, LOCK_EX | LOCK_NB) == 0 &&
		give_name(descriptor, directory))
		return descriptor;
	int error = errno;
	close(descriptor);
	errno = error;
	return -1;
}

struct click_file *click_file_new(const char *directory, int64_t node, int64_t now)
{
	struct click_file *file = calloc(1, sizeof(*file));
	if (file == NULL)
		return NULL;
	file->descriptor = make(directory, node, &file->len);
	if (file->descriptor < 0) {
		free(file);
		return NULL;
	}
	file->len_limit = CLICK_SEGMENT_BYTES;
	file->begin = now;
	file->life = CLICK_SEGMENT_MS;
	file->directory = directory;
	atomic_init(&file->dirty, true);
	pthread_mutex_lock(&listing);
	file->next = files;
	files = file;
	pthread_mutex_unlock(&listing);
	return file;
}

/*
 * The newline is the last byte: a reader that comes between a short write and its undoing sees an
 * unfinished line, never a wrong one. Killed in between, this leaves one at the end of the segment,
 * for a click that was not answered.
 */
static void undo(struct click_file *file)
{
	if (ftruncate(file->descriptor, file->len) != 0)
		atomic_store(&file->spoilt, true);
}

bool click_file_append(struct click_file *file, const char *line, size_t len)
{
	ssize_t written = write(file->descriptor, line, len);
	int error = written < 0 ? errno : ENOSPC;
	if (written == (ssize_t)len)
		file->len += written;
	else if (written > 0)
		undo(file);
	/* Written first: a sync that clears the mark in between leaves it set once more, no less. */
	atomic_store_explicit(&file->dirty, true, memory_order_release);
	errno = error;
	return written == (ssize_t)len;
}

bool click_file_is_due(const struct click_file *file, int64_t now)
{
	return file->len >= file->len_limit || now < file->begin ||
	       now - file->begin >= file->life || click_file_is_spoilt(file);
}

void click_file_prolong(struct click_file *file, int64_t now)
{
	file->len_limit = file->len + MORE_BYTES;
	file->begin = now;
	file->life = MORE_MS;
}

bool click_file_is_spoilt(const struct click_file *file)
{
	return atomic_load_explicit(&file->spoilt, memory_order_relaxed);
}

void click_file_finish(struct click_file *file)
{
	if (file == NULL)
		return;
	/* Now, not when it is closed: that waits for the disk. */
	flock(file->descriptor, LOCK_UN);
	atomic_store_explicit(&file->finished, true, memory_order_release);
}

/* The name of a file is part of its directory, which is another file to the disk. */
static bool sync_name(struct click_file *file)
{
	if (file->directory == NULL)
		return true;
	int descriptor = open(file->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool good = descriptor >= 0 && fsync(descriptor) == 0;
	if (descriptor >= 0)
		close(descriptor);
	file->directory = NULL;
	return good;
}

/*
 * What a failed sync leaves in memory is never tried again by the kernel, and a file without a
 * name is found by nobody: the writer begins another one.
 */
static void sync_one(struct click_file *file)
{
	struct stat status;
	if (fstat(file->descriptor, &status) == 0 && status.st_nlink == 0)
		atomic_store(&file->spoilt, true);
	if (!atomic_exchange_explicit(&file->dirty, false, memory_order_acquire))
		return;
	if (fdatasync(file->descriptor) == 0 && sync_name(file))
		return;
	log_event(LOG_ERROR, "spool_not_synced", strerrordesc_np(errno));
	atomic_store(&file->spoilt, true);
}

static void take_from_list(struct click_file *file)
{
	pthread_mutex_lock(&listing);
	struct click_file **link = &files;
	while (*link != file)
		link = &(*link)->next;
	*link = file->next;
	pthread_mutex_unlock(&listing);
}

void click_files_sync(void)
{
	pthread_mutex_lock(&syncing);
	pthread_mutex_lock(&listing);
	struct click_file *file = files, *next;
	pthread_mutex_unlock(&listing);
	/* Others only add before the first, so from here on the list is ours. */
	for (; file != NULL; file = next) {
		next = file->next;
		bool finished = atomic_load_explicit(&file->finished, memory_order_acquire);
		sync_one(file);
		if (!finished)
			continue;
		take_from_list(file);
		close(file->descriptor);
		free(file);
	}
	pthread_mutex_unlock(&syncing);
}
