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
#include "base/config.h"
#include "base/log.h"
#include "base/random.h"
#include "base/segment.h"
#include "base/text.h"
#include "domain/click.h"

enum {
	MORE_BYTES = 1 << 20,
	MORE_MS = 10 * 1000,
	PARTS = 16,      /* of the spool: none of its segments may be larger than one */
	HANGS_LOOKS = 10 /* a disk that is waited for at more of them, in a row */
};

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
	const char *directory;
	dev_t device; /* of the directory as it was when the file was made, as is inode */
	ino_t inode;
	int folder; /* that directory, until the file's entry in it is on the disk; then -1 */
	struct click_file *next;
};

static struct click_file *files;
/* Held for a few instructions, whenever the list changes. */
static pthread_mutex_t listing = PTHREAD_MUTEX_INITIALIZER;
/* Held while waiting for disks. Only who holds it takes a file from the list. */
static pthread_mutex_t syncing = PTHREAD_MUTEX_INITIALIZER;
/* At how many looks who holds it was waiting for one disk, and one more; 0: it waits for none. */
static atomic_uint waiting;

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

static bool give_name(int descriptor, int folder)
{
	char unnamed[64], name[64];
	uint64_t number;
	do {
		random_bytes(&number, sizeof(number));
		number &= INT64_MAX; /* it is a bigint in PostgreSQL */
	} while (number == 0);
	snprintf(unnamed, sizeof(unnamed), "/proc/self/fd/%d", descriptor);
	snprintf(name, sizeof(name), "%016" PRIx64 CLICK_SUFFIX, number);
	return linkat(AT_FDCWD, unnamed, folder, name, AT_SYMLINK_FOLLOW) == 0;
}

static int open_unnamed(int folder, const char *directory)
{
	return openat(folder, directory, O_TMPFILE | O_WRONLY | O_APPEND | O_CLOEXEC, 0640);
}

/*
 * Locked before it has a name, so that nobody ever finds it without its lock. A process that is
 * killed before leaves nothing; after, a segment without records, finished.
 */
static bool make(struct click_file *file, int64_t node)
{
	struct stat status;
	file->folder = open(file->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (file->folder < 0 || fstat(file->folder, &status) != 0)
		return false;
	file->device = status.st_dev;
	file->inode = status.st_ino;
	file->descriptor = open_unnamed(file->folder, ".");
	return file->descriptor >= 0 && write_header(file->descriptor, node, &file->len) &&
	       flock(file->descriptor, LOCK_EX | LOCK_NB) == 0 &&
	       give_name(file->descriptor, file->folder);
}

/* Leaves errno as it is. */
static void discard(struct click_file *file)
{
	int error = errno;
	if (file->folder >= 0)
		close(file->folder);
	if (file->descriptor >= 0)
		close(file->descriptor);
	free(file);
	errno = error;
}

/* In a small spool a segment is small, so that it ends, and can leave, before it fills the spool. */
static off_t largest(void)
{
	int64_t part = config_get()->spool_max_bytes / PARTS;
	return part < CLICK_SEGMENT_BYTES ? part : CLICK_SEGMENT_BYTES;
}

struct click_file *click_file_new(const char *directory, int64_t node, int64_t now)
{
	struct click_file *file = calloc(1, sizeof(*file));
	if (file == NULL)
		return NULL;
	file->directory = directory;
	file->folder = file->descriptor = -1;
	if (!make(file, node)) {
		discard(file);
		return NULL;
	}
	file->len_limit = largest();
	file->begin = now;
	file->life = CLICK_SEGMENT_MS;
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

/* What lies where nobody looks is found by nobody: it was deleted, or its directory replaced. */
static bool is_lost(const struct click_file *file)
{
	struct stat status;
	if (fstat(file->descriptor, &status) == 0 && status.st_nlink == 0)
		return true;
	if (stat(file->directory, &status) != 0)
		return errno == ENOENT || errno == ENOTDIR;
	return status.st_dev != file->device || status.st_ino != file->inode;
}

/* The name of a file is part of its directory, which is another file to the disk. */
static bool sync_name(struct click_file *file)
{
	if (file->folder < 0)
		return true;
	bool good = fsync(file->folder) == 0;
	int error = errno;
	close(file->folder);
	file->folder = -1;
	errno = error;
	return good;
}

static void begin_waiting(void)
{
	atomic_store_explicit(&waiting, 1, memory_order_relaxed);
}

static void end_waiting(void)
{
	atomic_store_explicit(&waiting, 0, memory_order_relaxed);
}

/* Not by a clock: while all of this process is stopped, or gets no processor, time passes that is
 * no fault of the disk. Nobody looks then, either. */
void click_files_look(void)
{
	unsigned looks = atomic_load_explicit(&waiting, memory_order_relaxed);
	if (looks != 0) /* if the wait ends just now, that stays */
		atomic_compare_exchange_strong_explicit(
			&waiting, &looks, looks + 1, memory_order_relaxed, memory_order_relaxed);
}

bool click_files_hang(void)
{
	return atomic_load_explicit(&waiting, memory_order_relaxed) > HANGS_LOOKS;
}

/* What a failed sync leaves in memory is never tried again by the kernel: the file is spoilt. */
static void sync_one(struct click_file *file)
{
	if (!atomic_exchange_explicit(&file->dirty, false, memory_order_acquire))
		return;
	begin_waiting();
	bool good = fdatasync(file->descriptor) == 0 && sync_name(file);
	end_waiting();
	if (good)
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

/* The files from this one on: all looked at before the first of them waits for its disk. */
static void sync_from(struct click_file *file)
{
	for (struct click_file *each = file; each != NULL; each = each->next)
		if (is_lost(each))
			atomic_store(&each->spoilt, true);
	for (struct click_file *next; file != NULL; file = next) {
		next = file->next;
		bool finished = atomic_load_explicit(&file->finished, memory_order_acquire);
		sync_one(file);
		if (!finished)
			continue;
		take_from_list(file);
		discard(file);
	}
}

void click_files_sync(void)
{
	pthread_mutex_lock(&syncing);
	pthread_mutex_lock(&listing);
	struct click_file *first = files;
	pthread_mutex_unlock(&listing);
	/* Others only add before the first, so from here on the list is ours. */
	sync_from(first);
	pthread_mutex_unlock(&syncing);
}

void click_files_probe(const char *directory)
{
	pthread_mutex_lock(&syncing);
	begin_waiting();
	int descriptor = open_unnamed(AT_FDCWD, directory);
	if (descriptor >= 0)
		close(descriptor);
	end_waiting();
	pthread_mutex_unlock(&syncing);
}
