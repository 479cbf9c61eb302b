/* Events: what happened to links, clicks among it. */
#include <stddef.h>

#include "base/clock.h"
#include "cgi-bin/api.h"
#include "domain/click.h"
#include "http/json_fields.h"
#include "service/list.h"
#include "service/member.h"

/* What a client may say of an event. */
struct event_wish {
	char type[EVENT_TYPE_MAX + 1];
	int64_t url_id, user_id;
	char details[EVENT_DETAILS_MAX + 1];
};

static const struct json_field create_fields[] = {
	{ "event_type", JSON_TEXT, true, 1, EVENT_TYPE_MAX, offsetof(struct event_wish, type) },
	{ "url_id", JSON_NUMBER, true, 1, JSON_NUMBER_MAX, offsetof(struct event_wish, url_id) },
	{ "user_id", JSON_NUMBER, false, 1, JSON_NUMBER_MAX, offsetof(struct event_wish, user_id) },
	{ "details", JSON_OBJECT, false, 0, EVENT_DETAILS_MAX,
		offsetof(struct event_wish, details) },
	{ "id", JSON_REFUSED, false, 0, 0, 0 }, { "timestamp", JSON_REFUSED, false, 0, 0, 0 }, { 0 }
};

static void event_json(struct json_writer *json, const struct event *event)
{
	json_open(json, NULL, '{');
	json_number(json, "id", event->id);
	json_number(json, "url_id", event->link);
	member_number_or_null(json, "user_id", event->owner);
	json_text(json, "event_type", event->type);
	member_time(json, "timestamp", event->time_us / 1000);
	if (*event->details != '\0')
		json_raw(json, "details", event->details);
	else
		json_null(json, "details");
	json_close(json, '}');
}

static void answer_event(struct http_response *res, int status, const struct event *event)
{
	http_begin(res, status, "application/json");
	struct json_writer json = json_writer(&res->body);
	event_json(&json, event);
}

static void answer(
	struct http_response *res, int status, enum event_result result, const struct event *event)
{
	switch (result) {
	case EVENT_OK: answer_event(res, status, event); return;
	case EVENT_UNKNOWN: http_problem(res, 404, "event not found"); return;
	case EVENT_NOBODY: http_problem(res, 404, "user not found"); return;
	case EVENT_CLICK: http_problem(res, 409, "clicks are counted and stay"); return;
	case EVENT_DOWN: http_unavailable(res, 1); return;
	}
}

static bool read_wish(
	const struct http_request *req, struct http_response *res, struct event_wish *wish)
{
	struct http_faults faults = { 0 };
	if (!api_read(req, res, create_fields, wish, NULL, NULL, &faults))
		return false;
	if (*wish->type != '\0' && !event_type_is_valid(wish->type))
		http_fault(&faults, "event_type", "must be of a-z, digits, '_', '.' and '-'");
	else if (event_type_is_ours(wish->type))
		http_fault(&faults, "event_type", "is written by the system alone");
	return !api_refuse(res, &faults);
}

/* The link that an event is about. False: answered. */
static bool find_link(
	struct worker *worker, struct http_response *res, int64_t id, struct link *link)
{
	return api_take_link(worker, res, link_find_id(worker->db, id, link), false, link);
}

void api_event_create(
	struct worker *worker, const struct http_request *req, struct http_response *res)
{
	struct event_wish wish = { 0 };
	struct link link;
	if (!read_wish(req, res, &wish) || !find_link(worker, res, wish.url_id, &link))
		return;
	if (link.state != LINK_ACTIVE) {
		http_problem(res, 400, "url is inactive");
		return;
	}
	struct event event = { .link = link.id,
		.owner = wish.user_id != 0 ? wish.user_id : worker->key.owner };
	if (event.owner != 0 && !caller_may_see(worker, event.owner)) {
		http_problem(res, 404, "user not found");
		return;
	}
	text_copy(event.type, sizeof(event.type), wish.type);
	text_copy(event.details, sizeof(event.details), wish.details);
	answer(res, 201, event_create(worker->db, &event), &event);
}

struct event_query {
	int64_t url_id, user_id;
	char type[EVENT_TYPE_MAX + 1];
	char short_code[CODE_MAX + 1];
	int64_t start, end;
};

static const struct json_field query_fields[] = {
	{ "url_id", JSON_NUMBER, false, 1, JSON_NUMBER_MAX, offsetof(struct event_query, url_id) },
	{ "user_id", JSON_NUMBER, false, 1, JSON_NUMBER_MAX,
		offsetof(struct event_query, user_id) },
	{ "event_type", JSON_TEXT, false, 1, EVENT_TYPE_MAX, offsetof(struct event_query, type) },
	{ "short_code", JSON_TEXT, false, 1, CODE_MAX, offsetof(struct event_query, short_code) },
	{ "start", JSON_TIME, false, 0, 0, offsetof(struct event_query, start) },
	{ "end", JSON_TIME, false, 0, 0, offsetof(struct event_query, end) }, { 0 }
};

/*
 * What the query and the path ask for. -1 as link or owner, which no event has: something that the
 * caller does not see. False: answered with 503.
 */
