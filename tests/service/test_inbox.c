/* The local inbox, in-process, in a directory of its own. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/json_check.h"
#include "service/exchange.h"

extern const struct service inbox_service;

static char home[64], path[96];
static struct exchange *exchange;

static const char *file_of(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", home, name);
	return path;
}

static void make(void)
{
	snprintf(home, sizeof(home), "/tmp/linkshrink-inbox.XXXXXX");
	cr_assert_not_null(mkdtemp(home));
	setenv("LINKSHRINK_INBOX", home, 1);
}

static void forget(void)
{
	if (exchange != NULL)
		exchange_free(exchange);
	exchange = NULL;
}

static void clean(void)
{
	forget();
	unlink(file_of("messages.jsonl"));
	unlink(file_of("behave"));
	unlink(file_of("heartbeat"));
	rmdir(home);
}

TestSuite(inbox, .init = make, .fini = clean);

static int get(const char *where, const char *query)
{
	forget();
	exchange = exchange_new(HTTP_GET, where);
	exchange->req.query = query;
	return exchange_run(exchange, &inbox_service);
}

static int post(const char *where, const char *body)
{
	forget();
	exchange = exchange_new(HTTP_POST, where);
	exchange_body(exchange, body);
	return exchange_run(exchange, &inbox_service);
}

static void behave(const char *how)
{
	FILE *file = fopen(file_of("behave"), "w");
	cr_assert_not_null(file);
	fputs(how, file);
	fclose(file);
}

Test(inbox, takes_a_message_and_keeps_it_as_one_line)
{
	struct stat file;
	cr_expect_eq(post("/discord", "{\"content\":\n \"a\\nb\"}\n"), 204);
	cr_expect_eq(exchange->res.body.len, 0);
	cr_assert_eq(stat(file_of("messages.jsonl"), &file), 0);
	cr_expect_eq(file.st_mode & 0777, 0640);
	cr_expect_eq(get("/messages", ""), 200);
	const struct text *body = &exchange->res.body;
	cr_expect(json_check(body->data, body->len - 1), "%s", body->data);
	cr_expect_eq(strcspn(body->data, "\n"), body->len - 1);
	cr_expect(exchange_says(exchange, "\"path\":\"/discord\",\"status\":204,\"payload\":{"));
	cr_expect(exchange_says(exchange, "\"a\\nb\""));
}

Test(inbox, refuses_in_the_words_of_discord_and_keeps_that_too)
{
	char body[512];
	snprintf(body, sizeof(body), "{\"embeds\":[{\"title\":\"%0257d\"}]}", 1);
	cr_expect_eq(post("/discord", body), 400);
	cr_expect(exchange_says(exchange,
		"{\"message\":\"Invalid Form Body\",\"code\":50035,\"errors\":{\"embeds\":{\"0\":"
		"{\"title\":{\"_errors\":[{\"code\":\"BASE_TYPE_MAX_LENGTH\",\"message\":"
		"\"Must be 256 or fewer in length.\"}]}}}}}"));
	cr_expect_eq(post("/discord", "{\"content\": \"\"}"), 400);
	cr_expect(exchange_says(exchange, "\"code\":50006"));
	cr_expect_eq(post("/discord", "{\"content\": \"\n\"}\x01\""), 400);
	cr_expect(exchange_says(exchange, "\"code\":50109"));
	cr_expect_eq(get("/messages", ""), 200);
	cr_expect(exchange_says(exchange, "\"status\":400,\"payload\":{\"embeds\""));
	cr_expect(
		exchange_says(exchange, "\"payload\":\"{\\\"content\\\": \\\"\\u000a\\\"}\\u0001"));
}

Test(inbox, behaves_as_it_is_told)
{
	behave("429\n");
	cr_expect_eq(post("/discord", "{\"content\":\"x\"}"), 429);
	cr_expect_str_eq(exchange_header(exchange, "Retry-After"), "1");
	cr_expect(exchange_says(exchange, "\"retry_after\":1"));
	behave("500");
	cr_expect_eq(post("/discord", "{\"content\":\"x\"}"), 500);
	behave("well");
	cr_expect_eq(post("/discord", "{\"content\":\"x\"}"), 204);
	cr_expect_eq(get("/inbox/messages", ""), 200);
	cr_expect(exchange_says(exchange, "\"status\":429"));
	cr_expect(exchange_says(exchange, "\"status\":500"));
}

Test(inbox, tells_what_arrived_since_a_time)
{
	char query[64], moment[CLOCK_TEXT];
	cr_expect_eq(post("/discord", "{\"content\":\"x\"}"), 204);
	clock_format(clock_wall_ms() + 5000, moment);
	snprintf(query, sizeof(query), "since=%s", moment);
	cr_expect_eq(get("/messages", query), 200);
	cr_expect_eq(exchange->res.body.len, 0);
	clock_format(clock_wall_ms() - 5000, moment);
	snprintf(query, sizeof(query), "since=%s", moment);
	cr_expect_eq(get("/messages", query), 200);
	cr_expect(exchange_says(exchange, "\"content\":\"x\""));
	cr_expect_eq(get("/messages", "since=yesterday"), 400);
}

Test(inbox, shows_people_what_arrived_and_nothing_else)
{
	cr_expect_eq(get("/inbox", ""), 200);
	cr_expect(exchange_says(exchange, "Nothing has arrived"));
	cr_expect(exchange_says(exchange, "No heartbeat yet"));
	post("/discord", "{\"embeds\":[{\"title\":\"<b>first\",\"description\":\"**A** `a<b` "
			 "[Runbook](http://x.example/?a=1&b) [no](javascript:alert(1)) "
			 "<t:1795493852:R> <img src=x> a\\\\*b\\nc\",\"color\":10038562}]}");
	post("/discord", "{\"embeds\":[{\"title\":\"second\",\"color\":3066993}]}");
	cr_expect_eq(post("/heartbeat", "{}"), 204);
	cr_expect_eq(get("/", ""), 200);
	cr_expect(exchange_says(exchange, "The monitoring is alive"));
	cr_expect(exchange_says(exchange, "<h2>&lt;b&gt;first</h2>"));
	cr_expect(exchange_says(exchange, "<strong>A</strong> <code>a&lt;b</code>"));
	cr_expect(exchange_says(exchange,
		"<a rel=\"noreferrer\" href=\"http://x.example/?a=1&amp;b\">Runbook</a>"));
	cr_expect(exchange_says(exchange, "[no](javascript:alert(1))"));
	cr_expect(exchange_says(
		exchange, ">2026-11-24 04:17:32</time> UTC &lt;img src=x&gt; a*b<br>"));
	const char *newest = strstr(exchange->res.body.data, "<h2>second</h2>");
	const char *oldest = strstr(exchange->res.body.data, "first</h2>");
	cr_assert(newest != NULL && oldest != NULL);
	cr_expect_lt(newest, oldest, "the newest first");
	cr_expect(exchange_says(
		exchange, "<article class=\"message resolved\">\n<p class=\"state\">resolved"));
	cr_expect(exchange_says(
		exchange, "<article class=\"message firing\">\n<p class=\"state\">firing"));
}

Test(inbox, shows_two_hundred_and_reads_a_part_of_a_large_file)
{
	unsigned count = 0;
	FILE *file = fopen(file_of("messages.jsonl"), "w");
	cr_assert_not_null(file);
	for (int i = 0; i < 5000; i++)
		fprintf(file,
			"{\"received\":\"2026-11-24T04:17:32.000Z\",\"path\":\"/"
			"discord\",\"status\":204,"
			"\"payload\":{\"embeds\":[{\"title\":\"number %d\",\"color\":1}]}}\n",
			i);
	fclose(file);
	cr_expect_eq(get("/inbox", ""), 200);
	for (const char *at = exchange->res.body.data; (at = strstr(at, "<article")) != NULL; at++)
		count++;
	cr_expect_eq(count, 200);
	cr_expect(exchange_says(exchange, "number 4999<"));
	cr_expect_not(exchange_says(exchange, "number 4799<"));
	cr_expect_eq(get("/messages", ""), 200);
	cr_expect_eq(strncmp(exchange->res.body.data, "{\"received\"", 11), 0, "whole lines only");
}
