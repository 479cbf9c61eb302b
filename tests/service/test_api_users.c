/* The program api, users and keys, in-process, on a real PostgreSQL. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "service/api_call.h"

TestSuite(api_users, .init = api_begin, .fini = api_end);
TestSuite(api_keys, .init = api_begin, .fini = api_end);

static int create(const char *name, const char *email)
{
	char json[512];
	snprintf(json, sizeof(json), "{\"username\":\"%s\",\"email\":\"%s\"}", name, email);
	return api_call(HTTP_POST, "/users", json);
}

static const char *path_of(const char *kind, int64_t id, const char *rest)
{
	static char paths[4][128];
	static unsigned next;
	char *path = paths[next++ % 4];
	snprintf(path, 128, "/%s/%lld%s", kind, (long long)id, rest);
	return path;
}

static const char *fresh_name(void)
{
	static char names[4][20];
	static unsigned next;
	char *name = names[next++ % 4];
	name[0] = 'n';
	random_hex(name + 1, 8);
	return name;
}

static const char *email_of(const char *name)
{
	static char emails[4][64];
	static unsigned next;
	char *email = emails[next++ % 4];
	snprintf(email, 64, "%s@example.org", name);
	return email;
}

Test(api_users, are_made_shown_changed_and_deleted)
{
	const char *name = fresh_name();
	char json[128];
	api_as(api_key(0, "users:admin"));
	cr_assert_eq(create(name, email_of(name)), 201, "%s", api_body());
	int64_t id = api_number("id");
	cr_expect_str_eq(api_text("username"), name);
	cr_expect_eq(api_call(HTTP_GET, path_of("users", id, ""), NULL), 200);
	snprintf(json, sizeof(json), "{\"email\":\"new-%s\"}", email_of(name));
	cr_expect_eq(api_call(HTTP_PUT, path_of("users", id, ""), json), 200);
	cr_expect_str_eq(api_text("username"), name);
	cr_expect(api_says("new-"));
	cr_expect_eq(api_call(HTTP_DELETE, path_of("users", id, ""), NULL), 200);
	cr_expect_str_eq(api_body(), "{\"deleted\":true}");
	cr_expect_eq(api_call(HTTP_GET, path_of("users", id, ""), NULL), 404);
	cr_expect(api_says("user not found"));
}

Test(api_users, share_neither_name_nor_address)
{
	const char *first = fresh_name(), *second = fresh_name();
	char json[128];
	api_as(api_key(0, "*"));
	create(first, email_of(first));
	cr_expect_eq(create(first, email_of(second)), 409);
	cr_expect(api_says("username is taken"));
	cr_expect_eq(create(second, email_of(first)), 409);
	cr_expect(api_says("email is taken"));
	cr_assert_eq(create(second, email_of(second)), 201);
	snprintf(json, sizeof(json), "{\"email\":\"%s\"}", email_of(first));
	cr_expect_eq(api_call(HTTP_PATCH, path_of("users", api_number("id"), ""), json), 409);
	cr_expect(api_says("email is taken"));
}

enum { EDITS = 40 };

/* One of two who change a user: this member is nobody else's. */
struct editor {
	pthread_t thread;
	struct exchange *exchange;
	const char *member;
	char path[64];
	int kept;
};

static bool ask(struct editor *editor, enum http_method method)
{
	int status;
	editor->exchange->req.method = method;
	do
		status = exchange_run(editor->exchange, &api_service);
	while (status == 503);
	return status == 200;
}

/* Writes it and looks whether it is still there. */
static void *edit(void *argument)
{
	struct editor *editor = argument;
	for (int i = 0; i < EDITS; i++) {
		char value[32], json[128];
		random_hex(value, 8);
		snprintf(json, sizeof(json), "{\"%s\":\"%s@example.org\"}", editor->member, value);
		exchange_body(editor->exchange, json);
		editor->kept += ask(editor, HTTP_PATCH) && ask(editor, HTTP_GET) &&
				exchange_says(editor->exchange, value);
	}
	return NULL;
}

Test(api_users, whose_name_and_address_are_changed_at_once_get_both)
{
	struct editor editors[] = { { .member = "username" }, { .member = "email" } };
	const char *key = api_key(0, "users:admin");
	int64_t id = api_user();
	for (size_t i = 0; i < 2; i++) {
		text_copy(editors[i].path, sizeof(editors[i].path), path_of("users", id, ""));
		editors[i].exchange = exchange_new(HTTP_GET, editors[i].path);
		editors[i].exchange->req.authorization = key;
		cr_assert(service_equip(&api_service, &editors[i].exchange->worker));
	}
	for (size_t i = 0; i < 2; i++)
		cr_assert_eq(pthread_create(&editors[i].thread, NULL, edit, &editors[i]), 0);
	for (size_t i = 0; i < 2; i++) {
		pthread_join(editors[i].thread, NULL);
		exchange_free(editors[i].exchange);
		cr_expect_eq(editors[i].kept, EDITS, "%s: %d", editors[i].member, editors[i].kept);
	}
}

