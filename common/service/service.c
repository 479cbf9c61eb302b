#include "service/service.h"

#include <string.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/log.h"
#include "base/random.h"
#include "domain/keyring.h"
#include "http/accept.h"
#include "http/credentials.h"
#include "http/query.h"
#include "service/page.h"

enum { MISS_COST = 4 /* calls that an unknown code counts for on top: guessing is slow */ };

/* One segment of the path against one of the pattern, which may be ":name" and a tail. */
static bool match_segment(const char *pattern, size_t pattern_len, const char *path, size_t len,
	char capture[HTTP_CAPTURE_MAX])
{
	if (pattern_len == 0 || pattern[0] != ':')
		return pattern_len == len && memcmp(pattern, path, len) == 0;
	size_t name_len = 1 + strspn(pattern + 1, "abcdefghijklmnopqrstuvwxyz_");
	size_t tail_len = pattern_len - name_len;
	if (len <= tail_len)
		return false;
	len -= tail_len;
	if (len >= HTTP_CAPTURE_MAX || memcmp(pattern + name_len, path + len, tail_len) != 0)
		return false;
	memcpy(capture, path, len);
	capture[len] = '\0';
	return true;
}

/* The whole path, segment by segment; a pattern captures at most one. */
static bool match_path(const char *pattern, const char *path, char capture[HTTP_CAPTURE_MAX])
{
	capture[0] = '\0';
	while (*pattern == '/' && *path == '/') {
		pattern++;
		path++;
		size_t pattern_len = strcspn(pattern, "/"), len = strcspn(path, "/");
		if (!match_segment(pattern, pattern_len, path, len, capture))
			return false;
		pattern += pattern_len;
		path += len;
	}
	return *pattern == '\0' && *path == '\0';
}

/* The first route that takes path and method; else NULL, and the methods that the path has. */
static const struct route *find_route(
	const struct service *service, struct http_request *req, unsigned *allowed)
{
	*allowed = 0;
	if (req->authorizer)
		return service->gate;
	for (const struct route *route = service->routes; route->path != NULL; route++) {
		if (!match_path(route->path, req->path, req->capture))
			continue;
		if ((route->methods & req->method) != 0)
			return route;
		*allowed |= route->methods;
	}
	return NULL;
}

static void answer_no_route(struct http_response *res, unsigned allowed)
{
	if (allowed == 0) {
		http_problem(res, 404, "not found");
		return;
	}
	char list[64];
	struct text allow = text_fixed(list, sizeof(list));
	for (unsigned method = HTTP_GET; method <= HTTP_DELETE; method <<= 1)
		if ((allowed & method) != 0)
			text_addf(&allow, "%s%s", allow.len == 0 ? "" : ", ",
				http_method_name((enum http_method)method));
	http_problem(res, 405, "method not allowed");
	http_header(res, "Allow", list);
}

static void add_number_header(struct http_response *res, const char *name, uint64_t number)
{
	char memory[24];
	struct text value = text_fixed(memory, sizeof(memory));
	text_add_number(&value, (int64_t)number);
	http_header(res, name, memory);
}

static bool refuse_too_many(struct http_response *res, enum label_handler handler, unsigned wait)
{
	if (wait == 0)
		return false;
	metrics_add(METRIC_rate_limited, handler, 0, 1);
	http_problem(res, 429, "too many requests");
	add_number_header(res, "Retry-After", wait);
	return true;
}

/* A key in a URL ends up in logs and histories; say so rather than ignore it. */
static bool has_key_in_query(const char *query)
{
	return query_has(query, "key") || query_has(query, "api_key") ||
	       query_has(query, "access_token") || query_has(query, "token");
}

static void refuse_anonymous(struct http_response *res, const struct route *route)
{
	http_problem(res, 401, "unauthorized");
	http_header(res, "WWW-Authenticate",
		(route->flags & ROUTE_KEYRING) != 0
			? "Basic realm=\"Link-Shrink operations: a key as the password\""
			: "Bearer");
}

