#include "domain/spool_write.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "domain/spool.h"

enum { SEGMENTS = 64, PATH = 256, LINE = 600 };

static char directory[PATH];
static struct {
	int64_t number;
	int descriptor;
} segments[SEGMENTS];

const char *spool_begin(void)
{
	snprintf(directory, sizeof(directory), "/dev/shm/linkshrink-spool.XXXXXX");
	cr_assert(mkdtemp(directory));
	return directory;
}

void spool_end(void)
{
	char command[PATH + 16];

	for (unsigned i = 0; i < SEGMENTS; i++)
		if (segments[i].number)
			close(segments[i].descriptor);
	memset(segments, 0, sizeof(segments));
	snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	cr_assert(system(command) == 0);
}

static const char *path_of(int64_t number, bool kept)
{
	static char path[PATH * 2];
	char name[SPOOL_NAME];

	spool_name(name, number);
	snprintf(path, sizeof(path), "%s/%s%s", directory, kept ? "kept/" : "", name);
	return path;
}

static int descriptor_of(int64_t number)
{
	for (unsigned i = 0; i < SEGMENTS; i++)
		if (segments[i].number == number)
			return segments[i].descriptor;
	cr_assert_fail("no segment %lld", (long long)number);
	return -1;
}

void spool_bytes(int64_t number, const char *bytes)
{
	cr_assert(write(descriptor_of(number), bytes, strlen(bytes)) == (ssize_t)strlen(bytes));
}

void spool_segment(int64_t number)
{
	char head[LINE];
	unsigned i = 0;

	while (segments[i].number)
		cr_assert(++i < SEGMENTS);
	segments[i].number = number;
	segments[i].descriptor =
		open(path_of(number, false), O_CREAT | O_EXCL | O_WRONLY | O_APPEND, 0640);
	cr_assert(segments[i].descriptor >= 0 &&
		  flock(segments[i].descriptor, LOCK_EX | LOCK_NB) == 0);
	snprintf(head, sizeof(head), "# linkshrink clicks 1 1 %016x 2026-11-24T00:00:00.000Z\n",
		SPOOL_RUN);
	spool_bytes(number, head);
}

void spool_finish(int64_t number)
{
	for (unsigned i = 0; i < SEGMENTS; i++) {
		if (segments[i].number != number)
			continue;
		close(segments[i].descriptor);
		segments[i].number = 0;
	}
}

void spool_clicks(int64_t number, unsigned count, int64_t time, const char *rest)
{
	char line[LINE], text[LINE];

	snprintf(text, sizeof(text), "%lld\t%s", (long long)time, rest);
	snprintf(line, sizeof(line), "%08x\t%.500s\n", crc32c(text, strlen(text)), text);
	for (unsigned i = 0; i < count; i++)
		spool_bytes(number, line);
}

void spool_cut(int64_t number, int64_t bytes)
{
	cr_assert(ftruncate(descriptor_of(number), spool_size(number, false) - bytes) == 0);
}

void spool_spoil(int64_t number)
{
	char path[PATH * 3];

	(void)unlink(path_of(number, false));
	cr_assert(mkdir(path_of(number, false), 0750) == 0);
	for (int i = 0; i < 100; i++) {
		snprintf(path, sizeof(path), "%s/%d", path_of(number, false), i);
		close(open(path, O_CREAT | O_WRONLY, 0640));
	}
}

bool spool_has(int64_t number, bool kept)
{
	return access(path_of(number, kept), F_OK) == 0;
}

int64_t spool_size(int64_t number, bool kept)
{
	struct stat status;

	cr_assert(stat(path_of(number, kept), &status) == 0);
	return status.st_size;
}

void spool_age(int64_t number, int64_t seconds)
{
	struct timespec times[2];

	clock_gettime(CLOCK_REALTIME, &times[1]);
	times[1].tv_sec -= seconds;
	times[0] = times[1];
	cr_assert(utimensat(AT_FDCWD, path_of(number, true), times, 0) == 0);
}

unsigned spool_refused(void)
{
	char path[PATH + 16], line[LINE];
	unsigned lines = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/refused", directory);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		lines++;
	if (file)
		fclose(file);
	return lines;
}