Test(api_users, refuse_names_and_addresses_that_are_none)
{
	static const char *const emails[] = { "a", "a@", "@b", "a@b@c", "a b@c", "a\\n@b" };
	api_as(api_key(0, "*"));
	for (size_t i = 0; i < sizeof(emails) / sizeof(*emails); i++) {
		cr_expect_eq(create(fresh_name(), emails[i]), 400, "%s", emails[i]);
		cr_expect(api_says("\"field\":\"email\""), "%s", emails[i]);
	}
	cr_expect_eq(create("  ", "a@b.c"), 400);
	cr_expect_eq(create("a\\u0007", "nobody"), 400);
	cr_expect(api_says("\"field\":\"username\"") && api_says("\"field\":\"email\""));
	cr_expect_eq(api_call(HTTP_POST, "/users", "{}"), 400);
	cr_expect_eq(api_call(HTTP_POST, "/users", "{"), 400);
	cr_expect(api_says("invalid_json"));
}

Test(api_users, leave_their_links_to_nobody)
{
	int64_t user = api_user();
	api_as(api_key(user, "*"));
	int64_t link = api_link("");
	api_as(api_key(0, "*"));
	cr_expect_eq(api_call(HTTP_DELETE, path_of("users", user, ""), NULL), 200);
	cr_expect_eq(api_call(HTTP_GET, path_of("urls", link, ""), NULL), 200);
	cr_expect_eq(api_number("user_id"), -1);
	cr_expect_str_eq(api_header("ETag"), "\"2\"", "copies of the link learn it");
}

Test(api_users, see_themselves_and_nobody_else)
{
	int64_t user = api_user(), other = api_user();
	api_as(api_key(user, "*"));
	cr_expect_eq(api_call(HTTP_GET, path_of("users", user, ""), NULL), 200);
	cr_expect_eq(api_call(HTTP_GET, path_of("users", other, ""), NULL), 404);
	cr_expect_eq(api_call(HTTP_PUT, path_of("users", other, ""), "{\"username\":\"x\"}"), 404);
	cr_expect_eq(api_call(HTTP_GET, "/users", NULL), 200);
	cr_expect_eq(api_number("total_items"), 1);
	cr_expect_eq(create(fresh_name(), "a@b.c"), 403);
	cr_expect_eq(api_call(HTTP_DELETE, path_of("users", user, ""), NULL), 403);
	cr_expect_eq(api_call(HTTP_GET, path_of("users", other, "/urls"), NULL), 404);
	cr_expect_eq(api_call(HTTP_GET, path_of("users", other, "/events"), NULL), 404);
	cr_expect_eq(api_call(HTTP_GET, path_of("users", other, "/stats"), NULL), 404);
}

Test(api_users, are_found_by_part_of_name_or_address)
{
	const char *name = fresh_name();
	char path[128];
	api_as(api_key(0, "*"));
	create(name, email_of(name));
	snprintf(path, sizeof(path), "/users?search=%s", name + 3);
	cr_expect_eq(api_call(HTTP_GET, path, NULL), 200);
	cr_expect_eq(api_number("total_items"), 1);
	snprintf(path, sizeof(path), "/users?email=%s", email_of(name));
	cr_expect_eq(api_call(HTTP_GET, path, NULL), 200);
	cr_expect_str_eq(api_text("username"), name);
}

Test(api_users, have_their_links_events_and_counts)
{
	int64_t user = api_user();
	char path[64];
	api_as(api_key(user, "*"));
	int64_t link = api_link("");
	api_link("");
	snprintf(path, sizeof(path), "/urls/%lld", (long long)link);
	api_call(HTTP_PUT, path, "{\"is_active\":false}");
	/* As of an import: of clicks of our own there would be rows. */
	api_sql("INSERT INTO click_counts VALUES (%lld, date_trunc('hour', now()), 0, 7, 2)",
		(long long)link);
	cr_expect_eq(api_call(HTTP_GET, path_of("users", user, "/urls"), NULL), 200);
	cr_expect_eq(api_number("total_items"), 2);
	cr_expect_eq(api_call(HTTP_GET, path_of("users", user, "/events"), NULL), 200);
	cr_expect_eq(api_number("total_items"), 3);
	cr_expect_eq(api_call(HTTP_GET, path_of("users", user, "/stats"), NULL), 200);
	cr_expect_eq(api_number("url_count"), 2);
	cr_expect_eq(api_number("active_url_count"), 1);
	cr_expect_eq(api_number("event_count"), 10);
}