/* Who tries keys is slowed down; a good key never comes here, so nobody can lock it out. */
static void refuse_key(
	struct http_response *res, const struct route *route, const struct http_request *req)
{
	unsigned wait = rate_take(RATE_AUTH_FAIL, req->client);
	if (!refuse_too_many(res, route->handler_label, wait))
		refuse_anonymous(res, route);
}

static enum apikey_result check_key(
	struct worker *worker, const struct route *route, const char *authorization)
{
	char password[APIKEY_TOKEN];
	const char *token = credentials_bearer(authorization);
	if ((route->flags & ROUTE_KEYRING) == 0)
		return token != NULL ? apikey_check(worker->db, token, &worker->key)
				     : APIKEY_REFUSED;
	if (token == NULL && credentials_password(authorization, password, sizeof(password)))
		token = password;
	return token != NULL ? keyring_check(token, &worker->key) : APIKEY_REFUSED;
}

/* The key sent, if any, into worker->key; true if the request may go on to the scope check. */
static bool authenticate(struct worker *worker, const struct route *route,
	const struct http_request *req, struct http_response *res)
{
	if (*req->authorization == '\0')
		return true;
	switch (check_key(worker, route, req->authorization)) {
	case APIKEY_OK: return true;
	case APIKEY_REFUSED: refuse_key(res, route, req); return false;
	case APIKEY_DOWN: http_unavailable(res, 1); return false;
	}
	return false;
}

/* Default deny: a route with a scope opens to a key that has it, and to nobody else. */
static bool may_call(struct worker *worker, const struct route *route,
	const struct http_request *req, struct http_response *res)
{
	if (route->scope == ANYONE)
		return true;
	if (has_key_in_query(req->query)) {
		http_problem(res, 400, "keys belong in the Authorization header");
		return false;
	}
	if (!authenticate(worker, route, req, res))
		return false;
	if ((worker->key.scopes & route->scope) == route->scope)
		return true;
	if (worker->key.id != 0) {
		http_problem(res, 403, "forbidden");
		return false;
	}
	if ((route->flags & ROUTE_ANONYMOUS_CREATE) != 0 && config_get()->anonymous_create)
		return true;
	refuse_anonymous(res, route);
	return false;
}

static bool body_fits(
	const struct route *route, const struct http_request *req, struct http_response *res)
{
	size_t limit = route->body_limit != 0 ? route->body_limit : (size_t)HTTP_BODY_LIMIT;
	if (req->body_len > limit) {
		http_problem(res, 413, "body too large");
		return false;
	}
	if ((route->flags & ROUTE_JSON) != 0 &&
		!http_is_type(req->content_type, "application/json")) {
		http_problem(res, 415, "content type must be application/json");
		return false;
	}
	return true;
}

/* Who is counted: the key, or else the address. */
static const char *caller(
	const struct worker *worker, const struct http_request *req, char name[32])
{
	if (worker->key.id == 0)
		return req->client;
	struct text text = text_fixed(name, 32);
	text_addf(&text, "key %lld", (long long)worker->key.id);
	return name;
}

/* As the drafts of RateLimit header fields for HTTP say, up to the seventh. */
static void tell_rate(struct http_response *res, enum rate_class class, const char *client)
{
	const struct rate_left left = rate_look(class, client);
	if (left.limit == 0 || http_is_sent(res))
		return;
	add_number_header(res, "RateLimit-Limit", left.limit);
	add_number_header(res, "RateLimit-Remaining", left.calls);
	add_number_header(res, "RateLimit-Reset", left.reset);
}

static void run(struct worker *worker, const struct route *route, const struct http_request *req,
	struct http_response *res)
{
	char name[32];
	if (!may_call(worker, route, req, res))
		return;
	const char *client = caller(worker, req, name);
	if (!refuse_too_many(res, route->handler_label, rate_take(route->rate, client)) &&
		body_fits(route, req, res)) {
		route->handler(worker, req, res);
		if (res->status == 404)
			rate_charge(route->rate, client, MISS_COST);
	}
	tell_rate(res, route->rate, client);
}

