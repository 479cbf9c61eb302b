/*
 * redirect - follows short links, and shows them without following: the preview and the QR code.
 * Every redirect that answers a GET is a click; nothing else is.
 */
#include <string.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/metrics.h"
#include "base/workers.h"
#include "domain/click.h"
#include "domain/replica.h"
#include "domain/target_url.h"
#include "http/accept.h"
#include "http/qr_svg.h"
#include "service/link_json.h"
#include "service/link_page.h"
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

/* How long a browser may go without asking: never past the end of the link, never past a visit. */
static int64_t max_age(const struct link *link)
{
	bool permanent = link->redirect_status == 301 || link->redirect_status == 308;
	if (!permanent || link->max_visits != 0)
		return 0;
	int64_t left = PERMANENT_MAX_AGE;
	if (link->valid_until != 0)
		left = (link->valid_until - clock_wall_ms()) / 1000;
	if (left < 0)
		return 0;
	return left < PERMANENT_MAX_AGE ? left : PERMANENT_MAX_AGE;
}

static void set_caching(struct http_response *res, const struct link *link)
{
	char value[64];
	struct text text = text_fixed(value, sizeof(value));
	text_addf(&text, "private, max-age=%d", (int)max_age(link));
	http_header(res, "Cache-Control", value);
}

static void count_click(
	struct worker *worker, const struct http_request *req, const struct link *link)
{
	const struct click click = { .at = clock_wall_ms(),
		.link = link->id,
		.status = link->redirect_status,
		.referrer = req->referer,
		.user_agent = req->user_agent,
		.client = req->client,
		.purpose = req->purpose };
	metrics_add(METRIC_clicks, 0, 0, 1);
	/*
	 * A disk that is frozen holds this up until it is back. Whoever is in a write cannot even
	 * be killed, and a kill would take along the threads that still answer.
	 */
	workers_idle(worker->slot, worker->thread);
	/* Answered all the same; the writer has counted the loss. */
	(void)click_record(worker->clicks, &click);
	workers_busy(worker->slot, worker->thread);
}

/* A sick disk may hold this up for longer than a request may take; that is no stalled process. */
static unsigned sync_clicks(struct worker *worker)
{
	workers_idle(worker->slot, worker->thread);
	return click_sync();
}

static unsigned look_at_disk(struct worker *worker)
{
	(void)worker;
	return click_look();
}

static void refuse(struct http_response *res, enum link_result why)
{
	switch (why) {
	case LINK_GONE: http_problem(res, 410, "url is gone"); return;
	case LINK_DOWN: http_unavailable(res, 1); return;
	case LINK_OK:
	case LINK_UNKNOWN:
	case LINK_TAKEN:
	case LINK_NOBODY:
	case LINK_CHANGED: http_problem(res, 404, "url not found"); return;
	}
}

static void refuse_target(struct http_response *res, enum target_result why)
{
	if (why == TARGET_BLOCKED)
		http_problem(res, 410, "url is blocked");
	else
		http_problem(res, 404, "url not found");
}

/*
 * A limited link pays for each GET, in PostgreSQL, once nothing else can refuse it; who only looks
 * is told whether that would succeed. All other links ask nobody. False: answered.
 */
static bool may_visit(
	struct worker *worker, struct http_response *res, const struct link *link, bool pays)
{
	enum link_result result = LINK_OK;
	if (link->max_visits != 0)
		result = pays ? link_visit(worker->db, link) : link_visits_left(worker->db, link);
	if (result != LINK_OK)
		refuse(res, result);
	return result == LINK_OK;
}

static void redirect_to(struct worker *worker, const struct http_request *req,
	struct http_response *res, const struct link *link)
{
	char memory[2 * TARGET_URL_MAX], canonical[TARGET_URL_MAX + 1];
	struct text location = text_fixed(memory, sizeof(memory));
	/* Checked again although it was checked when stored: a Location is the last gate. */
	enum target_result target = TARGET_REFUSED;
	if (build_location(link, req->query, &location))
		target = target_url_follow(location.data, canonical);
	if (target != TARGET_OK) {
		refuse_target(res, target);
		return;
	}
	if (!may_visit(worker, res, link, req->method == HTTP_GET))
		return;
	if (req->method == HTTP_GET)
		count_click(worker, req, link);
	http_begin(res, link->redirect_status, NULL);
	http_header(res, "Location", canonical);
	set_caching(res, link);
}

