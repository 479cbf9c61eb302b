#include "domain/event.h"

#include <string.h>

#include "base/text.h"

enum { CONDITIONS = 6 };

/* No event is of before the first or after the last; microseconds since 1970. */
static const int64_t first_us = INT64_C(-62135596800000000); /* the year 1 */
static const int64_t last_us = INT64_C(253402300800000000);  /* the year 10000 */

static const char click_type[] = "redirect";

struct conditions {
	char link[DB_NUMBER], owner[DB_NUMBER], since[DB_NUMBER], before[DB_NUMBER],
		before_id[DB_NUMBER], limit[DB_NUMBER], offset[DB_NUMBER];
	const char *list[CONDITIONS + 2];
};

/* All that it asks for, on whatever page. */
static void set_conditions(struct conditions *conditions, const struct event_filter *filter)
{
	conditions->list[0] = db_number_text(conditions->link, filter->link);
	conditions->list[1] = db_number_text(conditions->owner, filter->owner);
	conditions->list[2] = db_number_text(
		conditions->since, filter->start != 0 ? filter->start * 1000 : first_us);
	conditions->list[3] =
		db_number_text(conditions->before, filter->end != 0 ? filter->end * 1000 : last_us);
	conditions->list[4] = filter->type;
	conditions->list[5] = "0";
}

static void go_on_after_last(struct conditions *conditions, const struct event_filter *filter)
{
	if (filter->after_us == 0 || (filter->end != 0 && filter->end * 1000 <= filter->after_us))
		return;
	conditions->list[3] = db_number_text(conditions->before, filter->after_us);
	conditions->list[5] = db_number_text(conditions->before_id, filter->after_id);
}

static bool is_of_some_links(const struct event_filter *filter)
{
	return filter->link != 0 || filter->owner != 0;
}

static enum db_statement choose(const struct event_filter *filter, enum db_statement of_links,
	enum db_statement of_type, enum db_statement all)
{
	if (is_of_some_links(filter))
		return of_links;
	return *filter->type ? of_type : all;
}

bool event_type_is_valid(const char *type)
{
	size_t len = strspn(type, "abcdefghijklmnopqrstuvwxyz0123456789_.-");

	return len > 0 && len <= EVENT_TYPE_MAX && type[len] == '\0';
}

bool event_type_is_ours(const char *type)
{
	static const char *const ours[] = { "created", "updated", "deleted", "restored",
		click_type };

	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
		if (strcmp(ours[i], type) == 0)
			return true;
	return false;
}

void event_from_row(const struct db_rows *rows, int row, struct event *event)
{
	event->id = db_number(rows, row, 0);
	event->link = db_number(rows, row, 1);
	event->owner = db_number(rows, row, 2);
	event->time_us = db_number(rows, row, 4);
	text_copy(event->type, sizeof(event->type), db_text(rows, row, 3));
	if (!text_copy(event->details, sizeof(event->details), db_text(rows, row, 5)))
		*event->details = '\0';
}

/* Runs a statement that answers with at most one event; absent is what no row means. */
static enum event_result fetch(struct db *db, enum db_statement statement,
	const char *const *parameters, int count, enum event_result absent, struct event *event)
{
	struct db_rows *rows;
	enum event_result result = EVENT_DOWN;

	switch (db_query(db, statement, parameters, count, &rows)) {
	case DB_OK:
		event_from_row(rows, 0, event);
		result = EVENT_OK;
		break;
	case DB_NOT_FOUND: result = absent; break;
	case DB_CONFLICT:
	case DB_BUSY:
	case DB_DOWN: break;
	}
	db_rows_free(rows);
	return result;
}

enum event_result event_create(struct db *db, struct event *event)
{
	char link[DB_NUMBER], owner[DB_NUMBER];
	const char *const parameters[] = { event->type, db_number_text(link, event->link),
		db_number_text(owner, event->owner), event->details };

	return fetch(db, STATEMENT_event_create, parameters, 4, EVENT_NOBODY, event);
}

enum event_result event_find(struct db *db, int64_t id, int64_t owner, struct event *found)
{
	char id_text[DB_NUMBER], owner_text[DB_NUMBER];
	const char *const parameters[] = { db_number_text(id_text, id),
		db_number_text(owner_text, owner) };

	return fetch(db, STATEMENT_event_find, parameters, 2, EVENT_UNKNOWN, found);
}

enum event_result event_delete(struct db *db, const struct event *event)
{
	char time[DB_NUMBER], id[DB_NUMBER];
	const char *const parameters[] = { db_number_text(time, event->time_us),
		db_number_text(id, event->id) };

	if (strcmp(event->type, click_type) == 0)
		return EVENT_CLICK;
	switch (db_run(db, STATEMENT_event_delete, parameters, 2)) {
	case DB_OK: return EVENT_OK;
	case DB_NOT_FOUND: return EVENT_UNKNOWN;
	case DB_CONFLICT:
	case DB_BUSY:
	case DB_DOWN: break;
	}
	return EVENT_DOWN;
}

enum db_result event_list(struct db *db, const struct event_filter *filter, struct db_rows **rows)
{
	const enum db_statement statement = choose(filter, STATEMENT_events_of_links,
		STATEMENT_events_of_type, STATEMENT_events_newest);
	struct conditions conditions;

	set_conditions(&conditions, filter);
	go_on_after_last(&conditions, filter);
	conditions.list[6] = db_number_text(conditions.limit, filter->page.limit);
	conditions.list[7] = db_number_text(conditions.offset, filter->page.offset);
	return db_query_kept(db, statement, conditions.list, CONDITIONS + 2, rows);
}

enum db_result event_list_total(
	struct db *db, const struct event_filter *filter, struct total *total)
{
	const enum db_statement statement = choose(filter, STATEMENT_events_of_links_count,
		STATEMENT_events_of_type_count, STATEMENT_events_count);
	struct conditions conditions;
	struct db_rows *rows;
	enum db_result result;

	set_conditions(&conditions, filter);
	conditions.list[6] = db_number_text(conditions.limit, FILTER_COUNT_MOST + 1);
	result = db_query_kept(db, statement, conditions.list, CONDITIONS + 1, &rows);
	if (result == DB_OK)
		*total = filter_total_from(db_number(rows, 0, 0));
	db_rows_free(rows);
	return result;
}

enum db_result event_count_types(
	struct db *db, const struct event_filter *filter, struct db_rows **rows, int64_t *total)
{
	struct conditions conditions;
	enum db_result result;

	set_conditions(&conditions, filter);
	conditions.list[4] = "";
	if (is_of_some_links(filter))
		result = db_query_anew(
			db, STATEMENT_events_by_type, conditions.list, CONDITIONS, rows);
	else
		result = db_query_kept(
			db, STATEMENT_events_of_all_by_type, conditions.list, CONDITIONS - 1, rows);
	*total = result == DB_OK ? db_number(*rows, 0, 2) : 0;
	return result;
}

enum db_result event_count_clicks(struct db *db, const struct event_filter *filter, int64_t *clicks)
{
	struct conditions conditions;
	struct db_rows *rows;
	enum db_result result;

	set_conditions(&conditions, filter);
	result = db_query_kept(db, STATEMENT_events_clicks, conditions.list, 4, &rows);
	if (result == DB_OK)
		*clicks = db_number(rows, 0, 0);
	db_rows_free(rows);
	return result;
}

enum db_result event_sum_up(struct db *db, int64_t *changes)
{
	return db_query_number(db, STATEMENT_events_sum_up, changes);
}
