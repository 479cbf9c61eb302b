/* The program api, links, in-process, on a real PostgreSQL. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "service/api_call.h"

TestSuite(api_links, .init = api_begin, .fini = api_end);

static const char *path_of(int64_t id, const char *rest)
{
	static char paths[4][128];
	static unsigned next;
	char *path = paths[next++ % 4];
	snprintf(path, 128, "/urls/%lld%s", (long long)id, rest);
	return path;
}

Test(api_links, makes_a_link_with_all_that_was_said_of_it)
{
	api_as(api_key(0, "links:write"));
	cr_assert_eq(
		api_call(HTTP_POST, "/urls",
			"{\"original_url\":\"https://EXAMPLE.com\",\"title\":\"T\","
			"\"redirect_status\":301,\"forward_query\":true,\"max_visits\":9,"
			"\"valid_until\":\"2999-01-01T00:00:00Z\",\"tags\":[\"a b\",\"c\",\"c\"]}"),
		201);
	cr_expect_str_eq(api_text("original_url"), "https://example.com/");
	cr_expect(api_says("\"tags\":[\"a b\",\"c\"]"), "%s", api_body());
	cr_expect_eq(api_number("redirect_status"), 301);
	cr_expect_eq(api_number("max_visits"), 9);
	cr_expect_eq(api_number("click_count"), 0);
	cr_expect_eq(api_number("user_id"), -1);
	cr_expect_str_eq(api_header("ETag"), "\"1\"");
}

Test(api_links, belongs_to_the_owner_of_the_key)
{
	int64_t user = api_user();
	api_as(api_key(user, "*"));
	api_link("");
	cr_expect_eq(api_number("user_id"), user);
}

Test(api_links, operators_name_any_owner_who_exists)
{
	char json[256];
	int64_t user = api_user();
	api_as(api_key(0, "*"));
	snprintf(json, sizeof(json), ",\"user_id\":%lld", (long long)user);
	api_link(json);
	cr_expect_eq(api_number("user_id"), user);
	cr_expect_eq(api_call(HTTP_POST, "/urls",
			     "{\"original_url\":\"https://example.com\",\"user_id\":99999999}"),
		404);
	cr_expect(api_says("user not found"));
}

Test(api_links, others_name_nobody_but_themselves)
{
	char json[256];
	int64_t other = api_user();
	api_as(api_key(api_user(), "*"));
	snprintf(json, sizeof(json), "{\"original_url\":\"https://example.com\",\"user_id\":%lld}",
		(long long)other);
	cr_expect_eq(api_call(HTTP_POST, "/urls", json), 404);
}

Test(api_links, are_found_by_id_and_by_code)
{
	char path[128];
	api_as(api_key(0, "*"));
	int64_t id = api_link("");
	snprintf(path, sizeof(path), "/urls/%s", api_text("short_code"));
	cr_expect_eq(api_call(HTTP_GET, path, NULL), 200);
	cr_expect_eq(api_number("id"), id);
	cr_expect_eq(api_call(HTTP_GET, path_of(id, ""), NULL), 200);
	cr_expect_eq(api_call(HTTP_GET, "/urls/99999999", NULL), 404);
	cr_expect_eq(api_call(HTTP_GET, "/urls/no.code", NULL), 404);
	cr_expect(api_says("url not found"));
}

Test(api_links, of_another_owner_are_as_if_they_were_not)
{
	api_as(api_key(0, "*"));
	int64_t id = api_link("");
	api_as(api_key(api_user(), "*"));
	cr_expect_eq(api_call(HTTP_GET, path_of(id, ""), NULL), 404);
	cr_expect_eq(api_call(HTTP_PUT, path_of(id, ""), "{\"title\":\"x\"}"), 404);
	cr_expect_eq(api_call(HTTP_DELETE, path_of(id, ""), NULL), 404);
	cr_expect_eq(api_call(HTTP_POST, path_of(id, "/restore"), NULL), 404);
	cr_expect_eq(api_call(HTTP_GET, path_of(id, "/events"), NULL), 404);
	cr_expect_eq(api_call(HTTP_GET, "/urls", NULL), 200);
	cr_expect_eq(api_number("total_items"), 0);
}

Test(api_links, changes_what_was_said_and_nothing_else)
{
	api_as(api_key(0, "*"));
	int64_t id = api_link(",\"title\":\"old\",\"max_visits\":5,\"tags\":[\"t\"]");
	cr_assert_eq(api_call(HTTP_PUT, path_of(id, ""), "{\"title\":\"new\",\"is_active\":false}"),
		200, "%s", api_body());
	cr_expect_str_eq(api_text("title"), "new");
	cr_expect_eq(api_number("max_visits"), 5);
	cr_expect(api_says("\"is_active\":false"));
	cr_expect(api_says("\"tags\":[\"t\"]"));
	cr_expect_str_eq(api_header("ETag"), "\"2\"");
}

Test(api_links, null_takes_a_condition_away)
{
	api_as(api_key(0, "*"));
	int64_t id = api_link(",\"title\":\"old\",\"max_visits\":5,\"tags\":[\"t\"],"
			      "\"valid_until\":\"2999-01-01T00:00:00Z\"");
	cr_assert_eq(
		api_call(HTTP_PATCH, path_of(id, ""),
			"{\"title\":null,\"max_visits\":null,\"tags\":null,\"valid_until\":null}"),
		200);
	cr_expect(api_says("\"title\":null"));
	cr_expect(api_says("\"valid_until\":null"));
	cr_expect(api_says("\"tags\":[]"));
	cr_expect_eq(api_number("max_visits"), -1);
}

Test(api_links, what_changes_nothing_makes_no_version)
{
	api_as(api_key(0, "*"));
	int64_t id = api_link(",\"title\":\"same\"");
	cr_expect_eq(api_call(HTTP_PUT, path_of(id, ""), "{\"title\":\"same\"}"), 200);
	cr_expect_str_eq(api_header("ETag"), "\"1\"");
	cr_expect_eq(api_call(HTTP_PUT, path_of(id, ""), "{}"), 200);
	cr_expect_str_eq(api_header("ETag"), "\"1\"");
}

Test(api_links, refuses_changes_that_are_not_the_callers_to_make)
{
	static const char *const rows[] = { "id", "short_code", "short_url", "click_count",
		"created_at", "updated_at" };
	api_as(api_key(0, "*"));
	int64_t id = api_link("");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char json[64], field[64];
		snprintf(json, sizeof(json), "{\"%s\":null}", rows[i]);
		snprintf(field, sizeof(field), "\"field\":\"%s\"", rows[i]);
		cr_expect_eq(api_call(HTTP_PUT, path_of(id, ""), json), 400, "%s", rows[i]);
		cr_expect(api_says(field), "%s", rows[i]);
	}
}

Test(api_links, checks_a_change_together_with_what_stays)
{
	api_as(api_key(0, "*"));
	int64_t id = api_link(",\"valid_since\":\"2998-01-01T00:00:00Z\"");
	cr_expect_eq(
		api_call(HTTP_PUT, path_of(id, ""), "{\"valid_until\":\"2997-01-01T00:00:00Z\"}"),
		400);
	cr_expect(api_says("\"field\":\"valid_until\""));
	cr_expect_eq(
		api_call(HTTP_PUT, path_of(id, ""), "{\"original_url\":\"javascript:x\"}"), 400);
	cr_expect(api_says("invalid_url"));
}

Test(api_links, takes_no_end_away_for_one_at_the_begin_of_time)
{
	api_as(api_key(0, "*"));
	int64_t id = api_link(",\"valid_until\":\"2999-01-01T00:00:00Z\"");
	cr_expect_eq(
		api_call(HTTP_PUT, path_of(id, ""), "{\"valid_until\":\"1970-01-01T00:00:00Z\"}"),
		400);
	cr_expect(api_says("\"field\":\"valid_until\""));
	cr_expect_eq(api_call(HTTP_GET, path_of(id, ""), NULL), 200);
	cr_expect(api_says("\"valid_until\":\"2999-01-01T00:00:00.000Z\""));
}

Test(api_links, if_match_refuses_a_version_that_is_no_more)
{
	api_as(api_key(0, "*"));
	int64_t id = api_link("");
	cr_expect_eq(api_call_if(HTTP_PUT, path_of(id, ""), "{\"title\":\"1\"}", "\"1\""), 200);
	cr_expect_eq(api_call_if(HTTP_PUT, path_of(id, ""), "{\"title\":\"2\"}", "\"1\""), 412);
	cr_expect_eq(api_call_if(HTTP_DELETE, path_of(id, ""), NULL, "\"1\""), 412);
	cr_expect_eq(
		api_call_if(HTTP_PUT, path_of(id, ""), "{\"title\":\"3\"}", "\"1\", \"2\""), 200);
	cr_expect_eq(api_call_if(HTTP_PUT, path_of(id, ""), "{\"title\":\"4\"}", "*"), 200);
	cr_expect_eq(api_call_if(HTTP_PUT, path_of(id, ""), "{\"title\":\"5\"}", "W/\"4\""), 412);
}

Test(api_links, come_back_after_deletion)
{
	api_as(api_key(0, "*"));
	int64_t id = api_link("");
	cr_expect_eq(api_call(HTTP_DELETE, path_of(id, ""), NULL), 200);
	cr_expect_str_eq(api_body(), "{\"deleted\":true}");
	cr_expect_eq(api_call(HTTP_GET, path_of(id, ""), NULL), 404);
	cr_expect_eq(api_call(HTTP_DELETE, path_of(id, ""), NULL), 404);
	cr_expect_eq(api_call(HTTP_POST, path_of(id, "/restore"), NULL), 200);
	cr_expect(api_says("\"is_active\":true"));
	cr_expect_eq(api_call(HTTP_POST, path_of(id, "/restore"), NULL), 200);
	cr_expect_eq(api_call(HTTP_GET, path_of(id, ""), NULL), 200);
}

Test(api_links, tell_their_life_as_events)
{
	api_as(api_key(0, "*"));
	int64_t id = api_link("");
	api_call(HTTP_PUT, path_of(id, ""), "{\"title\":\"T\",\"tags\":[\"x\"]}");
	api_call(HTTP_DELETE, path_of(id, ""), NULL);
	api_call(HTTP_POST, path_of(id, "/restore"), NULL);
	cr_expect_eq(api_call(HTTP_GET, path_of(id, "/events"), NULL), 200);
	cr_expect_eq(api_number("total_items"), 4, "%s", api_body());
	cr_expect(api_says("\"fields\": [\"title\", \"tags\"]"), "%s", api_body());
	const char *restored = strstr(api_body(), "restored"),
		   *deleted = strstr(api_body(), "deleted");
	cr_expect(restored != NULL && deleted != NULL && restored < deleted, "newest first");
}

Test(api_links, list_the_newest_first_page_by_page)
{
	char path[128], first[64];
	int64_t user = api_user(), ids[5];
	api_as(api_key(user, "*"));
	for (int i = 0; i < 5; i++)
		ids[i] = api_link("");
	cr_assert_eq(api_call(HTTP_GET, "/urls?per_page=2", NULL), 200, "%s", api_body());
	cr_expect_str_eq(api_text("kind"), "list");
	cr_expect_eq(api_number("total_items"), 5);
	cr_expect_eq(api_number("id"), ids[4]);
	snprintf(first, sizeof(first), "%s", api_text("next"));
	snprintf(path, sizeof(path), "/urls?per_page=2&after=%s", first);
	cr_assert_eq(api_call(HTTP_GET, path, NULL), 200);
	cr_expect_eq(api_number("id"), ids[2]);
	cr_expect_eq(api_call(HTTP_GET, "/urls?per_page=2&page=3", NULL), 200);
	cr_expect_eq(api_number("id"), ids[0]);
	cr_expect(api_says("\"next\":null"));
	cr_expect_eq(api_call(HTTP_GET, "/urls?sort=id&per_page=1", NULL), 200);
	cr_expect_eq(api_number("id"), ids[0]);
}

Test(api_links, are_found_by_text_tag_code_and_state)
{
	char title[32], path[256], hex[9];
	random_hex(hex, 4);
	snprintf(title, sizeof(title), ",\"title\":\"Caf%%\u00c9 %s\"", hex);
	api_as(api_key(api_user(), "*"));
	api_link("");
	int64_t id = api_link(title);
	snprintf(path, sizeof(path), "/urls?search=f%%25%%C3%%A9+%s", hex);
	cr_assert_eq(api_call(HTTP_GET, path, NULL), 200, "%s", api_body());
	cr_expect_eq(api_number("total_items"), 1, "%s", api_body());
	cr_expect_eq(api_number("id"), id);
	cr_expect_eq(api_call(HTTP_GET, "/urls?search=ex_mple", NULL), 200);
	cr_expect_eq(api_number("total_items"), 0, "an underscore is no wildcard");
	api_call(HTTP_PUT, path_of(id, ""), "{\"tags\":[\"spring\"],\"is_active\":false}");
	cr_expect_eq(api_call(HTTP_GET, "/urls?tag=spring", NULL), 200);
	cr_expect_eq(api_number("id"), id);
	cr_expect_eq(api_call(HTTP_GET, "/urls?is_active=false", NULL), 200);
	cr_expect_eq(api_number("total_items"), 1);
	cr_expect_eq(api_call(HTTP_GET, "/urls?is_active=true", NULL), 200);
	cr_expect_eq(api_number("total_items"), 1);
	cr_expect_eq(api_call(HTTP_GET, "/urls?short_code=nobody_has_it", NULL), 200);
	cr_expect_eq(api_number("total_items"), 0);
}

Test(api_links, of_a_search_are_counted_as_far_as_they_were_seen)
{
	char path[128], hex[9], title[32];
	random_hex(hex, 4);
	snprintf(title, sizeof(title), ",\"title\":\"%s\"", hex);
	api_as(api_key(api_user(), "*"));
	for (int i = 0; i < 3; i++)
		api_link(title);
	snprintf(path, sizeof(path), "/urls?per_page=2&search=%s", hex);
	cr_expect_eq(api_call(HTTP_GET, path, NULL), 200);
	cr_expect_eq(api_number("total_items"), 2, "%s", api_body());
	cr_expect(api_says("\"total_exact\":false"));
	snprintf(path, sizeof(path), "/urls?per_page=2&page=2&search=%s", hex);
	cr_expect_eq(api_call(HTTP_GET, path, NULL), 200);
	cr_expect_eq(api_number("total_items"), 3, "%s", api_body());
	cr_expect(api_says("\"total_exact\":true"));
}

Test(api_links, refuse_a_query_that_makes_no_sense_with_all_its_faults)
{
	api_as(api_key(0, "*"));
	cr_expect_eq(
		api_call(HTTP_GET, "/urls?page=0&per_page=501&sort=title&is_active=maybe&search=ab",
			NULL),
		400);
	cr_expect(api_says("\"error\":\"invalid_query\""));
	cr_expect(api_says("\"field\":\"page\""));
	cr_expect(api_says("\"field\":\"per_page\""));
	cr_expect(api_says("\"field\":\"is_active\""));
	cr_expect(api_says("\"field\":\"search\""));
	cr_expect_eq(api_call(HTTP_GET, "/urls?sort=title", NULL), 400);
	cr_expect_eq(api_call(HTTP_GET, "/urls?after=x", NULL), 400);
	cr_expect_eq(api_call(HTTP_GET, "/urls?page=2&after=5", NULL), 400);
	cr_expect_eq(api_call(HTTP_GET, "/urls?page=5000&per_page=100", NULL), 400);
}

enum { EDITORS = 16, EDITS = 8 };

struct editor {
	pthread_t thread;
	struct exchange *exchange;
	char path[64], json[128];
	unsigned number;
	int done;
};

/* Each adds nothing but its own tag, keeping those that it finds: a lost update loses a tag. */
static void *edit(void *argument)
{
	struct editor *editor = argument;
	for (int i = 0; i < EDITS; i++) {
		int status;
		do
			status = exchange_run(editor->exchange, &api_service);
		while (status == 503);
		editor->done += status == 200;
		snprintf(editor->json, sizeof(editor->json), "{\"max_visits\":%u}",
			editor->number * 100 + (unsigned)i + 2);
		exchange_body(editor->exchange, editor->json);
	}
	return NULL;
}

