/*
 * lookup - what a lookup in the replica costs.
 *
 *   lookup DIRECTORY CODES    nanoseconds of one lookup, in one thread: one code of the file after
 *                             the other; then with much else read and written in between, as in a
 *                             request, so that little of the replica is in the processor's caches
 *   lookup --fill N           fills a replica of N links below /var/tmp (or TMPDIR) and prints how
 *                             long that took, bytes a link, and lookups at random, cold and warm
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/segment.h"
#include "base/text.h"
#include "domain/replica.h"
#include "domain/replica_writer.h"

enum { IN_ONE = 5000, COLD = 2000, WARM = 1000000, ROUNDS = 5, DISTURBED = 3000, ELSE = 16 << 20 };

#define MAX_BYTES (INT64_C(64) << 30)

static void require(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "lookup: %s\n", what);
	exit(1);
}

static void find(struct replica *replica, const char *code)
{
	struct link link;
	require(replica_find(replica, NULL, code, &link) == LINK_OK, "a link was not found");
}

/* As in a service, where the shared segment says which file to read. */
static void say_generation(const char *directory)
{
	char path[1024], name[64] = "";
	unsigned long long generation = 0;
	snprintf(path, sizeof(path), "%s/current", directory);
	require(readlink(path, name, sizeof(name) - 1) > 0, "there is no replica");
	require(sscanf(name, "links-%16llx", &generation) == 1, "there is no replica");
	atomic_store(&segment_get()->replica.generation, generation);
}

/* Nanoseconds of one, when a request's other work has emptied the caches before each. */
static double look_up_disturbed(struct replica *replica, char (*codes)[CODE_MAX + 1], size_t count)
{
	unsigned char *other = calloc(1, ELSE);
	uint64_t took = 0;
	require(other != NULL, "no memory");
	for (size_t i = 0; i < DISTURBED; i++) {
		for (size_t at = 0; at < ELSE; at += 64)
			((volatile unsigned char *)other)[at]++;
		uint64_t begin = clock_monotonic();
		find(replica, codes[i * 7919 % count]);
		took += clock_monotonic() - begin;
	}
	free(other);
	return (double)took / DISTURBED;
}

static int look_up_file(const char *directory, const char *file)
{
	char line[CODE_MAX + 2];
	char(*codes)[CODE_MAX + 1] = NULL;
	size_t count = 0;
	FILE *lines = fopen(file, "r");
	require(lines != NULL, "the codes cannot be read");
	while (fgets(line, sizeof(line), lines) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		codes = realloc(codes, (count + 1) * sizeof(*codes));
		require(codes != NULL && text_copy(codes[count++], sizeof(*codes), line),
			"the codes do not fit");
	}
	fclose(lines);
	require(count > 0, "there are no codes");
	say_generation(directory);
	struct replica *replica = replica_new(directory);
	for (size_t i = 0; i < count; i++)
		find(replica, codes[i]);
	uint64_t begin = clock_monotonic();
	for (size_t i = 0; i < count; i++)
		find(replica, codes[i]);
	double warm = (double)(clock_monotonic() - begin) / (double)count;
	printf("%.0f %.0f\n", warm, look_up_disturbed(replica, codes, count));
	replica_free(replica);
	free(codes);
	return 0;
}

/* In order of their numbers; the ids are in another order than the codes. */
static void set_code(char code[CODE_MAX + 1], uint64_t n)
{
	snprintf(code, CODE_MAX + 1, "c%09llu", (unsigned long long)n);
}

static struct replica_writer *fill(const char *directory, uint64_t links)
{
	static struct replica_record record = {
		.link = { .redirect_status = 302, .created_at = 1700000000000, .version = 1 },
		.tags = "{}"
	};
	struct replica_writer *writer = replica_writer_new(directory, MAX_BYTES);
	record.link.updated_at = record.link.created_at;
	require(writer != NULL && replica_writer_build(writer) == REPLICA_OK, "no new file");
	for (uint64_t n = 0; n < links; n++) {
		if (n % IN_ONE == 0)
			require(replica_writer_begin(writer) == REPLICA_OK, "begin");
		set_code(record.link.code, n);
		record.link.id = (int64_t)(n * 2654435761 % links) + 1;
		snprintf(record.link.target, sizeof(record.link.target),
			"https://example.com/articles/2026/11/a-title-of-some-length-%llu.html",
			(unsigned long long)n);
		require(replica_writer_put(writer, &record, NULL) == REPLICA_OK, "put");
		if (n % IN_ONE == IN_ONE - 1 || n == links - 1)
			require(replica_writer_commit(writer) == REPLICA_OK, "commit");
	}
	require(replica_writer_publish(writer) == REPLICA_OK, "publish");
	return writer;
}

static double look_up_random(const char *directory, uint64_t links, unsigned count)
{
	char code[CODE_MAX + 1];
	uint64_t state = 1, spent = 0;
	struct replica *replica = replica_new(directory);
	for (unsigned i = 0; i < count; i++) {
		state = state * 6364136223846793005 + 1442695040888963407;
		set_code(code, (state >> 20) % links);
		uint64_t begin = clock_monotonic();
		find(replica, code);
		spent += clock_monotonic() - begin;
	}
	replica_free(replica);
	return (double)spent / count;
}

/* Out of the page cache, as far as the system lets it go. */
static void forget(const char *path)
{
	int descriptor = open(path, O_RDONLY);
	require(descriptor >= 0 && fdatasync(descriptor) == 0 &&
			posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED) == 0,
		"the cache is not to be emptied");
	close(descriptor);
}

static int fill_and_look(uint64_t links)
{
	char directory[512], path[600];
	struct stat file;
	const char *parent = getenv("TMPDIR");
	snprintf(directory, sizeof(directory), "%s/linkshrink-lookup.XXXXXX",
		parent != NULL ? parent : "/var/tmp");
	require(links > 0 && mkdtemp(directory) != NULL, "no directory");
	uint64_t begin = clock_monotonic();
	struct replica_writer *writer = fill(directory, links);
	double seconds = (double)(clock_monotonic() - begin) / (double)CLOCK_S;
	snprintf(path, sizeof(path), "%s/links-%016llx.mdb", directory,
		(unsigned long long)replica_writer_generation(writer));
	replica_writer_free(writer);
	require(stat(path, &file) == 0, "no file");
	forget(path);
	double cold = look_up_random(directory, links, COLD), warm = 0;
	for (int round = 0; round < ROUNDS; round++) {
		double now = look_up_random(directory, links, WARM);
		warm = round == 0 || now < warm ? now : warm;
	}
	printf("%llu links: filled in %.2f s, %.0f bytes a link, %.0f ns cold, %.0f ns warm\n",
		(unsigned long long)links, seconds, (double)file.st_size / (double)links, cold,
		warm);
	unlink(path);
	snprintf(path + strlen(path), sizeof(path) - strlen(path), "-lock");
	unlink(path);
	snprintf(path, sizeof(path), "%s/current", directory);
	unlink(path);
	snprintf(path, sizeof(path), "%s/writer.lock", directory);
	unlink(path);
	rmdir(directory);
	return 0;
}

int main(int argc, char **argv)
{
	int64_t links;
	if (argc == 3 && strcmp(argv[1], "--fill") == 0 &&
		text_to_number(argv[2], 1, 1000000000, &links))
		return fill_and_look((uint64_t)links);
	if (argc == 3 && argv[1][0] != '-')
		return look_up_file(argv[1], argv[2]);
	fputs("usage: lookup DIRECTORY CODES, or lookup --fill NUMBER\n", stderr);
	return 2;
}
