#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "base/workers.h"
#include "domain/follow_private.h"

enum { ARRAY_MAX = HINT_CELLS * (CODE_MAX + 3) + 3 };

enum follow_result follow_ask(struct follow *follow, enum db_statement statement,
	const char *const *parameters, int count, struct db_rows **rows)
{
	workers_busy(follow->slot, follow->thread);
	db_set_deadline(follow->db, FOLLOW_STATEMENT_MS);
	enum db_result result = db_query(follow->db, statement, parameters, count, rows);
	if ((result == DB_OK || result == DB_NOT_FOUND) && follow->session != 0 &&
		db_session_pid(follow->db) == follow->session)
		return FOLLOW_DONE;
	/* Another session may have led to another database: look first. */
	db_rows_free(*rows);
	*rows = NULL;
	follow->session = 0;
	return FOLLOW_AWAY;
}

enum follow_result follow_ask_codes(struct follow *follow, const char *codes, size_t size,
	unsigned count, struct db_rows **rows)
{
	char memory[ARRAY_MAX];
	struct text array = text_fixed(memory, sizeof(memory));
	text_add_char(&array, '{');
	for (unsigned i = 0; i < count; i++) {
		const char *code = codes + i * size;
		if (code_is_valid(code))
			text_addf(&array, "%s\"%s\"", array.len > 1 ? "," : "", code);
	}
	text_add_char(&array, '}');
	const char *parameter = memory;
	return follow_ask(follow, STATEMENT_follow_codes, &parameter, 1, rows);
}

/* Microseconds as milliseconds and what remains of them. */
static void split(int64_t us, int64_t *ms, int *remainder)
{
	*remainder = (int)(us % 1000);
	if (*remainder < 0)
		*remainder += 1000;
	*ms = (us - *remainder) / 1000;
}

static enum link_state state_from(const char *name)
{
	if (strcmp(name, "active") == 0)
		return LINK_ACTIVE;
	return strcmp(name, "disabled") == 0 ? LINK_DISABLED : LINK_DELETED;
}

static void complain(const char *code, const char *error)
{
	struct log_line line;
	log_begin(&line, LOG_ERROR, "replica_link_too_long");
	log_field(&line, "code", code);
	log_field(&line, "error", error);
	log_end(&line);
}

/* Nothing limits the tags of a link; better without them than without the link. */
static void read_tags(const struct db_rows *rows, int row, struct replica_record *record)
{
	if (text_copy(record->tags, sizeof(record->tags), db_text(rows, row, 12)))
		return;
	(void)text_copy(record->tags, sizeof(record->tags), "{}");
	complain(record->link.code, "its tags have no room in the replica");
}

bool follow_read_row(const struct db_rows *rows, int row, struct replica_record *record)
{
	struct link *link = &record->link;
	link->id = db_number(rows, row, 1);
	link->owner = db_number(rows, row, 4);
	link->state = state_from(db_text(rows, row, 5));
	link->redirect_status = (int)db_number(rows, row, 6);
	link->forward_query = db_boolean(rows, row, 7);
	split(db_number(rows, row, 8), &link->valid_since, &record->valid_since_us);
	split(db_number(rows, row, 9), &link->valid_until, &record->valid_until_us);
	link->max_visits = db_number(rows, row, 10);
	record->visits = db_number(rows, row, 11);
	split(db_number(rows, row, 13), &link->created_at, &record->created_us);
	split(db_number(rows, row, 14), &link->updated_at, &record->updated_us);
	link->version = db_number(rows, row, 15);
	if (!text_copy(link->code, sizeof(link->code), db_text(rows, row, 0)) ||
		!text_copy(link->target, sizeof(link->target), db_text(rows, row, 2)) ||
		!text_copy(link->title, sizeof(link->title), db_text(rows, row, 3))) {
		complain(db_text(rows, row, 0), "it has no room in the replica");
		return false;
	}
	read_tags(rows, row, record);
	return true;
}

int64_t follow_created_us(const struct replica_record *record)
{
	return record->link.created_at * 1000 + record->created_us;
}

int64_t follow_updated_us(const struct replica_record *record)
{
	return record->link.updated_at * 1000 + record->updated_us;
}

struct replica_known follow_known(const struct replica_record *record)
{
	struct replica_known known = { .id = record->link.id,
		.version = record->link.version,
		.created_us = follow_created_us(record),
		.updated_us = follow_updated_us(record) };
	(void)text_copy(known.code, sizeof(known.code), record->link.code);
	return known;
}

bool follow_has(const struct db_rows *rows, int row, const struct replica_record *record)
{
	int64_t version = db_number(rows, row, 15);
	if (version != record->link.version)
		return version > record->link.version;
	return db_number(rows, row, 1) == record->link.id &&
	       db_number(rows, row, 13) == follow_created_us(record);
}
