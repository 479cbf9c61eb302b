#include "service/list.h"

#include <stddef.h>
#include <string.h>

#include "http/query.h"

enum {
	PER_PAGE = 20,
	PER_PAGE_MAX = 500,
	REACH = 100000,  /* entries that can be skipped by number; PostgreSQL reads them all */
	FULL = 384 << 10 /* bytes of an answer that gets no further entry */
};

static const struct json_field fields[] = { { "page", JSON_NUMBER, false, 1, REACH,
						    offsetof(struct list_query, number) },
	{ "per_page", JSON_NUMBER, false, 1, PER_PAGE_MAX, offsetof(struct list_query, per_page) },
	{ "after", JSON_TEXT, false, 1, LIST_CURSOR_MAX - 1, offsetof(struct list_query, after) },
	{ "sort", JSON_TEXT, false, 1, 7, offsetof(struct list_query, sort) }, { 0 } };

/* "<id>", or "<microseconds>.<id>" of a list that goes by time. */
static bool read_cursor(struct list_query *list)
{
	char time[LIST_CURSOR_MAX];
	const char *id = list->after;
	size_t len = strcspn(list->after, ".");
	if (list->after[len] == '.') {
		memcpy(time, list->after, len);
		time[len] = '\0';
		if (!text_to_number(time, 1, INT64_MAX, &list->after_us))
			return false;
		id += len + 1;
	}
	return text_to_number(id, 1, INT64_MAX, &list->page.after);
}

static void check(struct list_query *list, struct http_faults *faults)
{
	bool by_cursor = *list->after != '\0';
	if (by_cursor && !read_cursor(list))
		http_fault(faults, "after", "must be the `next` of a page before");
	if (by_cursor && list->number != 1)
		http_fault(faults, "page", "is not taken beside `after`");
	if (list->number * list->per_page > REACH)
		http_fault(faults, "page", "goes no further than %d entries: go on with `after`",
			(int)REACH);
	if (*list->sort != '\0' && strcmp(list->sort, "id") != 0 && strcmp(list->sort, "-id") != 0)
		http_fault(faults, "sort", "must be id or -id");
	list->page.ascending = strcmp(list->sort, "id") == 0;
	list->page.limit = list->per_page + 1;
	list->page.offset = (list->number - 1) * list->per_page;
}

static bool refuse(struct http_response *res, const struct http_faults *faults)
{
	if (faults->count > 0)
		http_problem_detail(
			res, 400, "invalid_query", "Some parameters are wrong.", faults);
	return faults->count == 0;
}

/* query_read() begins with none each time, and all are told at once. */
static void read_filters(const struct http_request *req, const struct json_field *filter_fields,
	void *filters, uint32_t *present, struct http_faults *faults)
{
	struct http_faults more = { 0 };
	(void)!query_read(req->query, filter_fields, filters, present, &more);
	for (size_t i = 0; i < more.count; i++)
		http_fault(faults, more.list[i].field, "%s", more.list[i].what);
}

bool list_read(const struct http_request *req, struct http_response *res,
	const struct json_field *filter_fields, void *filters, uint32_t *present,
	struct list_query *list)
{
	struct http_faults faults = { 0 };
	*list = (struct list_query){ .number = 1, .per_page = PER_PAGE };
	if (query_read(req->query, fields, list, NULL, &faults))
		check(list, &faults);
	read_filters(req, filter_fields, filters, present, &faults);
	return refuse(res, &faults);
}

bool list_read_filters(const struct http_request *req, struct http_response *res,
	const struct json_field *filter_fields, void *filters, uint32_t *present)
{
	struct http_faults faults = { 0 };
	(void)!query_read(req->query, filter_fields, filters, present, &faults);
	return refuse(res, &faults);
}

void list_begin(struct list_answer *answer, struct http_response *res)
{
	http_begin(res, 200, "application/json");
	*answer = (struct list_answer){ .res = res, .json = json_writer(&res->body) };
	json_open(&answer->json, NULL, '{');
	json_text(&answer->json, "kind", "list");
	json_open(&answer->json, "sample", '[');
}

bool list_has(const struct list_answer *answer, const struct list_query *list, int rows)
{
	return answer->shown < rows && answer->shown < list->per_page &&
	       answer->res->body.len < FULL;
}

void list_end(struct list_answer *answer, int rows, const struct total *total, const char *next)
{
	struct json_writer *json = &answer->json;
	json_close(json, ']');
	if (total != NULL)
		json_number(json, "total_items", total->count);
	else
		json_null(json, "total_items");
	json_boolean(json, "total_exact", total != NULL && total->exact);
	json_text(json, "next", answer->shown < rows ? next : NULL);
	json_close(json, '}');
}