Test(api_users, have_an_imported_click_once_in_their_count_and_types_beyond_a_hundred)
{
	int64_t user = api_user();
	api_as(api_key(user, "*"));
	int64_t link = api_link("");
	api_sql("INSERT INTO click_counts VALUES (%lld, date_trunc('hour', now()), 0, 1, 0)",
		(long long)link);
	api_sql("INSERT INTO events (type, link, owner) SELECT type, %lld, %lld FROM "
		"(SELECT 'redirect' UNION ALL SELECT 'type-' || generate_series(1, 120)) "
		"AS made (type)",
		(long long)link, (long long)user);
	cr_expect_eq(api_call(HTTP_GET, path_of("users", user, "/stats"), NULL), 200);
	cr_expect_eq(api_number("event_count"), 122, "%s", api_body());
}

Test(api_keys, tell_their_secret_once)
{
	char authorization[160];
	api_as(api_key(0, "*"));
	cr_assert_eq(api_call(HTTP_POST, "/keys",
			     "{\"name\":\"phone\",\"scopes\":[\"links:read\",\"keys:admin\"]}"),
		201);
	int64_t id = api_number("id");
	snprintf(authorization, sizeof(authorization), "Bearer %s", api_text("key"));
	api_as(authorization);
	cr_expect_eq(api_call(HTTP_GET, "/keys?per_page=500", NULL), 200);
	cr_expect(api_says("\"name\":\"phone\""));
	cr_expect_not(api_says("\"key\":"));
	cr_expect_eq(api_call(HTTP_GET, "/users", NULL), 403);
	cr_expect_eq(api_call(HTTP_DELETE, path_of("keys", id, ""), NULL), 200);
	cr_expect_eq(api_call(HTTP_GET, "/keys", NULL), 401, "at once");
}

Test(api_keys, give_no_more_than_they_have)
{
	api_as(api_key(0, "keys:admin,links:read"));
	cr_expect_eq(
		api_call(HTTP_POST, "/keys", "{\"name\":\"n\",\"scopes\":[\"links:write\"]}"), 400);
	cr_expect(api_says("your own key lacks"));
	cr_expect_eq(api_call(HTTP_POST, "/keys", "{\"name\":\"n\",\"scopes\":[\"root\"]}"), 400);
	cr_expect(api_says("unknown scope"));
	cr_expect_eq(api_call(HTTP_POST, "/keys", "{\"name\":\"n\",\"scopes\":[]}"), 400);
	cr_expect_eq(api_call(HTTP_POST, "/keys",
			     "{\"name\":\"n\",\"scopes\":[\"links:read\"],"
			     "\"expires_at\":\"2020-01-01T00:00:00Z\"}"),
		400);
	cr_expect_eq(api_call(HTTP_POST, "/keys",
			     "{\"name\":\"n\",\"scopes\":[\"links:read\"],"
			     "\"expires_at\":\"1970-01-01T00:00:00Z\"}"),
		400, "no key that never expires");
	cr_expect_eq(api_call(HTTP_POST, "/keys",
			     "{\"name\":\"n\",\"scopes\":[\"links:read\"],\"user_id\":99999999}"),
		404);
}

Test(api_keys, of_an_owner_make_keys_of_that_owner_alone)
{
	int64_t user = api_user(), other = api_user();
	char json[128];
	api_as(api_key(user, "*"));
	cr_expect_eq(
		api_call(HTTP_POST, "/keys", "{\"name\":\"n\",\"scopes\":[\"links:read\"]}"), 201);
	cr_expect_eq(api_number("user_id"), user);
	snprintf(json, sizeof(json),
		"{\"name\":\"n\",\"scopes\":[\"links:read\"],\"user_id\":%lld}", (long long)other);
	cr_expect_eq(api_call(HTTP_POST, "/keys", json), 404);
	cr_expect_eq(api_call(HTTP_GET, "/keys", NULL), 200);
	cr_expect_eq(api_number("total_items"), 2, "its own and the new one");
	api_key(other, "links:read");
	int64_t foreign = api_sql_number("SELECT max(id) FROM api_keys");
	cr_expect_eq(api_call(HTTP_DELETE, path_of("keys", foreign, ""), NULL), 404);
}
