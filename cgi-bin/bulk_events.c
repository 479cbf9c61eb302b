/* Events, many at once; from operators also those of another system, clicks among them. */
#include "cgi-bin/bulk.h"

#include <stddef.h>
#include <string.h>

#include "domain/agent.h"
#include "domain/event.h"
#include "domain/referrer.h"
#include "service/bulk.h"

enum { COLUMNS = 10, AGENT_MAX = 1024, PAGE_MAX = 2048 };

struct event_row {
	int64_t id, url_id, user_id;
	char type[EVENT_TYPE_MAX + 1];
	int64_t timestamp; /* milliseconds since 1970 */
	char details[EVENT_DETAILS_MAX + 1];
};

#define ABOUT                                                                                      \
	{ "url_id", JSON_NUMBER, true, 1, JSON_NUMBER_MAX, offsetof(struct event_row, url_id) },   \
		{ "user_id", JSON_NUMBER, false, 1, JSON_NUMBER_MAX,                               \
			offsetof(struct event_row, user_id) },                                     \
		{ "event_type", JSON_TEXT, true, 1, EVENT_TYPE_MAX,                                \
			offsetof(struct event_row, type) },                                        \
	{                                                                                          \
		"details", JSON_OBJECT, false, 0, EVENT_DETAILS_MAX,                               \
			offsetof(struct event_row, details)                                        \
	}
static const struct json_field fields[] = { ABOUT, { "id", JSON_REFUSED, false, 0, 0, 0 },
	{ "timestamp", JSON_REFUSED, false, 0, 0, 0 }, { 0 } };
static const struct json_field import_fields[] = { ABOUT,
	{ "id", JSON_NUMBER, false, 1, BATCH_ID_MAX, offsetof(struct event_row, id) },
	{ "timestamp", JSON_TIME, false, 0, 0, offsetof(struct event_row, timestamp) }, { 0 } };

/* What another system knew of a click. */
struct click_details {
	char referrer[PAGE_MAX + 1];
	char user_agent[AGENT_MAX + 1];
};

static const struct json_field click_fields[] = {
	{ "referrer", JSON_TEXT, false, 0, PAGE_MAX, offsetof(struct click_details, referrer) },
	{ "user_agent", JSON_TEXT, false, 0, AGENT_MAX,
		offsetof(struct click_details, user_agent) },
	{ 0 }
};

/* The last four columns; what is odd in the details is as if it were not there. */
static void add_click(struct batch *batch, const struct event_row *event)
{
	struct click_details details = { 0 };
	struct http_faults faults = { 0 };
	char host[REFERRER_MAX + 1], page[PAGE_MAX + 16];
	struct text url = text_fixed(page, sizeof(page));
	(void)!json_read(
		event->details, strlen(event->details), click_fields, &details, NULL, &faults);
	text_addf(&url, "%s%s", strstr(details.referrer, "://") == NULL ? "https://" : "",
		details.referrer);
	(void)referrer_read(page, host);
	const struct agent agent = agent_read(details.user_agent);
	db_array_text(&batch->arrays[6], host);
	db_array_text(&batch->arrays[7], agent.browser);
	db_array_text(&batch->arrays[8], agent.os);
	db_array_text(&batch->arrays[9], agent.bot ? "t" : "f");
}

static void check_type(
	const struct worker *worker, const struct event_row *event, struct http_faults *faults)
{
	if (!event_type_is_valid(event->type))
		http_fault(faults, "event_type", "must be of a-z, digits, '_', '.' and '-'");
	else if (event_type_is_ours(event->type) &&
		 (worker->key.owner != 0 || event->timestamp == 0))
		http_fault(faults, "event_type", "is written by the system alone");
}

static void add(struct worker *worker, const void *row, uint32_t seen, struct batch *batch,
	struct http_faults *faults)
{
	const struct event_row *event = row;
	const int64_t own = worker->key.owner;
	struct text *columns = batch->arrays;
	(void)seen;
	check_type(worker, event, faults);
	if (event->user_id != 0 && !caller_may_see(worker, event->user_id))
		http_fault(faults, "user_id", "is not known");
	if (faults->count > 0)
		return;
	batch_add_id(batch, event->id);
	db_array_number(&columns[1], event->url_id);
	db_array_number(&columns[2], event->user_id != 0 ? event->user_id : own);
	db_array_text(&columns[3], event->type);
	db_array_number(&columns[4], event->timestamp);
	db_array_text(&columns[5], event->details);
	add_click(batch, event);
}

static const char *why(const char *word)
{
	if (strcmp(word, "link") == 0)
		return "url not found";
	if (strcmp(word, "id") == 0)
		return "id is taken";
	return strcmp(word, "user") == 0 ? "user not found" : "url is inactive";
}

void bulk_events(struct worker *worker, const struct http_request *req, struct http_response *res)
{
	const struct bulk_kind kind = { .fields = worker->key.owner == 0 ? import_fields : fields,
		.wish_size = sizeof(struct event_row),
		.statement = STATEMENT_events_store,
		.pass_id = STATEMENT_events_pass_id,
		.columns = COLUMNS,
		.add = add,
		.why = why,
		.owned = true };
	bulk_take(worker, req, res, &kind);
}
