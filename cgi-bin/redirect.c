/*
 * redirect - follows short links. Every redirect that answers a GET is a click.
 */
#include <string.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/metrics.h"
#include "domain/click.h"
#include "domain/replica.h"
#include "domain/target_url.h"
#include "service/service.h"

enum { PERMANENT_MAX_AGE = 3600 /* seconds that a browser may remember a 301 or 308 */ };

/* The target, with the query of the visitor's own address added where the link says so. */
static bool build_location(const struct link *link, const char *query, struct text *location)
{
	size_t before_fragment = strcspn(link->target, "#");
	text_add_bytes(location, link->target, before_fragment);
	if (link->forward_query && *query != '\0') {
		bool has_query = memchr(link->target, '?', before_fragment) != NULL;
		text_addf(location, "%c%s", has_query ? '&' : '?', query);
	}
	text_add(location, link->target + before_fragment);
	return !location->cut;
}

static void set_caching(struct http_response *res, int status)
{
	char value[64];
	bool permanent = status == 301 || status == 308;
	struct text text = text_fixed(value, sizeof(value));
	text_addf(&text, "private, max-age=%d", permanent ? PERMANENT_MAX_AGE : 0);
	http_header(res, "Cache-Control", value);
}

static void count_click(struct worker *worker, const struct link *link)
{
	const struct click click = { .link = link->id, .at = clock_wall_ms() };
	metrics_add(METRIC_clicks, 0, 0, 1);
	if (click_record(worker->db, &click, config_get()->node) == CLICK_DROPPED)
		metrics_add(METRIC_clicks_dropped, LABEL_reason_DATABASE, 0, 1);
}

static void redirect_to(struct worker *worker, const struct http_request *req,
	struct http_response *res, const struct link *link)
{
	char memory[2 * TARGET_URL_MAX], canonical[TARGET_URL_MAX + 1];
	struct text location = text_fixed(memory, sizeof(memory));
	/* Checked again although it was checked when stored: a Location is the last gate. */
	if (!build_location(link, req->query, &location) ||
		target_url_read(location.data, canonical) != NULL) {
		http_problem(res, 404, "url not found");
		return;
	}
	if (req->method == HTTP_GET)
		count_click(worker, link);
	http_begin(res, link->redirect_status, NULL);
	http_header(res, "Location", canonical);
	set_caching(res, link->redirect_status);
}

static void answer(struct worker *worker, const struct http_request *req, struct http_response *res,
	enum link_result result, const struct link *link)
{
	switch (result) {
	case LINK_OK: redirect_to(worker, req, res, link); return;
	case LINK_GONE: http_problem(res, 410, "url is gone"); return;
	case LINK_DOWN: http_unavailable(res, 1); return;
	case LINK_UNKNOWN:
	case LINK_TAKEN: http_problem(res, 404, "url not found"); return;
	}
}

/* A link with a visit limit pays one visit per GET, in PostgreSQL, before it is followed. */
static enum link_result pay_visit(struct worker *worker, const struct http_request *req,
	enum link_result found, const struct link *link)
{
	if (found != LINK_OK || link->max_visits == 0 || req->method != HTTP_GET)
		return found;
	return link_visit(worker->db, link);
}

static void follow(struct worker *worker, const struct http_request *req, struct http_response *res)
{
	struct link link;
	if (!code_is_valid(req->capture)) {
		http_problem(res, 404, "url not found");
		return;
	}
	text_copy(worker->code, sizeof(worker->code), req->capture);
	enum link_result found = replica_find(worker->db, req->capture, &link);
	answer(worker, req, res, pay_visit(worker, req, found, &link), &link);
}

/* All digits are an id, as in the rest of the API; anything else is a code. */
static void follow_id(
	struct worker *worker, const struct http_request *req, struct http_response *res)
{
	struct link link;
	int64_t id;
	if (!text_to_number(req->capture, 1, INT64_MAX, &id)) {
		follow(worker, req, res);
		return;
	}
	enum link_result found = replica_find_id(worker->db, id, &link);
	if (found == LINK_OK)
		text_copy(worker->code, sizeof(worker->code), link.code);
	answer(worker, req, res, pay_visit(worker, req, found, &link), &link);
}

static const struct route routes[] = { { HTTP_GET | HTTP_HEAD, "/:code", LABEL_handler_REDIRECT,
					       ANYONE, RATE_REDIRECT, 0, ROUTE_SAMPLED, follow },
	{ HTTP_GET | HTTP_HEAD, "/r/:code", LABEL_handler_REDIRECT, ANYONE, RATE_REDIRECT, 0,
		ROUTE_SAMPLED, follow },
	{ HTTP_GET | HTTP_HEAD, "/urls/:id/redirect", LABEL_handler_REDIRECT, ANYONE, RATE_REDIRECT,
		0, ROUTE_SAMPLED, follow_id },
	{ 0 } };

const struct service redirect_service = {
	.name = "redirect", .routes = routes, .threads = 4, .database = true
};