static void answer(struct worker *worker, const struct http_request *req, struct http_response *res,
	enum link_result result, const struct link *link)
{
	if (result != LINK_OK) {
		refuse(res, result);
		return;
	}
	text_copy(worker->code, sizeof(worker->code), link->code);
	redirect_to(worker, req, res, link);
}

static void follow(struct worker *worker, const struct http_request *req, struct http_response *res)
{
	struct link link;
	if (!code_is_valid(req->capture)) {
		http_problem(res, 404, "url not found");
		return;
	}
	text_copy(worker->code, sizeof(worker->code), req->capture);
	answer(worker, req, res, replica_find(worker->replica, worker->db, req->capture, &link),
		&link);
}

/* All digits are an id, as in the rest of the API; anything else is a code. */
static void follow_id(
	struct worker *worker, const struct http_request *req, struct http_response *res)
{
	struct link link;
	int64_t id;
	if (text_to_number(req->capture, 1, INT64_MAX, &id))
		answer(worker, req, res, replica_find_id(worker->replica, worker->db, id, &link),
			&link);
	else
		follow(worker, req, res);
}

/* A link to be shown; what would not be followed is refused as a redirect refuses it. */
static bool find_to_show(struct worker *worker, const struct http_request *req,
	struct http_response *res, struct link *link)
{
	char canonical[TARGET_URL_MAX + 1];
	enum link_result result = LINK_UNKNOWN;
	if (code_is_valid(req->capture)) {
		text_copy(worker->code, sizeof(worker->code), req->capture);
		result = replica_find(worker->replica, worker->db, req->capture, link);
	}
	if (result != LINK_OK) {
		refuse(res, result);
		return false;
	}
	enum target_result target = target_url_follow(link->target, canonical);
	if (target != TARGET_OK) {
		refuse_target(res, target);
		return false;
	}
	text_copy(link->target, sizeof(link->target), canonical); /* as a Location would say it */
	return may_visit(worker, res, link, false);
}

static void preview(
	struct worker *worker, const struct http_request *req, struct http_response *res)
{
	struct link link;
	if (!find_to_show(worker, req, res, &link))
		return;
	if (accept_prefers_html(req->accept))
		link_page(res, &link);
	else
		link_page_json(res, &link);
	http_header(res, "Vary", "Accept");
}

static void show_qr(
	struct worker *worker, const struct http_request *req, struct http_response *res)
{
	struct link link;
	char memory[SHORT_URL_MAX];
	struct text short_url = text_fixed(memory, sizeof(memory));
	if (!find_to_show(worker, req, res, &link))
		return;
	link_json_short_url(&short_url, link.code);
	http_begin(res, 200, "image/svg+xml");
	if (!qr_svg(&res->body, memory)) {
		http_problem(res, 500, "internal error");
		return;
	}
	/* The image of a code never changes; the link may end. */
	http_header(res, "Cache-Control", "private, max-age=3600");
}

static const struct route routes[] = { { HTTP_GET | HTTP_HEAD, "/:code.qr", LABEL_handler_QR,
					       ANYONE, RATE_REDIRECT, 0, ROUTE_SAMPLED, show_qr },
	{ HTTP_GET | HTTP_HEAD, "/:code+", LABEL_handler_PREVIEW, ANYONE, RATE_REDIRECT, 0,
		ROUTE_SAMPLED, preview },
	{ HTTP_GET | HTTP_HEAD, "/:code", LABEL_handler_REDIRECT, ANYONE, RATE_REDIRECT, 0,
		ROUTE_SAMPLED, follow },
	{ HTTP_GET | HTTP_HEAD, "/r/:code", LABEL_handler_REDIRECT, ANYONE, RATE_REDIRECT, 0,
		ROUTE_SAMPLED, follow },
	{ HTTP_GET | HTTP_HEAD, "/urls/:id/redirect", LABEL_handler_REDIRECT, ANYONE, RATE_REDIRECT,
		0, ROUTE_SAMPLED, follow_id },
	{ 0 } };

/* PostgreSQL only for links with max_visits, and while the replica is being built. */
const struct service redirect_service = { .name = "redirect",
	.routes = routes,
	.threads = 4,
	.needs = NEEDS_DATABASE | NEEDS_REPLICA | NEEDS_SPOOL | NEEDS_BLOCKLIST,
	.timed = LABEL_timed_REDIRECT,
	.turns = { sync_clicks, look_at_disk } };
