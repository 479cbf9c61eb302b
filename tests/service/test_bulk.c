/* The program bulk, in-process, on a real PostgreSQL. */
#include <criterion/criterion.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/segment.h"
#include "service/api_call.h"

TestSuite(bulk, .init = api_begin, .fini = api_end);

static char mark[10] = "m"; /* of the rows of a test; a code must not be digits only */

static void begin(int64_t owner)
{
	random_hex(mark + 1, 4);
	api_as(api_key(owner, "*"));
}

/* Rows whose every # is the mark. */
static int send(const char *path, const char *type, const char *rows)
{
	char body[4096];
	struct text text = text_fixed(body, sizeof(body));
	for (; *rows != '\0'; rows++)
		*rows == '#' ? text_add(&text, mark) : text_add_char(&text, *rows);
	return api_send(path, type, body);
}

Test(bulk, takes_users_as_csv_and_names_each_row_that_is_wrong)
{
	begin(0);
	cr_assert_eq(send("/users/bulk", "text/csv; charset=utf-8",
			     "\xef\xbb\xbfusername,email\r\n\"a,#\",a#@x.org\r\nb#,nobody\r\n\r\nc#"
			     ",c#@x.org"),
		201, "%s", api_body());
	cr_expect_eq(api_number("created"), 2);
	cr_expect_eq(api_number("skipped"), 1);
	cr_expect_eq(api_number("row"), 2, "%s", api_body());
	cr_expect(api_says("email must be an address"));
	cr_expect_eq(api_sql_number("SELECT count(*) FROM users WHERE username IN ('a,%s', 'c%s')",
			     mark, mark),
		2);
}

Test(bulk, counts_users_that_are_there_and_refuses_those_that_clash)
{
	static const char rows[] = "[{\"username\":\"a#\",\"email\":\"a#@x.org\"},"
				   "{\"username\":\"a#\",\"email\":\"b#@x.org\"},"
				   "{\"username\":\"c#\",\"email\":\"a#@x.org\"}]";
	begin(0);
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(send("/users/bulk", "application/json", rows), 201);
		cr_expect_eq(api_number("created"), 1, "%s", api_body());
		cr_expect_eq(api_number("skipped"), 2);
		cr_expect(
			api_says("{\"row\":2,\"error\":\"username is taken\"}"), "%s", api_body());
		cr_expect(api_says("{\"row\":3,\"error\":\"email is taken\"}"));
	}
}

Test(bulk, says_of_a_user_who_is_there_under_another_id_that_it_is_not_the_one_wanted)
{
	char rows[160];
	begin(0);
	cr_assert_eq(send("/users/bulk", "text/csv", "username,email\na#,a#@x.org\n"), 201);
	long long id = api_sql_number("SELECT id FROM users WHERE username = 'a%s'", mark);
	snprintf(rows, sizeof(rows), "id,username,email\n%lld,a#,a#@x.org\n%lld,a#,a#@x.org\n", id,
		id + 1000000);
	cr_assert_eq(send("/users/bulk", "text/csv", rows), 201);
	cr_expect_eq(api_number("created"), 1, "%s", api_body());
	cr_expect(api_says("{\"row\":2,\"error\":\"user is here under another id\"}"), "%s",
		api_body());
}

Test(bulk, takes_a_form_with_a_file)
{
	begin(0);
	cr_assert_eq(send("/users/bulk", "multipart/form-data; boundary=XX",
			     "--XX\r\nContent-Disposition: form-data; name=\"file\"; "
			     "filename=\"u.csv\"\r\n"
			     "Content-Type: text/csv\r\n\r\nid,username,email,created_at\n"
			     ",f#,f#@x.org,2024-05-06 07:08:09\n\r\n--XX--\r\n"),
		201, "%s", api_body());
	cr_expect_eq(api_number("created"), 1, "%s", api_body());
	cr_expect_eq(api_sql_number("SELECT extract(epoch FROM created_at)::bigint FROM users "
				    "WHERE username = 'f%s'",
			     mark),
		1714979289);
}

