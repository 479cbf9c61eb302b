/* What service_handle() promises for every route, whatever its handler does. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "service/exchange.h"

static int calls;

static void answer_ok(
	struct worker *worker, const struct http_request *req, struct http_response *res)
{
	(void)worker;
	calls++;
	http_begin(res, 200, "text/plain");
	text_add(&res->body, req->capture);
}

static void answer_tail(
	struct worker *worker, const struct http_request *req, struct http_response *res)
{
	answer_ok(worker, req, res);
	text_add(&res->body, " and a tail");
}

static void answer_split_header(
	struct worker *worker, const struct http_request *req, struct http_response *res)
{
	(void)worker;
	(void)req;
	http_begin(res, 200, "text/plain");
	http_header(res, "X-Evil", "a\r\nSet-Cookie: b");
}

static void answer_nothing(
	struct worker *worker, const struct http_request *req, struct http_response *res)
{
	(void)worker;
	(void)req;
	(void)res;
}

static void answer_404(
	struct worker *worker, const struct http_request *req, struct http_response *res)
{
	(void)worker;
	(void)req;
	http_problem(res, 404, "url not found");
}

static const struct route routes[] = { { HTTP_GET | HTTP_HEAD, "/plain", LABEL_handler_HEALTH,
					       ANYONE, RATE_NONE, 0, 0, answer_ok },
	{ HTTP_GET, "/things/:id/parts", LABEL_handler_HEALTH, ANYONE, RATE_NONE, 0, 0, answer_ok },
	{ HTTP_GET, "/:name.qr", LABEL_handler_HEALTH, ANYONE, RATE_NONE, 0, 0, answer_tail },
	{ HTTP_GET, "/:name+", LABEL_handler_HEALTH, ANYONE, RATE_NONE, 0, 0, answer_tail },
	{ HTTP_GET, "/tails/:name", LABEL_handler_HEALTH, ANYONE, RATE_NONE, 0, 0, answer_ok },
	{ HTTP_GET, "/split", LABEL_handler_HEALTH, ANYONE, RATE_NONE, 0, 0, answer_split_header },
	{ HTTP_GET, "/nothing", LABEL_handler_HEALTH, ANYONE, RATE_NONE, 0, 0, answer_nothing },
	{ HTTP_GET, "/miss", LABEL_handler_HEALTH, ANYONE, RATE_API, 0, 0, answer_404 },
	{ HTTP_GET, "/rated", LABEL_handler_HEALTH, ANYONE, RATE_API, 0, 0, answer_ok },
	{ HTTP_POST, "/small", LABEL_handler_HEALTH, ANYONE, RATE_NONE, 16, ROUTE_JSON, answer_ok },
	{ HTTP_POST, "/large", LABEL_handler_HEALTH, ANYONE, RATE_NONE, 1 << 20, ROUTE_JSON,
		answer_ok },
	{ HTTP_POST, "/usual", LABEL_handler_HEALTH, ANYONE, RATE_NONE, 0, ROUTE_JSON, answer_ok },
	{ HTTP_GET, "/secret", LABEL_handler_SYSTEM, SCOPE_OPS_READ, RATE_NONE, 0, 0, answer_ok },
	{ HTTP_POST, "/create", LABEL_handler_SHORTEN, SCOPE_LINKS_WRITE, RATE_NONE, 0,
		ROUTE_ANONYMOUS_CREATE, answer_ok },
	{ 0 } };

static const struct service service = { .name = "system", .routes = routes, .threads = 1 };

static struct exchange *exchange;

static int ask(enum http_method method, const char *path)
{
	if (exchange != NULL)
		exchange_free(exchange);
	exchange = exchange_new(method, path);
	return exchange_run(exchange, &service);
}

static int post(const char *path, const char *json)
{
	if (exchange != NULL)
		exchange_free(exchange);
	exchange = exchange_new(HTTP_POST, path);
	exchange_body(exchange, json);
	return exchange_run(exchange, &service);
}

static void forget(void)
{
	if (exchange != NULL)
		exchange_free(exchange);
	exchange = NULL;
}

TestSuite(service, .fini = forget);

Test(service, matches_whole_paths_only)
{
	static const struct {
		const char *path;
		int status;
	} rows[] = {
		{ "/plain", 200 },
		{ "/plainEVIL", 404 },
		{ "/plain/", 404 },
		{ "//plain", 404 },
		{ "/plain/x", 404 },
		{ "/", 404 },
		{ "", 404 },
		{ "/things/7/parts", 200 },
		{ "/things//parts", 404 },
		{ "/things/7", 404 },
		{ "/things/7/parts/8", 404 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		cr_expect_eq(ask(HTTP_GET, rows[i].path), rows[i].status, "%s", rows[i].path);
}

Test(service, gives_the_handler_what_the_path_captured)
{
	ask(HTTP_GET, "/things/some-id/parts");
	cr_expect_str_eq(exchange->res.body.data, "some-id");
}

Test(service, captures_what_stands_before_a_literal_tail)
{
	static const struct {
		const char *path, *said;
	} rows[] = {
		{ "/abc.qr", "abc and a tail" },
		{ "/abc+", "abc and a tail" },
		{ "/a+.qr", "a+ and a tail" },
		{ "/abc.qr+", "abc.qr and a tail" },
		{ "/x.qr.qr", "x.qr and a tail" },
		{ "/tails/abc+", "abc+" },
		{ "/.qr", NULL },
		{ "/+", NULL },
		{ "/abc.QR", NULL },
		{ "/abc.q", NULL },
		{ "/abc.qr/", NULL },
		{ "/abc", NULL },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		cr_expect_eq(ask(HTTP_GET, rows[i].path), rows[i].said != NULL ? 200 : 404, "%s",
			rows[i].path);
		if (rows[i].said != NULL)
			cr_expect_str_eq(exchange->res.body.data, rows[i].said);
	}
}

static int ask_as_a_person(const char *path)
{
	if (exchange != NULL)
		exchange_free(exchange);
	exchange = exchange_new(HTTP_GET, path);
	exchange->req.accept = "text/html,*/*;q=0.8";
	return exchange_run(exchange, &service);
}

