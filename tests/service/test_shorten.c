/* The program shorten, in-process, on a real PostgreSQL. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "service/exchange.h"

extern const struct service shorten_service;

static struct exchange *exchange;

static void allow_all(void)
{
	setenv("LINKSHRINK_ANONYMOUS_CREATE", "yes", 1);
	setenv("LINKSHRINK_RATE_CREATE", "0", 1);
	setenv("LINKSHRINK_BASE_URL", "https://s.example", 1);
}

static void forget(void)
{
	if (exchange != NULL)
		exchange_free(exchange);
	exchange = NULL;
}

TestSuite(shorten, .init = allow_all, .fini = forget);

static int shorten(const char *json)
{
	forget();
	exchange = exchange_new(HTTP_POST, "/shorten");
	exchange_body(exchange, json);
	return exchange_run(exchange, &shorten_service);
}

/* The text after key in the answer, up to the next quote. */
static const char *member(const char *key)
{
	static char value[4096];
	char start[64];
	snprintf(start, sizeof(start), "\"%s\":\"", key);
	const char *found = strstr(exchange->res.body.data, start);
	cr_assert_not_null(found, "%s in %s", key, exchange->res.body.data);
	found += strlen(start);
	size_t len = strcspn(found, "\"");
	memcpy(value, found, len);
	value[len] = '\0';
	return value;
}

Test(shorten, makes_a_link_and_shows_all_of_it)
{
	static const char *const members[] = { "id", "short_code", "short_url", "original_url",
		"title", "user_id", "is_active", "redirect_status", "forward_query", "valid_since",
		"valid_until", "max_visits", "created_at", "updated_at" };
	cr_assert_eq(shorten("{\"url\":\"https://EXAMPLE.com\",\"title\":\"T\"}"), 201);
	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
		char key[64];
		snprintf(key, sizeof(key), "\"%s\":", members[i]);
		cr_expect(exchange_says(exchange, key), "%s", members[i]);
	}
	cr_expect_str_eq(member("original_url"), "https://example.com/");
	cr_expect_str_eq(member("title"), "T");
	cr_expect(text_starts_with(member("short_url"), "https://s.example/"));
	cr_expect_eq(strlen(member("short_code")), CODE_RANDOM);
}

Test(shorten, counts_what_it_made_and_nothing_else)
{
	uint64_t before = metrics_value(METRIC_links_created, 0, 0);
	shorten("{\"url\":\"https://example.com/1\"}");
	shorten("{\"url\":\"nonsense\"}");
	cr_expect_eq(metrics_value(METRIC_links_created, 0, 0), before + 1);
}

Test(shorten, gives_a_wanted_code_to_the_first_only)
{
	char code[17], json[128];
	random_hex(code, 8);
	snprintf(json, sizeof(json), "{\"url\":\"https://example.com\",\"short_code\":\"x%s\"}",
		code);
	cr_expect_eq(shorten(json), 201);
	cr_expect_eq(shorten(json), 409);
	cr_expect(exchange_says(exchange, "short_code is taken"));
}

Test(shorten, finds_the_link_that_exists_when_asked_to)
{
	char path[17], json[160], first[CODE_MAX + 1];
	random_hex(path, 8);
	snprintf(json, sizeof(json), "{\"url\":\"https://example.com/%s\",\"find_if_exists\":true}",
		path);
	cr_expect_eq(shorten(json), 201);
	text_copy(first, sizeof(first), member("short_code"));
	cr_expect_eq(shorten(json), 200);
	cr_expect_str_eq(member("short_code"), first);
	snprintf(json, sizeof(json), "{\"url\":\"https://example.com/%s\"}", path);
	cr_expect_eq(shorten(json), 201);
	cr_expect_str_neq(member("short_code"), first);
}

struct document {
	const char *bytes;
	size_t len;
	bool valid;
};

Test(shorten, calls_what_is_no_json_invalid_json_and_nothing_else)
{
	static const struct document rows[] = {
#define VALID(bytes)   { bytes, sizeof(bytes) - 1, true },
#define BEYOND(bytes)  { bytes, sizeof(bytes) - 1, true },
#define INVALID(bytes) { bytes, sizeof(bytes) - 1, false },
#include "unit/json_documents.def"
	};
	exchange = exchange_new(HTTP_POST, "/shorten");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		exchange_body(exchange, rows[i].bytes);
		exchange->req.body_len = rows[i].len;
		cr_expect_eq(exchange_run(exchange, &shorten_service), 400, "%s", rows[i].bytes);
		cr_expect_eq(exchange_says(exchange, "\"error\":\"invalid_json\""), !rows[i].valid,
			"%s", rows[i].bytes);
	}
}

Test(shorten, says_of_the_body_what_it_does_not_take)
{
	static const char *const rows[] = { "[]", "\"url\"", "null",
		"{\"url\":\"https://example.com/\\u0000\"}",
		"{\"url\":\"https://example.com\",\"url\":\"https://example.org\"}" };
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		cr_expect_eq(shorten(rows[i]), 400, "%s", rows[i]);
		cr_expect(exchange_says(exchange, "\"field\":\"body\""), "%s", rows[i]);
	}
}

Test(shorten, refuses_targets_that_lead_nowhere_good)
{
	static const char *const rows[] = { "javascript:alert(1)", "ftp://example.com",
		"https://user:secret@example.com/", "https://s.example/loop", "http://127.0.0.1/",
		"http://10.1.2.3/", "http://[::1]/", "http://localhost/", "https://", "example.com",
		"http://0x7f.1/", "https://exa\\\\mple.com" };
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char json[256];
		snprintf(json, sizeof(json), "{\"url\":\"%s\"}", rows[i]);
		cr_expect_eq(shorten(json), 400, "%s", rows[i]);
		cr_expect(exchange_says(exchange, "\"error\":\"invalid_url\""), "%s", rows[i]);
	}
}

