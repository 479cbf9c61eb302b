#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/metrics.h"
#include "base/segment.h"
#include "base/text.h"
#include "domain/follow_private.h"

enum { NOTE_S = 10, NOTE_MAX = 2048 };

static const char *const state_names[] = { [LABEL_state_ABSENT] = "absent",
	[LABEL_state_BUILDING] = "building",
	[LABEL_state_FOLLOWING] = "following",
	[LABEL_state_REFUSING] = "refusing" };

static enum label_state state_of(const struct follow *follow)
{
	if (follow->wrong != NULL)
		return LABEL_state_REFUSING;
	if (follow->phase == FOLLOW_CLOSED)
		return LABEL_state_ABSENT;
	bool building = follow->phase == FOLLOW_BUILDING || follow->catching_up || follow->behind;
	return building ? LABEL_state_BUILDING : LABEL_state_FOLLOWING;
}

static void write_note(const struct follow *follow, struct text *note)
{
	char now[CLOCK_TEXT], cursor[CLOCK_TEXT];
	clock_format(clock_wall_ms(), now);
	clock_format(follow->meta.cursor_us / 1000, cursor);
	text_addf(note, "noted %s\nstate %s\n", now, state_names[state_of(follow)]);
	if (follow->wrong != NULL)
		text_addf(note, "reason %s\n", follow->wrong);
	text_addf(note, "identity %s\ndatabase %s\nentries %llu\ncursor %s %s\nlost %llu\n",
		follow->meta.identity, follow->database, (unsigned long long)follow->entries,
		cursor, follow->meta.cursor_code,
		(unsigned long long)metrics_value(METRIC_links_lost, 0, 0));
}

/* Beside and renamed, so that nobody reads half of it. */
static void note(const struct follow *follow)
{
	char memory[NOTE_MAX], path_memory[PATH_MAX], new_memory[PATH_MAX];
	struct text text = text_fixed(memory, sizeof(memory));
	struct text path = text_fixed(path_memory, sizeof(path_memory));
	struct text new = text_fixed(new_memory, sizeof(new_memory));
	text_addf(&path, "%s/status", follow->directory);
	text_addf(&new, "%s/.status", follow->directory);
	write_note(follow, &text);
	FILE *file = path.cut || new.cut ? NULL : fopen(new_memory, "we");
	bool written = file != NULL && fputs(memory, file) >= 0;
	if (file != NULL && fclose(file) != 0)
		written = false;
	if (!written || rename(new_memory, path_memory) != 0)
		log_event(LOG_WARNING, "replica_status_not_written", strerrordesc_np(errno));
}

void follow_publish(struct follow *follow)
{
	struct replica_status *status = &segment_get()->replica;
	uint64_t now = clock_monotonic();
	enum label_state state = state_of(follow);
	atomic_store(&status->state, state);
	if (state == follow->noted && now < follow->note_due)
		return;
	follow->noted = state;
	follow->note_due = now + NOTE_S * CLOCK_S;
	note(follow);
}

void follow_saw(struct follow *follow, uint64_t moment)
{
	/* First the state: who sees the new moment must not take it for that of another state. */
	atomic_store(&segment_get()->replica.state, state_of(follow));
	atomic_store(&segment_get()->replica.seen, moment);
}

bool follow_show_status(const char *directory)
{
	char memory[PATH_MAX], line[NOTE_MAX];
	struct text path = text_fixed(memory, sizeof(memory));
	text_addf(&path, "%s/status", directory);
	FILE *file = fopen(memory, "re");
	if (file == NULL)
		return false;
	while (fgets(line, sizeof(line), file) != NULL)
		fputs(line, stdout);
	fclose(file);
	return fflush(stdout) == 0;
}