Test(api_links, sixteen_editors_at_once_lose_no_update)
{
	struct editor editors[EDITORS] = { 0 };
	const char *key = api_key(0, "*");
	api_as(key);
	int64_t id = api_link("");
	int done = 0;
	for (unsigned i = 0; i < EDITORS; i++) {
		struct editor *editor = &editors[i];
		editor->number = i + 1;
		snprintf(editor->path, sizeof(editor->path), "/urls/%lld", (long long)id);
		snprintf(editor->json, sizeof(editor->json), "{\"max_visits\":%u}",
			editor->number * 100 + 1);
		editor->exchange = exchange_new(HTTP_PATCH, editor->path);
		editor->exchange->req.authorization = key;
		exchange_body(editor->exchange, editor->json);
		cr_assert(service_equip(&api_service, &editor->exchange->worker));
	}
	for (unsigned i = 0; i < EDITORS; i++)
		cr_assert_eq(pthread_create(&editors[i].thread, NULL, edit, &editors[i]), 0);
	for (unsigned i = 0; i < EDITORS; i++) {
		pthread_join(editors[i].thread, NULL);
		done += editors[i].done;
		exchange_free(editors[i].exchange);
	}
	cr_expect_eq(done, EDITORS * EDITS);
	/* Each change that was acknowledged is a version, and an event. */
	cr_expect_eq(api_sql_number("SELECT version FROM links WHERE id = %lld", (long long)id),
		1 + EDITORS * EDITS);
	cr_expect_eq(
		api_sql_number("SELECT count(*) FROM events WHERE link = %lld AND type = 'updated'",
			(long long)id),
		EDITORS * EDITS);
}
