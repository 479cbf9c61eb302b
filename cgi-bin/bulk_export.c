/* Links, all of them, as CSV. */
#include "cgi-bin/bulk.h"

#include <stddef.h>

#include "base/clock.h"
#include "domain/link_list.h"
#include "http/csv.h"
#include "service/link_json.h"
#include "service/list.h"

enum { PAGE = 1000, STATEMENT_MS = 2000 };

struct export_query {
	int64_t user_id;
	bool is_active;
	char tag[LINK_TAG_MAX + 1];
};

enum { QUERY_IS_ACTIVE = 1 /* the row of that name */ };

static const struct json_field fields[] = { { "user_id", JSON_NUMBER, false, 1, JSON_NUMBER_MAX,
						    offsetof(struct export_query, user_id) },
	[QUERY_IS_ACTIVE] = { "is_active", JSON_BOOLEAN, false, 0, 0,
		offsetof(struct export_query, is_active) },
	{ "tag", JSON_TEXT, false, 1, LINK_TAG_MAX, offsetof(struct export_query, tag) }, { 0 } };

static void add_header(struct text *csv)
{
	static const char *const columns[] = { "id", "short_code", "short_url", "original_url",
		"title", "user_id", "is_active", "redirect_status", "forward_query", "valid_since",
		"valid_until", "max_visits", "tags", "click_count", "created_at", "updated_at" };
	for (size_t i = 0; i < sizeof(columns) / sizeof(*columns); i++)
		csv_cell(csv, columns[i]);
	csv_end_row(csv);
}

static void add_time(struct text *csv, int64_t wall_ms)
{
	char moment[CLOCK_TEXT];
	clock_format(wall_ms, moment);
	csv_cell(csv, wall_ms != 0 ? moment : "");
}

static void add_number(struct text *csv, int64_t number)
{
	if (number != 0)
		csv_number(csv, number);
	else
		csv_cell(csv, "");
}

static void add_link(struct text *csv, const struct link *link, int64_t clicks)
{
	char memory[SHORT_URL_MAX];
	struct text short_url = text_fixed(memory, sizeof(memory));
	link_json_short_url(&short_url, link->code);
	csv_number(csv, link->id);
	csv_cell(csv, link->code);
	csv_cell(csv, memory);
	csv_cell(csv, link->target);
	csv_cell(csv, link->title);
	add_number(csv, link->owner);
	csv_cell(csv, link->state == LINK_ACTIVE ? "true" : "false");
	csv_number(csv, link->redirect_status);
	csv_cell(csv, link->forward_query ? "true" : "false");
	add_time(csv, link->valid_since);
	add_time(csv, link->valid_until);
	add_number(csv, link->max_visits);
	csv_cell(csv, link->tags);
	csv_number(csv, clicks);
	add_time(csv, link->created_at);
	add_time(csv, link->updated_at);
	csv_end_row(csv);
}

/* The links of a page; false when it was the last one, or nobody reads. */
static bool add_page(
	struct http_response *res, const struct db_rows *rows, struct link_filter *filter)
{
	const int count = db_rows_count(rows);
	struct link link;
	int64_t clicks;
	for (int row = 0; row < count; row++) {
		if (!link_list_row(rows, row, &link, &clicks))
			continue;
		add_link(&res->body, &link, clicks);
		filter->page.after = link.id;
		if (res->body.len > HTTP_RESPONSE_LIMIT / 2 && !http_flush(res))
			return false;
	}
	return count == PAGE && http_flush(res);
}

/* A read that fails in the middle ends the answer in a way that everybody notices. */
static void add_all(struct worker *worker, struct http_response *res, struct link_filter *filter)
{
	bool more = true;
	while (more) {
		struct db_rows *rows = NULL;
		db_set_deadline(worker->db, STATEMENT_MS);
		enum db_result result = link_list(worker->db, filter, &rows);
		more = result == DB_OK && add_page(res, rows, filter);
		db_rows_free(rows);
		if (result == DB_OK || result == DB_NOT_FOUND)
			continue;
		if (http_is_sent(res))
			res->broken = true;
		else
			http_unavailable(res, 1);
	}
}

void bulk_export(struct worker *worker, const struct http_request *req, struct http_response *res)
{
	struct export_query query = { 0 };
	uint32_t present;
	if (!list_read_filters(req, res, fields, &query, &present))
		return;
	const bool by_state = (present >> QUERY_IS_ACTIVE & 1) != 0;
	struct link_filter filter = { .page = { .ascending = true, .limit = PAGE },
		.owner = caller_owner_shown(worker, query.user_id),
		.search = "",
		.state = by_state ? query.is_active ? "active" : "disabled" : "",
		.code = "",
		.tag = query.tag };
	http_begin(res, 200, "text/csv; charset=utf-8");
	http_header(res, "Content-Disposition", "attachment; filename=\"links.csv\"");
	add_header(&res->body);
	/* The headers do not depend on the links, and nobody would read those. */
	if (req->method != HTTP_HEAD)
		add_all(worker, res, &filter);
}