Test(bulk, takes_links_with_codes_and_without)
{
	int64_t user = api_user();
	begin(user);
	cr_assert_eq(
		send("/urls/bulk", "text/csv",
			"original_url,short_code,title,tags\nhttps://example.com/1,#,\"a "
			"\"\"b\"\"\",\"x,y\"\n"
			"https://example.com/2,,,\njavascript:1,,,\nhttps://example.com/3,#,,\n"),
		201, "%s", api_body());
	cr_expect_eq(api_number("created"), 2, "%s", api_body());
	cr_expect(api_says("{\"row\":3,\"error\":\"original_url "), "%s", api_body());
	cr_expect(api_says("{\"row\":4,\"error\":\"short_code is taken\"}"), "%s", api_body());
	cr_expect_eq(
		api_sql_number("SELECT count(*) FROM links WHERE owner = %lld", (long long)user),
		2);
	cr_expect_eq(
		api_sql_number("SELECT cardinality(tags) FROM links WHERE code = '%s'", mark), 2);
}

/* The transaction of somebody who deletes a user, and commits while others wait for it. */
static PGconn *delete_user_slowly(int64_t user)
{
	char sql[128];
	PGconn *session = PQconnectdb(getenv("LINKSHRINK_TEST_OWNER_URL"));
	snprintf(sql, sizeof(sql), "BEGIN; DELETE FROM users WHERE id = %lld", (long long)user);
	PGresult *answer = PQexec(session, sql);
	cr_assert_eq(PQresultStatus(answer), PGRES_COMMAND_OK, "%s", PQerrorMessage(session));
	PQclear(answer);
	cr_assert(PQsendQuery(session, "SELECT pg_sleep(0.5); COMMIT"));
	return session;
}

Test(bulk, stores_the_others_when_a_user_goes_meanwhile)
{
	char rows[512];
	long long user = api_user();
	begin(0);
	snprintf(rows, sizeof(rows),
		"short_code,original_url,user_id\na#,https://example.com/1,\n"
		"b#,https://example.com/2,%lld\n",
		user);
	PGconn *session = delete_user_slowly(user);
	cr_expect_eq(send("/urls/bulk", "text/csv", rows), 201, "%s", api_body());
	PQfinish(session);
	cr_expect_eq(api_number("created"), 1, "%s", api_body());
	cr_expect(api_says("{\"row\":2,\"error\":\"user not found\"}"), "%s", api_body());
	cr_expect_eq(api_sql_number(
			     "SELECT count(*) FROM links WHERE code IN ('a%s', 'b%s')", mark, mark),
		1);
}

Test(bulk, keeps_ids_and_dates_for_operators_alone)
{
	char rows[256];
	long long id = 5000000 + api_sql_number("SELECT last_value FROM links_id_seq");
	begin(0);
	snprintf(rows, sizeof(rows),
		"id,short_code,original_url,is_active,created_at\n%lld,#,https://example.com/"
		",False,"
		"2020-02-29 00:00:00.5\n",
		id);
	cr_assert_eq(send("/urls/bulk", "text/csv", rows), 201);
	cr_expect_eq(api_number("created"), 1, "%s", api_body());
	cr_expect_eq(
		api_sql_number("SELECT count(*) FROM links WHERE id = %lld AND code = '%s' "
			       "AND state = 'disabled' AND created_at = '2020-02-29 00:00:00.5Z' "
			       "AND updated_at > now() - interval '1 h'",
			id, mark),
		1);
	cr_expect_geq(api_link(""), id + 1, "ids go on behind it");
	snprintf(rows, sizeof(rows), "id,original_url\n%lld,https://example.com/\n", id);
	send("/urls/bulk", "text/csv", rows);
	cr_expect(api_says("id is taken"), "%s", api_body());
	api_as(api_key(api_user(), "*"));
	send("/urls/bulk", "text/csv", rows);
	cr_expect_eq(api_number("created"), 0);
	cr_expect(api_says("id may not be set"), "%s", api_body());
}

Test(bulk, tells_of_links_only_where_a_miss_is_not_taken_for_absent)
{
	begin(0);
	uint64_t before = clock_monotonic();
	cr_assert_eq(
		send("/urls/bulk", "text/csv", "original_url,short_code\nhttps://example.com/,#\n"),
		201);
	cr_expect_geq(atomic_load(&segment_get()->replica.unapplied), before);
}

