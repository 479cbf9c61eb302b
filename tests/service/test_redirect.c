/* The program redirect, in-process, on a real PostgreSQL. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/segment.h"
#include "service/exchange.h"

#include "domain/link.h"

extern const struct service redirect_service;

static struct exchange *exchange;

static void forget(void)
{
	if (exchange != NULL)
		exchange_free(exchange);
	exchange = NULL;
}

/* While a replica is being built, PostgreSQL is asked for each link. */
static void pretend_building(void)
{
	atomic_store(&segment_get()->replica.state, LABEL_state_BUILDING);
	atomic_store(&segment_get()->replica.seen, clock_monotonic());
}

TestSuite(redirect, .init = pretend_building, .fini = forget);

/* Stores a link and prepares to follow it. */
static struct link store(struct link wanted)
{
	struct link link = wanted;
	if (link.redirect_status == 0)
		link.redirect_status = 302;
	if (*link.target == '\0')
		text_copy(link.target, sizeof(link.target), "https://example.com/page");
	struct db *db = db_new(getenv("LINKSHRINK_DATABASE_URL"), "redirect");
	db_set_deadline(db, 5000);
	cr_assert_eq(link_create(db, &link), LINK_OK);
	db_free(db);
	return link;
}

static int follow(enum http_method method, const char *code, const char *query)
{
	static char path[128];
	forget();
	snprintf(path, sizeof(path), "/%s", code);
	exchange = exchange_new(method, path);
	exchange->req.query = query;
	return exchange_run(exchange, &redirect_service);
}

Test(redirect, leads_to_the_target)
{
	struct link link = store((struct link){ 0 });
	cr_expect_eq(follow(HTTP_GET, link.code, ""), 302);
	cr_expect_str_eq(exchange_header(exchange, "Location"), "https://example.com/page");
	cr_expect_str_eq(exchange_header(exchange, "Cache-Control"), "private, max-age=0");
}

Test(redirect, has_three_paths_to_a_link)
{
	struct link link = store((struct link){ 0 });
	char path[128];
	static const char *const formats[] = { "/r/%s", "/urls/%s/redirect" };
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		forget();
		/* The formats are the two literals above. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(path, sizeof(path), formats[i], link.code);
#pragma GCC diagnostic pop
		exchange = exchange_new(HTTP_GET, path);
		cr_expect_eq(exchange_run(exchange, &redirect_service), 302, "%s", path);
	}
	forget();
	snprintf(path, sizeof(path), "/urls/%lld/redirect", (long long)link.id);
	exchange = exchange_new(HTTP_GET, path);
	cr_expect_eq(exchange_run(exchange, &redirect_service), 302);
}

Test(redirect, keeps_the_status_that_the_link_wants_and_bounds_its_caching)
{
	static const int statuses[] = { 301, 302, 307, 308 };
	for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++) {
		struct link link = store((struct link){ .redirect_status = statuses[i] });
		cr_expect_eq(follow(HTTP_GET, link.code, ""), statuses[i]);
		bool permanent = statuses[i] == 301 || statuses[i] == 308;
		cr_expect_str_eq(exchange_header(exchange, "Cache-Control"),
			permanent ? "private, max-age=3600" : "private, max-age=0");
	}
}

Test(redirect, forwards_the_query_where_the_link_says_so)
{
	static const struct {
		const char *target, *query;
		bool forward;
		const char *location;
	} rows[] = {
		{ "https://example.com/", "a=1", false, "https://example.com/" },
		{ "https://example.com/", "a=1", true, "https://example.com/?a=1" },
		{ "https://example.com/?b=2", "a=1", true, "https://example.com/?b=2&a=1" },
		{ "https://example.com/x#part", "a=1", true, "https://example.com/x?a=1#part" },
		{ "https://example.com/x#part", "", true, "https://example.com/x#part" },
		{ "https://example.com/x#a?b", "c=1", true, "https://example.com/x?c=1#a?b" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct link wanted = { .forward_query = rows[i].forward };
		text_copy(wanted.target, sizeof(wanted.target), rows[i].target);
		struct link link = store(wanted);
		cr_expect_eq(follow(HTTP_GET, link.code, rows[i].query), 302);
		cr_expect_str_eq(exchange_header(exchange, "Location"), rows[i].location);
	}
}

Test(redirect, never_sends_a_target_that_would_be_refused)
{
	/* Stored while private addresses were allowed, or by somebody who went around the programs. */
	struct link wanted = { 0 };
	text_copy(wanted.target, sizeof(wanted.target), "http://127.0.0.1/admin");
	struct link link = store(wanted);
	cr_expect_eq(follow(HTTP_GET, link.code, ""), 404);
	cr_expect_null(exchange_header(exchange, "Location"));
}