Test(service, shows_people_a_page_where_clients_get_a_problem)
{
	cr_expect_eq(ask_as_a_person("/miss"), 404);
	cr_expect_str_eq(exchange_header(exchange, "Content-Type"), "text/html; charset=utf-8");
	cr_expect(exchange_says(exchange, "This link leads nowhere"));
	cr_expect(exchange_says(exchange, exchange->req.id));
	cr_expect_str_eq(exchange_header(exchange, "Cache-Control"), "no-store");
	cr_expect_str_eq(exchange->res.error, "url not found");
	cr_expect_eq(ask_as_a_person("/small"), 405);
	cr_expect_str_eq(exchange_header(exchange, "Allow"), "POST");
	cr_expect_eq(ask_as_a_person("/split"), 500);
	cr_expect_str_eq(exchange_header(exchange, "Content-Type"), "text/html; charset=utf-8");
	cr_expect_null(exchange_header(exchange, "X-Evil"));
	cr_expect_eq(ask_as_a_person("/plain"), 200);
	cr_expect_str_eq(exchange_header(exchange, "Content-Type"), "text/plain");
}

Test(service, refuses_a_segment_too_long_to_capture)
{
	char path[HTTP_CAPTURE_MAX + 64] = "/things/";
	memset(path + strlen(path), 'a', HTTP_CAPTURE_MAX);
	strncat(path, "/parts", 16);
	cr_expect_eq(ask(HTTP_GET, path), 404);
}

Test(service, names_the_methods_that_a_path_has)
{
	cr_expect_eq(ask(HTTP_DELETE, "/plain"), 405);
	cr_expect_str_eq(exchange_header(exchange, "Allow"), "GET, HEAD");
	cr_expect_eq(ask(HTTP_OTHER, "/small"), 405);
	cr_expect_str_eq(exchange_header(exchange, "Allow"), "POST");
}