static bool set_filter(struct worker *worker, struct http_response *res,
	const struct event_query *query, struct event_filter *filter)
{
	struct link link;
	if (filter->link == 0)
		filter->link = query->url_id;
	/* Of a link that the caller sees all is shown, whoever it concerned. */
	if ((filter->link == 0 && *query->short_code == '\0') || query->user_id != 0)
		filter->owner = caller_owner_shown(
			worker, filter->owner != 0 ? filter->owner : query->user_id);
	filter->type = query->type;
	filter->start = query->start;
	filter->end = query->end;
	if (*query->short_code == '\0' && query->url_id == 0)
		return true;
	enum link_result result = *query->short_code != '\0'
					  ? link_find(worker->db, query->short_code, &link)
					  : link_find_id(worker->db, query->url_id, &link);
	if (result == LINK_DOWN) {
		http_unavailable(res, 1);
		return false;
	}
	if (result != LINK_OK || !caller_may_see(worker, link.owner) ||
		(filter->link != 0 && filter->link != link.id))
		filter->link = -1;
	else
		filter->link = link.id;
	return true;
}

static void show_events(struct http_response *res, const struct list_query *list,
	const struct db_rows *rows, const struct total *total)
{
	const int count = rows != NULL ? db_rows_count(rows) : 0;
	char next[LIST_CURSOR_MAX] = "";
	struct event event;
	struct list_answer answer;
	list_begin(&answer, res);
	while (list_has(&answer, list, count)) {
		struct text cursor = text_fixed(next, sizeof(next));
		event_from_row(rows, answer.shown, &event);
		event_json(&answer.json, &event);
		text_addf(&cursor, "%lld.%lld", (long long)event.time_us, (long long)event.id);
		answer.shown++;
	}
	list_end(&answer, count, total, next);
}

void api_list_events(struct worker *worker, const struct http_request *req,
	struct http_response *res, int64_t link, int64_t owner)
{
	const uint64_t began = clock_monotonic();
	struct event_query query = { 0 };
	struct list_query list;
	if (!list_read(req, res, query_fields, &query, NULL, &list))
		return;
	struct event_filter filter = { .page = list.page,
		.link = link,
		.owner = owner,
		.after_us = list.after_us,
		.after_id = list.page.after };
	if (!set_filter(worker, res, &query, &filter))
		return;
	(void)click_wait_committed(began, API_OWN_CLICK_MS);
	struct db_rows *rows = NULL;
	struct total total;
	enum db_result result = event_list(worker->db, &filter, &rows);
	if ((result == DB_OK || result == DB_NOT_FOUND) &&
		event_list_total(worker->db, &filter, &total) == DB_OK)
		show_events(res, &list, rows, &total);
	else
		http_unavailable(res, 1);
	db_rows_free(rows);
}

void api_event_list(
	struct worker *worker, const struct http_request *req, struct http_response *res)
{
	api_list_events(worker, req, res, 0, 0);
}

/* The event of a captured id, which concerns the caller or a link of the caller's. False: answered. */
static bool find_event(struct worker *worker, const struct http_request *req,
	struct http_response *res, struct event *event)
{
	int64_t id = api_id(req);
	enum event_result result = EVENT_UNKNOWN;
	if (id != 0)
		result = event_find(worker->db, id, worker->key.owner, event);
	if (result != EVENT_OK)
		answer(res, 200, result, event);
	return result == EVENT_OK;
}

void api_event_show(
	struct worker *worker, const struct http_request *req, struct http_response *res)
{
	struct event event;
	if (find_event(worker, req, res, &event))
		answer_event(res, 200, &event);
}

void api_event_delete(
	struct worker *worker, const struct http_request *req, struct http_response *res)
{
	struct event event;
	if (!find_event(worker, req, res, &event))
		return;
	enum event_result result = event_delete(worker->db, &event);
	if (result == EVENT_OK)
		api_answer_deleted(res);
	else
		answer(res, 200, result, &event);
}

/* events: of all types, those without a row as well. */
static void answer_counts(
	struct http_response *res, const struct db_rows *rows, int64_t events, int64_t clicks)
{
	const int count = rows != NULL ? db_rows_count(rows) : 0;
	http_begin(res, 200, "application/json");
	struct json_writer json = json_writer(&res->body);
	json_open(&json, NULL, '{');
	json_open(&json, "by_type", '{');
	json_number(&json, "redirect", clicks);
	for (int row = 0; row < count; row++)
		json_number(&json, db_text(rows, row, 0), db_number(rows, row, 1));
	json_close(&json, '}');
	json_number(&json, "total", events + clicks);
	json_close(&json, '}');
}

void api_event_stats(
	struct worker *worker, const struct http_request *req, struct http_response *res)
{
	const uint64_t began = clock_monotonic();
	struct event_query query = { 0 };
	struct event_filter filter = { 0 };
	struct db_rows *rows = NULL;
	int64_t events, clicks;
	if (!list_read_filters(req, res, query_fields, &query, NULL) ||
		!set_filter(worker, res, &query, &filter))
		return;
	(void)click_wait_committed(began, API_OWN_CLICK_MS);
	enum db_result result = event_count_types(worker->db, &filter, &rows, &events);
	if ((result == DB_OK || result == DB_NOT_FOUND) &&
		event_count_clicks(worker->db, &filter, &clicks) == DB_OK)
		answer_counts(res, rows, events, clicks);
	else
		http_unavailable(res, 1);
	db_rows_free(rows);
}
