#include <stdio.h>

#include "base/clock.h"
#include "base/text.h"
#include "domain/follow.h"
#include "domain/replica.h"

/* Microseconds beyond the milliseconds included; NULL for none. */
static void add_time(struct text *row, int64_t ms, int us)
{
	char text[CLOCK_TEXT];
	if (ms == 0 && us == 0) {
		text_add(row, "\\N");
		return;
	}
	clock_format(ms, text);
	text_addf(row, "%.23s%03dZ", text, us);
}

static void add_number_or_null(struct text *row, int64_t number)
{
	if (number == 0)
		text_add(row, "\\N");
	else
		text_add_number(row, number);
}

/* As COPY wants it: a backslash before what would end the value. */
static void add_value(struct text *row, const char *value)
{
	for (; *value != '\0'; value++) {
		switch (*value) {
		case '\\': text_add(row, "\\\\"); break;
		case '\t': text_add(row, "\\t"); break;
		case '\n': text_add(row, "\\n"); break;
		case '\r': text_add(row, "\\r"); break;
		default: text_add_char(row, *value);
		}
	}
}

static void add_record(struct text *row, const struct replica_record *record)
{
	static const char *const states[] = {
		[LINK_ACTIVE] = "active", [LINK_DISABLED] = "disabled", [LINK_DELETED] = "deleted"
	};
	const struct link *link = &record->link;
	text_addf(row, "%s\t%lld\t", link->code, (long long)link->id);
	add_value(row, link->target);
	text_add_char(row, '\t');
	if (*link->title == '\0')
		text_add(row, "\\N");
	add_value(row, link->title);
	text_add_char(row, '\t');
	add_number_or_null(row, link->owner);
	text_addf(row, "\t%s\t%d\t%c\t", states[link->state], link->redirect_status,
		link->forward_query ? 't' : 'f');
	add_time(row, link->valid_since, record->valid_since_us);
	text_add_char(row, '\t');
	add_time(row, link->valid_until, record->valid_until_us);
	text_add_char(row, '\t');
	add_number_or_null(row, link->max_visits);
	text_addf(row, "\t%lld\t", (long long)record->visits);
	add_value(row, record->tags);
	text_add_char(row, '\t');
	add_time(row, link->created_at, record->created_us);
	text_add_char(row, '\t');
	add_time(row, link->updated_at, record->updated_us);
	text_addf(row, "\t%lld\n", (long long)link->version);
}

bool follow_dump(const char *directory)
{
	char memory[2 * REPLICA_RECORD_MAX + 512], after[CODE_MAX + 1] = "";
	struct replica *replica = replica_new(directory);
	struct replica_record record;
	enum link_result found = LINK_DOWN;
	bool good = replica != NULL;
	while (good && (found = replica_next(replica, after, &record)) == LINK_OK) {
		struct text row = text_fixed(memory, sizeof(memory));
		add_record(&row, &record);
		good = !row.cut && fputs(memory, stdout) >= 0 &&
		       text_copy(after, sizeof(after), record.link.code);
	}
	replica_free(replica);
	/* Half a dump must not look like a whole one. */
	return good && found == LINK_UNKNOWN && fflush(stdout) == 0;
}