/* Errors and slow requests always; successes of a sampled route one in LINKSHRINK_LOG_SAMPLE. */
static bool is_logged(
	struct worker *worker, const struct route *route, int status, uint64_t nanoseconds)
{
	bool slow = nanoseconds >= (uint64_t)config_get()->slow_ms * CLOCK_MS;
	bool sampled = route != NULL && (route->flags & ROUTE_SAMPLED) != 0 && status < 400;
	if (slow || !sampled)
		return true;
	return worker->successes++ % (unsigned)config_get()->log_sample == 0;
}

static enum log_level level_of(int status, uint64_t nanoseconds)
{
	if (status >= 500)
		return LOG_ERROR;
	return nanoseconds >= (uint64_t)config_get()->slow_ms * CLOCK_MS ? LOG_WARNING : LOG_INFO;
}

static void log_request(const struct worker *worker, enum label_handler handler,
	const struct http_request *req, const struct http_response *res, uint64_t nanoseconds)
{
	struct log_line line;
	char network[INET6_ADDRSTRLEN];
	address_truncate(req->client, network);
	log_begin(&line, level_of(res->status, nanoseconds), "request");
	log_field(&line, "handler", metrics_handler_name(handler));
	log_field(&line, "method", http_method_name(req->method));
	log_field_number(&line, "status", res->status);
	log_field_number(&line, "duration_us", (int64_t)(nanoseconds / 1000));
	if (worker->db != NULL && db_spent_us(worker->db) > 0) {
		log_field_number(&line, "db_us", db_spent_us(worker->db));
		log_field_number(&line, "db_pid", db_session_pid(worker->db));
	}
	log_field(&line, "code", *worker->code != '\0' ? worker->code : NULL);
	log_field(&line, "client", network);
	log_field(&line, "error", res->error);
	log_end(&line);
}

/* W3C traceparent: 00-<32 hex>-<16 hex>-<2 hex>; anything else starts a trace of its own, under the id of the request. */
static void continue_trace(struct http_request *req, const char *traceparent)
{
	const size_t id = HTTP_ID - 1;
	bool good = strlen(traceparent) == 55 && text_starts_with(traceparent, "00-") &&
		    strspn(traceparent + 3, "0123456789abcdef") == id &&
		    strspn(traceparent + 3, "0") < id && traceparent[3 + id] == '-';
	if (good) {
		memcpy(req->trace, traceparent + 3, id);
		req->trace[id] = '\0';
	} else {
		memcpy(req->trace, req->id, HTTP_ID);
	}
}

static void begin(struct worker *worker, struct http_request *req, struct http_response *res)
{
	worker->key = (struct apikey){ 0 };
	worker->code[0] = '\0';
	if (worker->db != NULL)
		db_set_deadline(worker->db, config_get()->database_deadline_ms);
	random_hex(req->id, (HTTP_ID - 1) / 2);
	continue_trace(req, req->traceparent);
	log_set_request(req->id, req->trace);
	http_response_reset(res, req);
}

/* An answer that is on its way already is no more to be changed. */
static void complete(const struct http_request *req, struct http_response *res)
{
	if (http_is_sent(res)) {
		res->broken |= res->body.cut;
		return;
	}
	if (res->broken || res->body.cut || res->headers.cut)
		http_problem(res, 500, "internal error");
	if (res->error != NULL && accept_prefers_html(req->accept))
		page_problem(res);
	http_common_headers(res);
}

void service_handle(const struct service *service, struct worker *worker, struct http_request *req,
	struct http_response *res)
{
	uint64_t start = clock_monotonic();
	unsigned allowed;
	begin(worker, req, res);
	const struct route *route = find_route(service, req, &allowed);
	enum label_handler handler = route != NULL ? route->handler_label : LABEL_handler_NONE;
	if (route != NULL)
		run(worker, route, req, res);
	else
		answer_no_route(res, allowed);
	complete(req, res);

	uint64_t took = clock_monotonic() - start;
	metrics_add(METRIC_requests, handler, metrics_code(res->status), 1);
	metrics_observe(METRIC_request_duration, handler, took);
	if (service->timed != LABEL_timed_NOBODY)
		metrics_observe(METRIC_http_duration, service->timed, took);
	if (is_logged(worker, route, res->status, took))
		log_request(worker, handler, req, res, took);
	log_set_request(NULL, NULL);
}
