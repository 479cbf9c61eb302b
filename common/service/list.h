/*
 * list - how every list of the API is asked for and answered.
 *
 *     { "kind": "list", "sample": […], "total_items": 12, "total_exact": true, "next": "…" | null }
 *
 * `next` is where the next page begins, for the parameter `after`; null on the last one. A page may
 * have fewer entries than were asked for when they are large.
 */
#ifndef SERVICE_LIST_H
#define SERVICE_LIST_H

#include "domain/filter.h"
#include "http/http.h"
#include "http/json_fields.h"
#include "http/json_write.h"

enum { LIST_CURSOR_MAX = 48 /* bytes of a cursor and its zero */ };

/* What all lists understand. */
struct list_query {
	int64_t number, per_page; /* of the page, from 1; entries on it */
	char after[LIST_CURSOR_MAX];
	char sort[8];
	struct page
		page; /* the same for PostgreSQL: one entry more than fits shows that there are more */
	int64_t after_us; /* the time in the cursor of a list that goes by time, else 0 */
};

/*
 * Reads them, and the filters of this list, a table as for json_read(), into *filters; *present gets
 * bit i for each row i that was there, it may be NULL. False: it is answered with all that is wrong.
 */
bool list_read(const struct http_request *req, struct http_response *res,
	const struct json_field *fields, void *filters, uint32_t *present, struct list_query *list);

/* The parameters of a call that is no list. */
bool list_read_filters(const struct http_request *req, struct http_response *res,
	const struct json_field *fields, void *filters, uint32_t *present);

struct list_answer {
	struct http_response *res;
	struct json_writer json; /* for one object after another */
	int shown;
};

void list_begin(struct list_answer *answer, struct http_response *res);

/* Whether the entry of this row is to be shown: there is one, and it has room. */
bool list_has(const struct list_answer *answer, const struct list_query *list, int rows);

/*
 * next: the cursor of the last entry that was shown; it is told if not all rows were. total NULL: it
 * cannot be said now.
 */
void list_end(struct list_answer *answer, int rows, const struct total *total, const char *next);

#endif
