/*
 * clicks - writes a spool as redirect would in a busy hour, for the benchmark of ingest.
 *
 *   clicks DIRECTORY COUNT FIRST_LINK LINKS [SEED]
 *
 * COUNT clicks of now on LINKS links from FIRST_LINK on, all equally often, which is the worst case
 * for counts. A visitor clicks four times, on two links; a click in twenty is a bot's; two in five
 * have no referrer; browsers, systems and referrers are skewed as real ones are. Segments are 16 MiB
 * and locked as long as they grow.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crc32c.h"
#include "base/random.h"
#include "base/text.h"
#include "domain/spool.h"

enum { SEGMENT = 16 << 20, PIECE = 64 << 10, LINE = 256, ACTIVE = 20000, CLICKS_A_VISITOR = 4 };

struct click {
	uint64_t visitor;
	int64_t link;
};

static const char *const browsers[] = { "chrome", "chrome", "chrome", "chrome", "safari", "safari",
	"firefox", "edge" };
static const char *const systems[] = { "android", "android", "windows", "windows", "ios", "ios",
	"macos", "linux" };
static const char *const referrers[] = { "www.google.com", "news.ycombinator.com", "t.co",
	"www.reddit.com", "www.linkedin.com", "mail.example", "m.facebook.com", "duckduckgo.com" };

static struct {
	const char *directory;
	int64_t first_link, links;
	uint64_t random; /* state of the generator */
	int descriptor;
	size_t bytes; /* of this segment */
	char piece[PIECE + LINE];
	size_t piece_len;
} state = { .random = 88172645463325252u, .descriptor = -1 };

static void fail(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

/* xorshift64: repeatable, and quick beside what is measured */
static uint64_t next(void)
{
	state.random ^= state.random << 13;
	state.random ^= state.random >> 7;
	state.random ^= state.random << 17;
	return state.random;
}

static uint64_t mix(uint64_t number)
{
	number = (number ^ number >> 31) * 0x9e3779b97f4a7c15u;
	return number ^ number >> 29;
}

static void flush_piece(void)
{
	if (write(state.descriptor, state.piece, state.piece_len) != (ssize_t)state.piece_len)
		fail("write");
	state.bytes += state.piece_len;
	state.piece_len = 0;
}

static void begin_segment(void)
{
	char path[1100], unnamed[64], name[SPOOL_NAME], created[CLOCK_TEXT];
	int64_t number;

	random_bytes(&number, sizeof(number));
	spool_name(name, (number & INT64_MAX) | 1);
	snprintf(path, sizeof(path), "%s/%s", state.directory, name);
	clock_format(clock_wall_ms(), created);
	state.descriptor = open(state.directory, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0640);
	if (state.descriptor < 0 || flock(state.descriptor, LOCK_EX) != 0)
		fail(state.directory);
	state.piece_len = (size_t)snprintf(
		state.piece, sizeof(state.piece), "# linkshrink clicks 1 1 %016d %s\n", 0, created);
	state.bytes = 0;
	flush_piece();
	snprintf(unnamed, sizeof(unnamed), "/proc/self/fd/%d", state.descriptor);
	if (linkat(AT_FDCWD, unnamed, AT_FDCWD, path, AT_SYMLINK_FOLLOW) != 0)
		fail(path);
}

static void end_segment(void)
{
	flush_piece();
	close(state.descriptor);
	state.descriptor = -1;
}

/* One of those who are active now, on one of the two links that they like. */
static struct click choose(uint64_t number)
{
	struct click click = { .visitor = number / CLICKS_A_VISITOR + next() % ACTIVE };

	click.link = state.first_link +
		     (int64_t)(mix(click.visitor * 2 + next() % 2) % (uint64_t)state.links);
	return click;
}

static void write_click(uint64_t number, int64_t now)
{
	struct click click = choose(number);
	uint64_t person = mix(click.visitor), chance = next();
	bool bot = person % 20 == 0;
	char fields[LINE];
	int len = snprintf(fields, sizeof(fields),
		"%lld\t%lld\t302\t%s\t%s\t%s\t%s\t%u.%u.%u.0/24\t%lld", (long long)now,
		(long long)click.link, chance % 5 < 2 ? "\\N" : referrers[(chance >> 8) % 8],
		bot ? "crawler" : browsers[(person >> 8) % 8],
		bot ? "other" : systems[(person >> 16) % 8], bot ? "b" : "-",
		(unsigned)(person >> 24 & 127) + 1, (unsigned)(person >> 32 & 255),
		(unsigned)(person >> 40 & 255), (long long)mix(person));

	state.piece_len += (size_t)snprintf(state.piece + state.piece_len, LINE, "%08x\t%s\n",
		crc32c(fields, (size_t)len), fields);
	if (state.piece_len >= PIECE)
		flush_piece();
}

int main(int argc, char **argv)
{
	int64_t count, seed = 1;

	if ((argc != 5 && argc != 6) || !text_to_number(argv[2], 0, INT64_MAX, &count) ||
		!text_to_number(argv[3], 0, INT64_MAX, &state.first_link) ||
		!text_to_number(argv[4], 1, INT32_MAX, &state.links) ||
		(argc == 6 && !text_to_number(argv[5], 1, INT32_MAX, &seed))) {
		fputs("usage: clicks DIRECTORY COUNT FIRST_LINK LINKS [SEED]\n", stderr);
		return EXIT_FAILURE;
	}
	state.directory = argv[1];
	state.random ^= (uint64_t)seed << 20;
	for (int64_t i = 0; i < count; i++) {
		if (state.descriptor < 0)
			begin_segment();
		write_click((uint64_t)(seed * INT64_C(1000000000) + i), clock_wall_ms());
		if (state.bytes >= SEGMENT)
			end_segment();
	}
	if (state.descriptor >= 0)
		end_segment();
	return EXIT_SUCCESS;
}