Test(shorten, makes_no_link_to_a_blocked_host)
{
	exchange_block("evil.example");
	cr_expect_eq(shorten("{\"url\":\"https://www.EVIL.example/\"}"), 400);
	cr_expect(exchange_says(exchange, "\"error\":\"invalid_url\""));
	cr_expect(exchange_says(exchange, "leads to a host that is blocked here"));
	cr_expect_eq(metrics_value(METRIC_blocked, LABEL_when_STORED, 0), 1);
	cr_expect_eq(shorten("{\"url\":\"https://devil.example/\"}"), 201);
}

Test(shorten, reports_all_faults_at_once)
{
	cr_expect_eq(
		shorten("{\"url\":\"ftp://x\",\"short_code\":\"a\",\"title\":7,\"id\":1}"), 400);
	cr_expect(exchange_says(exchange, "\"field\":\"url\""));
	cr_expect(exchange_says(exchange, "\"field\":\"short_code\""));
	cr_expect(exchange_says(exchange, "\"field\":\"title\""));
	cr_expect(exchange_says(exchange, "\"field\":\"id\""));
}

Test(shorten, keeps_the_conditions_of_a_link)
{
	cr_assert_eq(shorten("{\"url\":\"https://example.com\",\"redirect_status\":308,"
			     "\"forward_query\":true,\"max_visits\":3,"
			     "\"valid_since\":\"2026-01-01T00:00:00Z\","
			     "\"valid_until\":\"2999-12-31T23:59:59+01:00\"}"),
		201);
	cr_expect(exchange_says(exchange, "\"redirect_status\":308"));
	cr_expect(exchange_says(exchange, "\"forward_query\":true"));
	cr_expect(exchange_says(exchange, "\"max_visits\":3"));
	cr_expect_str_eq(member("valid_since"), "2026-01-01T00:00:00.000Z");
	cr_expect_str_eq(member("valid_until"), "2999-12-31T22:59:59.000Z");
}

Test(shorten, takes_titles_in_any_writing)
{
	cr_expect_eq(shorten("{\"url\":\"https://example.com\",\"title\":\"\\u05d0\\u202f\\u2065 "
			     "\\u00fc\\u20ac\"}"),
		201);
}

Test(shorten, refuses_conditions_that_make_no_sense)
{
	static const struct {
		const char *members, *field;
	} rows[] = {
		{ "\"redirect_status\":303", "redirect_status" },
		{ "\"redirect_status\":200", "redirect_status" },
		{ "\"max_visits\":0", "max_visits" },
		{ "\"max_visits\":1.5", "max_visits" },
		{ "\"valid_until\":\"2020-01-01T00:00:00Z\"", "valid_until" },
		{ "\"valid_until\":\"tomorrow\"", "valid_until" },
		{ "\"valid_until\":\"1970-01-01T00:00:00Z\"", "valid_until" },
		{ "\"valid_since\":\"1970-01-01T01:00:00+01:00\"", "valid_since" },
		{ "\"valid_since\":\"2999-01-02T00:00:00Z\","
		  "\"valid_until\":\"2999-01-01T00:00:00Z\"",
			"valid_until" },
		{ "\"forward_query\":\"yes\"", "forward_query" },
		{ "\"title\":\"  \"", "title" },
		{ "\"title\":\"a\\nb\"", "title" },
		{ "\"title\":\"a\\u202eb\"", "title" },
		{ "\"title\":\"a\\u2067b\"", "title" },
		{ "\"is_active\":false", "is_active" },
		{ "\"tags\":\"a\"", "tags" },
		{ "\"tags\":[\"a,b\"]", "tags" },
		{ "\"tags\":[\"\"]", "tags" },
		{ "\"user_id\":1", "user_id" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char json[256], field[64];
		snprintf(json, sizeof(json), "{\"url\":\"https://example.com\",%s}",
			rows[i].members);
		snprintf(field, sizeof(field), "\"field\":\"%s\"", rows[i].field);
		cr_expect_eq(shorten(json), 400, "%s", json);
		cr_expect(exchange_says(exchange, field), "%s", json);
	}
}

Test(shorten, ignores_members_that_it_does_not_know)
{
	cr_expect_eq(shorten("{\"url\":\"https://example.com\",\"campaign\":{\"a\":[1]}}"), 201);
}

Test(shorten, wants_a_url)
{
	cr_expect_eq(shorten("{}"), 400);
	cr_expect(exchange_says(exchange, "\"field\":\"url\""));
	cr_expect_eq(shorten("{\"url\":null}"), 400);
	cr_expect_eq(shorten("{\"url\":7}"), 400);
	cr_expect_eq(shorten("{\"url\":\"\"}"), 400);
}

Test(shorten, refuses_reserved_codes)
{
	static const char *const rows[] = { "metrics", "Metrics", "shorten", "12345", "a/b",
		"..." };
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char json[256];
		snprintf(json, sizeof(json),
			"{\"url\":\"https://example.com\",\"short_code\":\"%s\"}", rows[i]);
		cr_expect_eq(shorten(json), 400, "%s", rows[i]);
	}
}

Test(shorten, answers_503_with_retry_after_while_the_database_is_away)
{
	setenv("LINKSHRINK_DATABASE_URL", "host=/nonexistent", 1);
	cr_expect_eq(shorten("{\"url\":\"https://example.com\"}"), 503);
	cr_expect_str_eq(exchange_header(exchange, "Retry-After"), "1");
}