Test(bulk, gives_no_id_to_two_links)
{
	char rows[512];
	begin(0);
	long long id = 6000000 + api_sql_number("SELECT last_value FROM links_id_seq");
	snprintf(rows, sizeof(rows),
		"id,short_code,original_url\n%lld,a#,https://example.com/\n"
		"%lld,b#,https://example.com/\n%lld,b#,https://example.com/\n"
		"%lld,b#,https://example.com/\n9007199254740991,c#,https://example.com/\n",
		id, id, id + 1, id + 2);
	cr_assert_eq(send("/urls/bulk", "text/csv", rows), 201);
	cr_expect_eq(api_number("created"), 2, "%s", api_body());
	cr_expect(api_says("{\"row\":2,\"error\":\"id is taken\"}"), "%s", api_body());
	cr_expect(api_says("{\"row\":4,\"error\":\"short_code is taken\"}"));
	cr_expect(api_says("{\"row\":5,\"error\":\"id must be a whole number"));
	cr_expect_eq(api_sql_number("SELECT count(DISTINCT id) FROM links WHERE code IN "
				    "('a%s', 'b%s') AND id IN (%lld, %lld)",
			     mark, mark, id, id + 1),
		2);
	cr_expect_lt(api_link(""), INT64_C(1) << 52, "ids go on where JSON has numbers for them");
}

Test(bulk, gives_no_id_to_two_users)
{
	char rows[256];
	begin(0);
	long long id = 6000000 + api_sql_number("SELECT last_value FROM users_id_seq");
	snprintf(rows, sizeof(rows),
		"id,username,email\n%lld,a#,a#@x.org\n%lld,b#,b#@x.org\n"
		"4503599627370497,c#,c#@x.org\n",
		id, id);
	cr_assert_eq(send("/users/bulk", "text/csv", rows), 201);
	cr_expect_eq(api_number("created"), 1, "%s", api_body());
	cr_expect(api_says("{\"row\":2,\"error\":\"id is taken\"}"), "%s", api_body());
	cr_expect(api_says("{\"row\":3,\"error\":\"id must be"), "%s", api_body());
}

Test(bulk, counts_clicks_of_before)
{
	char rows[1024];
	begin(0);
	long long link = api_link("");
	snprintf(rows, sizeof(rows),
		"id,url_id,user_id,event_type,timestamp,details\n"
		",%lld,,redirect,2025-01-02T03:04:05Z,\"{\"\"referrer\"\":\"\"https://News.example/"
		"x\"\"}\"\n"
		",%lld,,redirect,2025-01-02T03:59:59Z,\n"
		",%lld,,created,2025-01-01 00:00:00,{}\n"
		",99999999,,redirect,2025-01-01 00:00:00,\n"
		",%lld,99999999,shared,2025-01-01 00:00:00,\n"
		",%lld,,shared,never,\n",
		link, link, link, link, link);
	cr_assert_eq(send("/events/bulk", "text/csv", rows), 201);
	cr_expect_eq(api_number("created"), 3, "%s", api_body());
	cr_expect(api_says("{\"row\":4,\"error\":\"url not found\"}"), "%s", api_body());
	cr_expect(api_says("{\"row\":5,\"error\":\"user not found\"}"));
	cr_expect(api_says("{\"row\":6,\"error\":\"timestamp must be a time"));
	cr_expect_eq(api_sql_number("SELECT n FROM click_hours WHERE link = %lld "
				    "AND hour = '2025-01-02 03:00Z' AND node = 0",
			     link),
		2);
	cr_expect_eq(api_sql_number("SELECT n FROM click_values WHERE link = %lld "
				    "AND dimension = 'referrer' AND value = 'news.example'",
			     link),
		1);
	cr_expect_eq(api_sql_number("SELECT counted FROM click_totals WHERE node = 0 "
				    "AND hour = '2025-01-02 03:00Z'"),
		api_sql_number("SELECT sum(n) FROM click_hours WHERE node = 0 "
			       "AND hour = '2025-01-02 03:00Z'"));
}

Test(bulk, counts_a_click_that_comes_again_once)
{
	char rows[256];
	begin(0);
	long long link = api_link("");
	long long id = 7000000 + api_sql_number("SELECT last_value FROM event_ids");
	snprintf(rows, sizeof(rows),
		"[{\"id\":%lld,\"url_id\":%lld,\"event_type\":\"redirect\",\"timestamp\":\"2025-01-"
		"02T03:04:05Z\"}]",
		id, link);
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(send("/events/bulk", "application/json", rows), 201);
		cr_expect_eq(api_number("created"), 1, "%s", api_body());
	}
	cr_expect_eq(api_sql_number("SELECT sum(n) FROM click_hours WHERE link = %lld", link), 1);
}

