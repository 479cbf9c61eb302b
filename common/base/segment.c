#include "base/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/random.h"

#define SEGMENT_MAGIC UINT64_C(0x6b6e697268736b6c) /* "lkshrink" */

static struct {
	struct segment *map;
	int descriptor; /* -1 while the memory is private */
	char path[1100];
} state = { .descriptor = -1 };

/* What a process of before main() or without a file counts into: a page set of its own. */
static struct segment *map_private(void)
{
	void *map = mmap(NULL, sizeof(struct segment), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED)
		abort();
	return map;
}

static uint64_t layout(void)
{
	return metrics_layout() ^ sizeof(struct segment) << 1 ^ (uint64_t)WORKER_PROCESSES << 32 ^
	       WORKER_THREADS;
}

/* A whole segment, complete before it has a name. */
static int make_unnamed(const char *directory)
{
	struct segment_header header = { .magic = SEGMENT_MAGIC,
		.layout = layout(),
		.bytes = sizeof(struct segment),
		.created_ms = clock_wall_ms() };
	random_bytes(&header.run, sizeof(header.run));
	header.run |= 1;
	int descriptor = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (descriptor < 0)
		return -1;
	/* posix_fallocate() rather than ftruncate(): a full tmpfs is an error now, not SIGBUS
	 * later. */
	int full = posix_fallocate(descriptor, 0, sizeof(struct segment));
	if (full != 0 || pwrite(descriptor, &header, sizeof(header), 0) != sizeof(header)) {
		close(descriptor);
		errno = full != 0 ? full : EIO;
		return -1;
	}
	return descriptor;
}

static bool is_whole(int descriptor)
{
	struct stat file;
	struct segment_header header;
	return fstat(descriptor, &file) == 0 && file.st_size == sizeof(struct segment) &&
	       pread(descriptor, &header, sizeof(header), 0) == sizeof(header) &&
	       header.magic == SEGMENT_MAGIC && header.layout == layout() &&
	       header.bytes == sizeof(struct segment);
}

static bool is_same_file(int descriptor, const char *path)
{
	struct stat ours, at_path;
	return fstat(descriptor, &ours) == 0 && stat(path, &at_path) == 0 &&
	       ours.st_ino == at_path.st_ino && ours.st_dev == at_path.st_dev;
}

/*
 * Takes the name from a damaged file. Who does it holds the lock on that very file, so nobody can
 * take it from the good one that another process has just put in its place.
 */
static void remove_damaged(int descriptor, const char *path)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	if (flock(descriptor, LOCK_EX | LOCK_NB) != 0)
		nanosleep(&pause, NULL);
	else if (is_same_file(descriptor, path))
		unlink(path);
}

/* Gives a new file its name; -1 and EEXIST if somebody was faster. */
static int make_named(const char *path, const char *directory)
{
	char unnamed[64];
	int descriptor = make_unnamed(directory);
	if (descriptor < 0)
		return -1;
	snprintf(unnamed, sizeof(unnamed), "/proc/self/fd/%d", descriptor);
	if (linkat(AT_FDCWD, unnamed, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0)
		return descriptor;
	int error = errno;
	close(descriptor);
	errno = error;
	return -1;
}

/* Opens the file, or makes it; a damaged one makes way for a new one. */
static int open_or_make(const char *path, const char *directory)
{
	for (int tries = 0; tries < 1000; tries++) {
		int descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
		if (descriptor >= 0 && is_whole(descriptor))
			return descriptor;
		if (descriptor >= 0) {
			remove_damaged(descriptor, path);
			close(descriptor);
			continue;
		}
		if (errno != ENOENT)
			return -1;
		descriptor = make_named(path, directory);
		if (descriptor >= 0 || errno != EEXIST)
			return descriptor;
	}
	return -1;
}

static bool split_path(const char *path, char directory[1024])
{
	const char *slash = strrchr(path, '/');
	size_t len = slash == NULL ? 0 : (size_t)(slash - path);
	if (slash == NULL || len >= 1024)
		return false;
	memcpy(directory, path, len);
	directory[len] = '\0';
	if (len == 0)
		text_copy(directory, 1024, "/");
	return true;
}

bool segment_open(const char *path)
{
	char directory[1024];
	segment_close();
	snprintf(state.path, sizeof(state.path), "%s.%016llx", path, (unsigned long long)layout());
	if (!split_path(path, directory)) {
		errno = EINVAL;
		return false;
	}
	int descriptor = open_or_make(state.path, directory);
	if (descriptor < 0)
		return false;
	void *map = mmap(
		NULL, sizeof(struct segment), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
	if (map == MAP_FAILED) {
		close(descriptor);
		return false;
	}
	state.map = map;
	state.descriptor = descriptor;
	return true;
}

void segment_close(void)
{
	if (state.map != NULL)
		munmap(state.map, sizeof(struct segment));
	if (state.descriptor >= 0)
		close(state.descriptor);
	state.map = NULL;
	state.descriptor = -1;
}

struct segment *segment_get(void)
{
	if (state.map == NULL)
		state.map = map_private();
	return state.map;
}

bool segment_shared(void)
{
	struct stat ours;
	return state.descriptor >= 0 && is_same_file(state.descriptor, state.path) &&
	       fstat(state.descriptor, &ours) == 0 && ours.st_size == sizeof(struct segment);
}

bool segment_contains(const void *address)
{
	uintptr_t begin = (uintptr_t)state.map, at = (uintptr_t)address;
	return state.map != NULL && at >= begin && at - begin < sizeof(struct segment);
}

int segment_descriptor(void)
{
	return state.descriptor;
}

const char *segment_path(void)
{
	return state.path;
}