Test(redirect, tells_unknown_from_gone_from_not_yet)
{
	int64_t now = clock_wall_ms();
	struct link expired = store((struct link){ .valid_until = now - 1000 });
	struct link early = store((struct link){ .valid_since = now + 3600000 });
	cr_expect_eq(follow(HTTP_GET, "unknown-code", ""), 404);
	cr_expect_eq(follow(HTTP_GET, expired.code, ""), 410);
	cr_expect_eq(follow(HTTP_GET, early.code, ""), 404);
	cr_expect_eq(follow(HTTP_GET, "a.b", ""), 404);
	cr_expect_eq(follow(HTTP_GET, "%2e%2e", ""), 404);
}

static uint64_t clicks(void)
{
	return metrics_value(METRIC_clicks, 0, 0);
}

/* How many files a directory held. */
static unsigned count_and_remove(const char *directory)
{
	char path[512];
	unsigned count = 0;
	DIR *folder = opendir(directory);
	for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
		snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		count += unlink(path) == 0;
	}
	if (folder != NULL)
		closedir(folder);
	rmdir(directory);
	return count;
}

Test(redirect, counts_a_get_and_not_a_head_nor_a_miss)
{
	char spool[] = "/tmp/linkshrink-test-spool.XXXXXX";
	cr_assert_not_null(mkdtemp(spool));
	setenv("LINKSHRINK_SPOOL", spool, 1);
	struct link link = store((struct link){ 0 });
	uint64_t before = clicks();
	cr_expect_eq(follow(HTTP_HEAD, link.code, ""), 302);
	cr_expect_eq(follow(HTTP_GET, "unknown-code", ""), 404);
	cr_expect_eq(clicks(), before);
	cr_expect_eq(follow(HTTP_GET, link.code, ""), 302);
	cr_expect_eq(clicks(), before + 1);
	cr_expect_eq(metrics_value(METRIC_clicks_spooled, 0, 0), 1);
	cr_expect_eq(count_and_remove(spool), 1, "one segment of one thread");
}

Test(redirect, leads_on_where_no_click_can_be_kept)
{
	setenv("LINKSHRINK_SPOOL", "/nonexistent", 1);
	struct link link = store((struct link){ 0 });
	cr_expect_eq(follow(HTTP_GET, link.code, ""), 302);
	cr_expect_eq(metrics_value(METRIC_clicks_dropped, LABEL_reason_ERROR, 0), 1);
	cr_expect_eq(metrics_value(METRIC_clicks_spooled, 0, 0), 0);
}

Test(redirect, answers_503_and_never_404_while_the_database_is_away)
{
	setenv("LINKSHRINK_DATABASE_URL", "host=/nonexistent", 1);
	cr_expect_eq(follow(HTTP_GET, "whatever", ""), 503);
	cr_expect_str_eq(exchange_header(exchange, "Retry-After"), "1");
}