Test(bulk, counts_a_click_once_that_comes_twice_in_a_batch)
{
	char rows[512];
	begin(0);
	long long link = api_link("");
	long long id = 7500000 + api_sql_number("SELECT last_value FROM event_ids");
	snprintf(rows, sizeof(rows),
		"id,url_id,event_type,timestamp\n"
		"%lld,%lld,redirect,2025-01-02T03:04:05Z\n"
		"%lld,%lld,redirect,2025-01-02T03:04:05Z\n"
		"%lld,%lld,redirect,2025-01-02T03:04:06Z\n",
		id, link, id, link, id, link);
	cr_assert_eq(send("/events/bulk", "text/csv", rows), 201);
	cr_expect_eq(api_number("created"), 2, "%s", api_body());
	cr_expect(api_says("{\"row\":3,\"error\":\"id is taken\"}"), "%s", api_body());
	cr_expect_eq(api_sql_number("SELECT sum(n) FROM click_hours WHERE link = %lld", link), 1);
	cr_expect_eq(api_sql_number("SELECT count(*) FROM events WHERE id = %lld", id), 1);
}

Test(bulk, names_an_event_whose_details_are_too_long_where_they_are_stored)
{
	char rows[512];
	begin(0);
	long long link = api_link("");
	snprintf(rows, sizeof(rows),
		"[{\"url_id\":%lld,\"event_type\":\"x\",\"details\":{\"a\":[1e300,1e300,1e300,"
		"1e300,"
		"1e300,1e300,1e300,1e300,1e300,1e300,1e300,1e300,1e300,1e300,1e-300]}},"
		"{\"url_id\":%lld,\"event_type\":\"x\",\"details\":{\"a\":1e300}}]",
		link, link);
	cr_assert_eq(send("/events/bulk", "application/json", rows), 201);
	cr_expect_eq(api_number("created"), 1, "%s", api_body());
	cr_expect(api_says("{\"row\":1,\"error\":\"details must be at most 4096 bytes"), "%s",
		api_body());
}

Test(bulk, says_what_is_wrong_with_the_whole)
{
	begin(0);
	cr_expect_eq(send("/urls/bulk", "application/json", "{\"original_url\":1}"), 400);
	cr_expect(api_says("invalid_json"));
	cr_expect_eq(send("/urls/bulk", "application/xml", "<a/>"), 415);
	cr_expect_eq(send("/users/bulk", "text/csv", "username\na\n"), 400);
	cr_expect(api_says("email"), "%s", api_body());
	cr_expect_eq(send("/urls/bulk", "text/csv", ""), 400);
	cr_expect_eq(send("/urls/bulk", "multipart/form-data; boundary=X", "nonsense"), 400);
	cr_expect_eq(send("/urls/bulk", "application/json", "[]"), 201);
	cr_expect_eq(api_number("created"), 0);
	cr_expect_eq(send("/urls/bulk", "application/json",
			     "[{\"original_url\":\"https://example.com/\"}, nonsense, {}"),
		201);
	cr_expect_eq(api_number("created"), 1, "what was whole is stored: %s", api_body());
}

Test(bulk, stores_batch_after_batch)
{
	enum { ROWS = 2500 };
	char *body = malloc(ROWS * 64);
	struct text text = text_fixed(body, ROWS * 64);
	int64_t user = api_user();
	begin(user);
	text_add(&text, "original_url\n");
	for (int i = 0; i < ROWS; i++)
		text_addf(&text, "https://example.com/%s/%d\n", mark, i);
	cr_assert_eq(api_send("/urls/bulk", "text/csv", body), 201);
	cr_expect_eq(api_number("created"), ROWS, "%s", api_body());
	cr_expect_eq(
		api_sql_number("SELECT count(*) FROM links WHERE owner = %lld", (long long)user),
		ROWS);
	free(body);
}

Test(bulk, users_are_the_operators_affair)
{
	begin(api_user());
	cr_expect_eq(send("/users/bulk", "text/csv", "username,email\na#,a#@x.org\n"), 403);
}
