#include "torture/score.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum { STATUSES = 600 };

static const char *const asked_names[SCORE_ASKED_COUNT] = { [SCORE_GET] = "get",
	[SCORE_HEAD] = "head",
	[SCORE_CREATE] = "create",
	[SCORE_STRANGER] = "stranger" };
static const char *const from_names[SCORE_FROM_COUNT] = {
	[SCORE_PROGRAM] = "program", [SCORE_EDGE] = "edge"
};

static struct {
	pthread_mutex_t writing;
	FILE *links_file, *events_file;
	const char *directory;
	struct score_link *links;
	atomic_long links_count;
	atomic_long answers[SCORE_ASKED_COUNT][SCORE_FROM_COUNT][STATUSES];
	atomic_long not_sent[SCORE_ASKED_COUNT], unknown[SCORE_ASKED_COUNT];
	atomic_long not_served[SCORE_ASKED_COUNT], maker_follows;
	_Atomic uint64_t last_good, longest_gap; /* ns */
	_Atomic int64_t longest_gap_end;         /* ms since 1970 */
} score = { .writing = PTHREAD_MUTEX_INITIALIZER };

static FILE *open_file(const char *name)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/%s", score.directory, name);
	FILE *file = fopen(path, "w");
	if (file == NULL)
		perror(path);
	else
		setvbuf(file, NULL, _IOLBF, 0);
	return file;
}

bool score_open(const char *directory, const struct schedule *schedule)
{
	score.directory = directory;
	score.links_file = open_file("links");
	score.events_file = open_file("events");
	/* Pages are taken when they are touched. */
	score.links = calloc(SCORE_LINKS, sizeof(*score.links));
	FILE *seconds_file = open_file("seconds");
	if (seconds_file != NULL)
		seconds_open(seconds_file, schedule);
	return score.links_file != NULL && score.events_file != NULL && seconds_file != NULL &&
	       score.links != NULL;
}

void score_target(char to[SCORE_TARGET_MAX + 1], long number)
{
	snprintf(to, SCORE_TARGET_MAX + 1, "https://example.com/torture/%ld", number);
}

struct score_link *score_add_link(const char *code, long number)
{
	char now[CLOCK_TEXT], target[SCORE_TARGET_MAX + 1];
	struct score_link *link = NULL;
	score_target(target, number);
	clock_format(clock_wall_ms(), now);
	pthread_mutex_lock(&score.writing);
	bool written = fprintf(score.links_file, "%s %s %s\n", now, code, target) > 0;
	long index = atomic_load(&score.links_count);
	if (written && index < SCORE_LINKS && strlen(code) <= SCORE_CODE_MAX) {
		link = &score.links[index];
		snprintf(link->code, sizeof(link->code), "%s", code);
		link->number = number;
		link->since = clock_monotonic();
		atomic_store(&score.links_count, index + 1); /* now others may follow it */
	}
	pthread_mutex_unlock(&score.writing);
	return link;
}

long score_links(void)
{
	return atomic_load(&score.links_count);
}

struct score_link *score_link(long index)
{
	return &score.links[index];
}

void score_answer(enum score_asked asked, enum score_from from, int status)
{
	if (status < 0)
		atomic_fetch_add(&score.unknown[asked], 1);
	else if (status == 0)
		atomic_fetch_add(&score.not_sent[asked], 1);
	else
		atomic_fetch_add(
			&score.answers[asked][from][status < STATUSES ? status : STATUSES - 1], 1);
}

void score_not_served(enum score_asked asked)
{
	atomic_fetch_add(&score.not_served[asked], 1);
}

void score_maker_follow(void)
{
	atomic_fetch_add(&score.maker_follows, 1);
}

static void note_gap(uint64_t since, uint64_t now)
{
	uint64_t longest = atomic_load(&score.longest_gap);
	if (since == 0 || now <= since)
		return;
	while (now - since > longest)
		if (atomic_compare_exchange_weak(&score.longest_gap, &longest, now - since)) {
			atomic_store(&score.longest_gap_end, clock_wall_ms());
			return;
		}
}

void score_good_redirect(void)
{
	uint64_t now = clock_monotonic();
	note_gap(atomic_exchange(&score.last_good, now), now);
}

void score_event(
	const char *kind, enum score_asked asked, const char *code, int status, const char *detail)
{
	char now[CLOCK_TEXT];
	clock_format(clock_wall_ms(), now);
	pthread_mutex_lock(&score.writing);
	fprintf(score.events_file, "%s %s %s %s %d %s\n", now, kind, asked_names[asked], code,
		status, detail);
	pthread_mutex_unlock(&score.writing);
}

static void write_answers(FILE *file, int asked)
{
	for (int from = 0; from < SCORE_FROM_COUNT; from++)
		for (int status = 0; status < STATUSES; status++)
			if (score.answers[asked][from][status] > 0)
				fprintf(file, "%s_%d_%s %ld\n", asked_names[asked], status,
					from_names[from], score.answers[asked][from][status]);
	fprintf(file, "%s_not_sent %ld\n", asked_names[asked], score.not_sent[asked]);
	fprintf(file, "%s_unknown %ld\n", asked_names[asked], score.unknown[asked]);
	fprintf(file, "%s_not_served %ld\n", asked_names[asked], score.not_served[asked]);
}

static bool write_summary(void)
{
	char when[CLOCK_TEXT];
	FILE *file = open_file("summary");
	if (file == NULL)
		return false;
	for (int asked = 0; asked < SCORE_ASKED_COUNT; asked++)
		write_answers(file, asked);
	fprintf(file, "maker_follows %ld\n", score.maker_follows);
	seconds_summarize(file);
	note_gap(score.last_good, clock_monotonic());
	clock_format(score.longest_gap_end, when);
	fprintf(file, "longest_gap_ms %ld\nlongest_gap_end %s\n",
		(long)(score.longest_gap / CLOCK_MS), when);
	return fclose(file) == 0;
}

static bool write_clicks(void)
{
	FILE *file = open_file("clicks");
	if (file == NULL)
		return false;
	setvbuf(file, NULL, _IOFBF, 1 << 16);
	for (long i = 0; i < score_links(); i++)
		fprintf(file, "%s %u %u\n", score.links[i].code, score.links[i].acknowledged,
			score.links[i].unknown);
	return fclose(file) == 0;
}

bool score_close(void)
{
	bool written = write_summary() && write_clicks();
	bool recorded = !ferror(score.links_file) && fclose(score.links_file) == 0;
	recorded = fclose(score.events_file) == 0 && recorded;
	recorded = seconds_close() && recorded;
	free(score.links);
	return written && recorded;
}