Test(service, gives_every_answer_the_id_that_its_problem_names)
{
	ask(HTTP_GET, "/nowhere");
	const char *id = exchange_header(exchange, "X-Request-Id");
	cr_assert_not_null(id);
	cr_expect_eq(strlen(id), 32);
	cr_expect(exchange_says(exchange, id));
	cr_expect_str_eq(exchange_header(exchange, "Content-Type"), "application/problem+json");
	char first[HTTP_ID];
	memcpy(first, id, sizeof(first));
	ask(HTTP_GET, "/plain");
	cr_expect_str_neq(exchange_header(exchange, "X-Request-Id"), first);
}

Test(service, continues_a_trace_and_starts_one_where_there_is_none)
{
	static const char trace[] = "4bf92f3577b34da6a3ce929d0e0e4736";
	static const struct {
		const char *traceparent;
		bool continued;
	} rows[] = {
		{ "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true },
		{ "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", false },
		{ "00-00000000000000000000000000000000-00f067aa0ba902b7-01", false },
		{ "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false },
		{ "00-4bf92f3577b34da6a3ce929d0e0e473\"-00f067aa0ba902b7-01", false },
		{ "", false },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		forget();
		exchange = exchange_new(HTTP_GET, "/plain");
		exchange->req.traceparent = rows[i].traceparent;
		exchange_run(exchange, &service);
		cr_expect_eq(strcmp(exchange->req.trace, trace) == 0, rows[i].continued, "%s",
			rows[i].traceparent);
		cr_expect_eq(strspn(exchange->req.trace, "0123456789abcdef"), 32);
	}
}

Test(service, never_sends_a_split_header)
{
	cr_expect_eq(ask(HTTP_GET, "/split"), 500);
	cr_expect_null(strstr(exchange->res.headers.data, "Evil"));
	cr_expect_null(strstr(exchange->res.headers.data, "Set-Cookie"));
}

Test(service, answers_500_for_a_handler_that_says_nothing)
{
	cr_expect_eq(ask(HTTP_GET, "/nothing"), 500);
}

Test(service, refuses_bodies_above_the_limit_of_the_route)
{
	static char long_body[HTTP_BODY_LIMIT + 2];
	cr_expect_eq(post("/small", "{\"123456789\":1}"), 200);
	cr_expect_eq(post("/small", "{\"12345678901\":1}"), 413);
	memset(long_body, ' ', sizeof(long_body) - 1);
	cr_expect_eq(post("/usual", long_body), 413);
	cr_expect_eq(post("/large", long_body), 200);
	long_body[HTTP_BODY_LIMIT] = '\0';
	cr_expect_eq(post("/usual", long_body), 200);
}

Test(service, takes_json_only_where_it_wants_json)
{
	static const struct {
		const char *type;
		int status;
	} rows[] = {
		{ "application/json", 200 },
		{ "Application/JSON; charset=utf-8", 200 },
		{ "application/json;charset=utf-8", 200 },
		{ "text/plain", 415 },
		{ "application/jsonp", 415 },
		{ "", 415 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		forget();
		exchange = exchange_new(HTTP_POST, "/usual");
		exchange_body(exchange, "{}");
		exchange->req.content_type = rows[i].type;
		cr_expect_eq(exchange_run(exchange, &service), rows[i].status, "%s", rows[i].type);
	}
}

Test(service, lets_nobody_in_without_a_key)
{
	calls = 0;
	cr_expect_eq(ask(HTTP_GET, "/secret"), 401);
	cr_expect_str_eq(exchange_header(exchange, "WWW-Authenticate"), "Bearer");
	cr_expect_eq(calls, 0);
}

Test(service, refuses_what_is_no_key)
{
	static const char *const rows[] = { "Bearer", "Bearer x", "Basic YTpi", "Bearer ls_1_short",
		"ls_1_0000000000000000000000000000000000000000000000000000000000000000" };
	calls = 0;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		forget();
		exchange = exchange_new(HTTP_GET, "/secret");
		exchange->req.authorization = rows[i];
		cr_expect_eq(exchange_run(exchange, &service), 401, "%s", rows[i]);
	}
	cr_expect_eq(calls, 0);
}

Test(service, opens_creation_to_all_only_where_the_setting_says_so)
{
	unsetenv("LINKSHRINK_ANONYMOUS_CREATE");
	cr_expect_eq(ask(HTTP_POST, "/create"), 401);
	setenv("LINKSHRINK_ANONYMOUS_CREATE", "yes", 1);
	cr_expect_eq(ask(HTTP_POST, "/create"), 200);
	cr_expect_eq(ask(HTTP_GET, "/secret"), 401);
}

Test(service, refuses_a_key_in_the_query)
{
	setenv("LINKSHRINK_ANONYMOUS_CREATE", "yes", 1);
	exchange = exchange_new(HTTP_POST, "/create");
	exchange->req.query = "a=b&api_key=ls_1_x";
	cr_expect_eq(exchange_run(exchange, &service), 400);
	cr_expect(exchange_says(exchange, "Authorization"));
}

static int ask_until(int status, const char *path, int most)
{
	int asked = 0;
	while (asked < most && ask(HTTP_GET, path) != status)
		asked++;
	return asked;
}

Test(service, limits_the_rate_and_says_how_long_to_wait)
{
	setenv("LINKSHRINK_RATE_API", "60", 1);
	cr_expect_gt(ask_until(429, "/rated", 200), 1);
	cr_expect_eq(exchange->res.status, 429);
	cr_expect_geq(atoi(exchange_header(exchange, "Retry-After")), 1);
}

Test(service, makes_guessing_dearer_than_finding)
{
	setenv("LINKSHRINK_RATE_API", "60", 1);
	cr_expect_leq(ask_until(429, "/miss", 200), 4, "a miss counts for five");
}

static int try_key(const char *authorization)
{
	forget();
	exchange = exchange_new(HTTP_GET, "/secret");
	exchange->req.authorization = authorization;
	return exchange_run(exchange, &service);
}

Test(service, slows_down_who_tries_keys_but_not_who_sends_none)
{
	int tries = 0;
	setenv("LINKSHRINK_RATE_AUTH_FAIL", "10", 1);
	for (int i = 0; i < 100; i++)
		cr_assert_eq(try_key(""), 401);
	while (tries < 100 && try_key("Bearer ls_1_wrong") == 401)
		tries++;
	cr_expect_lt(tries, 100);
	cr_expect_eq(exchange->res.status, 429);
}

Test(service, tells_caches_to_keep_nothing_that_does_not_say_otherwise)
{
	ask(HTTP_GET, "/plain");
	cr_expect_str_eq(exchange_header(exchange, "Cache-Control"), "no-store");
	ask(HTTP_GET, "/nowhere");
	cr_expect_str_eq(exchange_header(exchange, "Cache-Control"), "no-store");
}

Test(service, counts_each_answer_once_by_handler_and_status)
{
	uint64_t ok = metrics_value(METRIC_requests, LABEL_handler_HEALTH, LABEL_code_200);
	uint64_t lost = metrics_value(METRIC_requests, LABEL_handler_NONE, LABEL_code_404);
	uint64_t timed = metrics_observations(METRIC_request_duration, LABEL_handler_HEALTH);
	ask(HTTP_GET, "/plain");
	ask(HTTP_GET, "/nowhere");
	cr_expect_eq(metrics_value(METRIC_requests, LABEL_handler_HEALTH, LABEL_code_200), ok + 1);
	cr_expect_eq(metrics_value(METRIC_requests, LABEL_handler_NONE, LABEL_code_404), lost + 1);
	cr_expect_eq(
		metrics_observations(METRIC_request_duration, LABEL_handler_HEALTH), timed + 1);
}
