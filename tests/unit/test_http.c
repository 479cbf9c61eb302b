#include "http/http.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "http/json_check.h"

static struct http_response res;
static struct http_request req = { .id = "0123456789abcdef0123456789abcdef" };

static void setup(void)
{
	http_response_init(&res);
	http_response_reset(&res, &req);
}

static void cleanup(void)
{
	http_response_free(&res);
}

TestSuite(http, .init = setup, .fini = cleanup);

Test(http, names_methods_both_ways_and_knows_no_other)
{
	static const char *const known[] = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE" };
	static const char *const unknown[] = { "", "get", "GETX", "GE", "TRACE", "CONNECT",
		"OPTIONS" };
	for (size_t i = 0; i < 6; i++)
		cr_expect_str_eq(http_method_name(http_method_from(known[i])), known[i]);
	for (size_t i = 0; i < 7; i++)
		cr_expect_eq(http_method_from(unknown[i]), HTTP_OTHER, "%s", unknown[i]);
}

Test(http, has_a_reason_for_every_status_of_the_api)
{
	static const int sent[] = { 200, 201, 301, 302, 307, 308, 400, 401, 403, 404, 405, 409, 410,
		411, 412, 413, 415, 429, 500, 503 };
	for (size_t i = 0; i < sizeof(sent) / sizeof(*sent); i++)
		cr_expect_str_neq(http_reason(sent[i]), "Error", "%d", sent[i]);
	cr_expect_str_eq(http_reason(418), "Error");
}

Test(http, fails_closed_when_nobody_answers)
{
	cr_expect_eq(res.status, 500);
	cr_expect_eq(res.body.len, 0);
}

Test(http, refuses_headers_that_could_be_split_or_smuggled)
{
	static const struct {
		const char *name;
		const char *value;
	} rows[] = {
		{ "Location", "http://a/\r\nSet-Cookie: x" },
		{ "Location", "http://a/\n" },
		{ "Location", "a\rb" },
		{ "Location", "a\tb" },
		{ "Location", "a\x7f" },
		{ "Location", "a\x01" },
		{ "Location", "m\u00fcnchen" },
		{ "Location", "\xff" },
		{ "", "x" },
		{ "Bad Name", "x" },
		{ "Bad:Name", "x" },
		{ "Name\r\n", "x" },
		{ "N\u00e4me", "x" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		http_response_reset(&res, &req);
		http_header(&res, rows[i].name, rows[i].value);
		cr_expect(res.broken, "%s: %s", rows[i].name, rows[i].value);
		cr_expect_eq(res.headers.len, 0, "%s: %s", rows[i].name, rows[i].value);
	}
}

Test(http, writes_headers_as_whole_lines)
{
	http_header(&res, "Location", "https://example.com/a?b=~#c");
	http_header(&res, "X-Empty", "");
	cr_expect_str_eq(
		res.headers.data, "Location: https://example.com/a?b=~#c\r\nX-Empty: \r\n");
	cr_expect_not(res.broken);
}

Test(http, breaks_when_headers_do_not_fit_and_keeps_whole_lines)
{
	char value[1001];
	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	for (int i = 0; i < 5; i++)
		http_header(&res, "X-Long", value);
	cr_expect(res.broken);
	cr_expect_lt(res.headers.len, HTTP_HEADERS_MAX);
	cr_expect_str_eq(res.headers.data + res.headers.len - 2, "\r\n");
}

Test(http, is_as_new_after_a_reset)
{
	http_problem(&res, 404, "url not found");
	http_header(&res, "Bad Name", "");
	http_response_reset(&res, &req);
	cr_expect_eq(res.status, 500);
	cr_expect_eq(res.headers.len + res.body.len, 0);
	cr_expect_null(res.error);
	cr_expect_not(res.broken);
	cr_expect_eq(res.request_id, req.id);
}

Test(http, gives_a_content_type_once_however_often_it_begins)
{
	http_header(&res, "ETag", "\"1\"");
	http_begin(&res, 200, "text/plain");
	http_header(&res, "X-After", "a");
	http_begin(&res, 201, "application/json");
	cr_expect_eq(res.status, 201);
	cr_expect_str_eq(res.headers.data,
		"ETag: \"1\"\r\nX-After: a\r\nContent-Type: application/json\r\n");
}

Test(http, answers_a_problem_document)
{
	http_problem(&res, 404, "url not found");
	cr_expect_eq(res.status, 404);
	cr_expect_str_eq(res.error, "url not found");
	cr_expect_str_eq(res.headers.data, "Content-Type: application/problem+json\r\n");
	cr_expect_str_eq(res.body.data,
		"{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,"
		"\"error\":\"url not "
		"found\",\"request_id\":\"0123456789abcdef0123456789abcdef\"}\n");
}

Test(http, lists_all_faults_with_the_sentence_for_people)
{
	struct http_faults faults = { 0 };
	http_fault(&faults, "url", "must be at most %d bytes long", 2048);
	http_fault(&faults, "title", "has a \"quote\"");
	http_problem_detail(&res, 400, "invalid_url", "Two fields are wrong.", &faults);
	cr_expect_not_null(
		strstr(res.body.data, "\"detail\":\"Two fields are wrong.\",\"error\":"));
	cr_expect_not_null(strstr(res.body.data,
		"\"errors\":[{\"field\":\"url\",\"what\":\"must be at most 2048 bytes long\"},"
		"{\"field\":\"title\",\"what\":\"has a \\\"quote\\\"\"}]}"));
	cr_expect(json_check(res.body.data, res.body.len));
}

Test(http, replaces_a_half_made_answer_by_the_problem)
{
	http_begin(&res, 302, "text/plain");
	http_header(&res, "Location", "http://a/\r\n");
	text_add(&res.body, "half");
	http_problem(&res, 500, "internal error");
	cr_expect_not(res.broken);
	cr_expect_null(strstr(res.headers.data, "Location"));
	cr_expect_eq(res.body.data[0], '{');
}

Test(http, says_when_to_come_back)
{
	http_unavailable(&res, 7);
	cr_expect_eq(res.status, 503);
	cr_expect_not_null(strstr(res.headers.data, "Retry-After: 7\r\n"));
}

Test(http, keeps_as_many_faults_as_fit_and_cuts_long_ones)
{
	struct http_faults faults = { 0 };
	char text[1000];
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < HTTP_FAULTS_MAX + 5; i++)
		http_fault(&faults, text, "%s", text);
	cr_expect_eq(faults.count, HTTP_FAULTS_MAX);
	cr_expect_eq(strlen(faults.list[0].field), sizeof(faults.list[0].field) - 1);
	cr_expect_eq(strlen(faults.list[0].what), sizeof(faults.list[0].what) - 1);
}