Test(redirect, is_never_cached_past_the_end_of_the_link)
{
	int64_t soon = clock_wall_ms() + 20000;
	struct link ending = store((struct link){ .redirect_status = 301, .valid_until = soon });
	struct link limited = store((struct link){ .redirect_status = 308, .max_visits = 2 });
	int age = -1;
	cr_expect_eq(follow(HTTP_GET, ending.code, ""), 301);
	cr_assert_eq(
		sscanf(exchange_header(exchange, "Cache-Control"), "private, max-age=%d", &age), 1);
	cr_expect(age >= 0 && age <= 20, "%d", age);
	cr_expect_eq(follow(HTTP_GET, limited.code, ""), 308);
	cr_expect_str_eq(exchange_header(exchange, "Cache-Control"), "private, max-age=0");
}

Test(redirect, takes_a_visit_only_when_it_leads_somewhere)
{
	static char query[TARGET_URL_MAX + 64];
	struct link link = store((struct link){ .max_visits = 2, .forward_query = true });
	memset(query, 'q', sizeof(query) - 1);
	cr_expect_eq(follow(HTTP_GET, link.code, query), 404);
	cr_expect_eq(follow(HTTP_HEAD, link.code, ""), 302);
	cr_expect_eq(follow(HTTP_GET, link.code, ""), 302);
	cr_expect_eq(follow(HTTP_GET, link.code, ""), 302);
	cr_expect_eq(follow(HTTP_GET, link.code, ""), 410);
}

/* Looks at a link without following it: its code and a tail. */
static int look(const char *code, const char *tail, const char *accept)
{
	static char path[128];
	forget();
	snprintf(path, sizeof(path), "/%s%s", code, tail);
	exchange = exchange_new(HTTP_GET, path);
	exchange->req.accept = accept;
	return exchange_run(exchange, &redirect_service);
}

Test(redirect, says_of_a_link_without_visits_left_that_it_is_gone_to_whoever_asks)
{
	struct link link = store((struct link){ .max_visits = 1 });
	static const char *const tails[] = { "+", ".qr" };
	cr_expect_eq(follow(HTTP_HEAD, link.code, ""), 302);
	for (size_t i = 0; i < sizeof(tails) / sizeof(*tails); i++)
		cr_expect_eq(look(link.code, tails[i], ""), 200);
	cr_expect_eq(follow(HTTP_GET, link.code, ""), 302, "the visit was not taken by looking");
	cr_expect_eq(follow(HTTP_GET, link.code, ""), 410);
	cr_expect_eq(follow(HTTP_HEAD, link.code, ""), 410);
	cr_expect_null(exchange_header(exchange, "Location"));
	for (size_t i = 0; i < sizeof(tails) / sizeof(*tails); i++)
		cr_expect_eq(look(link.code, tails[i], ""), 410, "%s", tails[i]);
}

Test(redirect, shows_where_a_link_goes_and_counts_no_click)
{
	struct link wanted = { .owner = 0, .max_visits = 1 };
	text_copy(wanted.title, sizeof(wanted.title), "<b>Tom & \"Jerry\"</b>");
	text_copy(wanted.target, sizeof(wanted.target), "https://example.com/a?b=c&d='#e");
	struct link link = store(wanted);
	uint64_t before = clicks();
	cr_expect_eq(look(link.code, "+", "*/*"), 200);
	cr_expect_str_eq(exchange_header(exchange, "Content-Type"), "application/json");
	cr_expect_str_eq(exchange_header(exchange, "Vary"), "Accept");
	cr_expect(
		exchange_says(exchange, "\"original_url\":\"https://example.com/a?b=c&d=%27#e\""));
	cr_expect_not(exchange_says(exchange, "user_id"));
	cr_expect_eq(look(link.code, "+", "text/html"), 200);
	cr_expect_str_eq(exchange_header(exchange, "Content-Type"), "text/html; charset=utf-8");
	cr_expect(exchange_says(exchange, "&lt;b&gt;Tom &amp; &quot;Jerry&quot;&lt;/b&gt;"));
	cr_expect(exchange_says(exchange, "<strong>example.com</strong>"));
	cr_expect(exchange_says(exchange, "/a?b=c&amp;d=%27#e"));
	cr_expect_not(exchange_says(exchange, "<b>"));
	cr_expect_eq(clicks(), before);
	cr_expect_eq(follow(HTTP_GET, link.code, ""), 302, "the one visit is still there");
}

Test(redirect, draws_the_code_of_a_link_and_counts_no_click)
{
	struct link link = store((struct link){ 0 });
	uint64_t before = clicks();
	cr_expect_eq(look(link.code, ".qr", "image/*"), 200);
	cr_expect_str_eq(exchange_header(exchange, "Content-Type"), "image/svg+xml");
	cr_expect_str_eq(exchange_header(exchange, "Cache-Control"), "private, max-age=3600");
	cr_expect(exchange_says(exchange, link.code));
	cr_expect_eq(clicks(), before);
}

Test(redirect, shows_nothing_that_it_would_not_follow)
{
	struct link expired = store((struct link){ .valid_until = clock_wall_ms() - 1000 });
	struct link private = { 0 };
	text_copy(private.target, sizeof(private.target), "http://127.0.0.1/admin");
	private = store(private);
	static const char *const tails[] = { "+", ".qr" };
	for (size_t i = 0; i < sizeof(tails) / sizeof(*tails); i++) {
		cr_expect_eq(look("unknown-code", tails[i], ""), 404);
		cr_expect_str_eq(
			exchange_header(exchange, "Content-Type"), "application/problem+json");
		cr_expect_eq(look(expired.code, tails[i], ""), 410);
		cr_expect_eq(look(private.code, tails[i], ""), 404);
		cr_expect_eq(look("a.b", tails[i], ""), 404);
	}
	setenv("LINKSHRINK_DATABASE_URL", "host=/nonexistent", 1);
	for (size_t i = 0; i < sizeof(tails) / sizeof(*tails); i++)
		cr_expect_eq(look("whatever", tails[i], ""), 503);
}

Test(redirect, tells_people_in_words_what_became_of_a_link)
{
	struct link expired = store((struct link){ .valid_until = clock_wall_ms() - 1000 });
	cr_expect_eq(look(expired.code, "", "text/html,*/*;q=0.8"), 410);
	cr_expect(exchange_says(exchange, "This link has ended"));
	cr_expect_eq(look("unknown-code", "", "text/html,*/*;q=0.8"), 404);
	cr_expect(exchange_says(exchange, "This link leads nowhere"));
	cr_expect_eq(look(expired.code, "", "*/*"), 410);
	cr_expect(exchange_says(exchange, "\"error\":\"url is gone\""));
}

Test(redirect, neither_follows_nor_shows_a_link_whose_host_came_onto_the_blocklist)
{
	struct link link = store((struct link){ 0 });
	static const char *const tails[] = { "", "+", ".qr" };
	uint64_t before = clicks();
	exchange_block("example.com");
	for (size_t i = 0; i < sizeof(tails) / sizeof(*tails); i++) {
		cr_expect_eq(look(link.code, tails[i], ""), 410, "%s", tails[i]);
		cr_expect(exchange_says(exchange, "\"error\":\"url is blocked\""), "%s", tails[i]);
		cr_expect_null(exchange_header(exchange, "Location"));
		cr_expect_str_eq(exchange_header(exchange, "Cache-Control"), "no-store");
	}
	cr_expect_eq(look(link.code, "", "text/html,*/*;q=0.8"), 410);
	cr_expect(exchange_says(exchange, "This link is blocked"));
	cr_expect_eq(clicks(), before);
	cr_expect_eq(metrics_value(METRIC_blocked, LABEL_when_FOLLOWED, 0), 4);
	exchange_block("example.org");
	cr_expect_eq(look(link.code, "", ""), 302);
}
