#include "domain/event.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "base/clock.h"
#include "base/text.h"
#include "domain/click_batch.h"
#include "domain/click_store.h"
#include "domain/database.h"
#include "domain/packing.h"

enum { HOUR_MS = CLICK_HOUR_MS, DAY_MS = CLICK_DAY_MS };

static const int64_t monday = 1795392000000; /* 2026-11-23 00:00 UTC */

static struct db *db;

static void begin(void)
{
	database_do(ADMIN,
		"TRUNCATE clicks, click_counts, click_stats, click_days, click_totals, events, "
		"event_totals, event_changes");
	db = database_open();
}

static void end(void)
{
	db_free(db);
}

TestSuite(event, .init = begin, .fini = end);

static void expect_clicks(int64_t link, int64_t owner, int64_t start, int64_t end)
{
	const struct event_filter filter = {
		.link = link, .owner = owner, .start = start, .end = end
	};
	char memory[512];
	struct text sql = text_fixed(memory, sizeof(memory));
	int64_t clicks;

	db_set_deadline(db, DEADLINE_MS);
	cr_assert(event_count_clicks(db, &filter, &clicks) == DB_OK);
	text_addf(&sql,
		"SELECT coalesce(sum(n), 0)::bigint FROM click_hours "
		"WHERE (%lld = 0 OR link = %lld) "
		"AND (%lld = 0 OR link IN (SELECT id FROM links WHERE owner = %lld)) "
		"AND date_part('epoch', hour) * 1000 >= %lld "
		"AND (%lld = 0 OR date_part('epoch', hour) * 1000 < %lld)",
		(long long)link, (long long)link, (long long)owner, (long long)owner,
		(long long)start, (long long)end, (long long)end);
	cr_expect(eq(i64, clicks, database_number(memory)),
		"link %lld, owner %lld, from %lld to %lld", (long long)link, (long long)owner,
		(long long)start, (long long)end);
}

/* Against each hour one by one: bounds on and between hours, on and between days. */
static void expect_all_clicks(void)
{
	static const int64_t bounds[] = { 0, 7 * HOUR_MS / 2, DAY_MS, 3 * DAY_MS - 1 };
	static const struct {
		int64_t link, owner;
	} whose[] = { { 0, 0 }, { 710, 0 }, { 0, 71 }, { 711, 71 }, { 712, 71 } };
	const size_t count = sizeof(bounds) / sizeof(*bounds);

	for (size_t i = 0; i < sizeof(whose) / sizeof(*whose) * count * count; i++) {
		int64_t start = bounds[i / count % count], end = bounds[i % count];
		expect_clicks(whose[i / count / count].link, whose[i / count / count].owner,
			start == 0 ? 0 : monday + start, end == 0 ? 0 : monday + end);
	}
}

/* As whoever counts does. */
static void count_totals(void)
{
	database_do(ADMIN, "DELETE FROM click_totals; "
			   "INSERT INTO click_totals (hour, node, counted) "
			   "SELECT hour, node, sum(n) FROM click_hours GROUP BY 1, 2");
}

Test(event, add_up_the_clicks_of_a_link_of_an_owner_and_of_all)
{
	database_do(ADMIN,
		"INSERT INTO users (id, username, email) VALUES (71, 'b', 'b@example.com'); "
		"INSERT INTO links (id, code, target, owner) VALUES "
		"(710, 'add-710', 'https://example.com/', 71), "
		"(711, 'add-711', 'https://example.com/', 71), "
		"(712, 'add-712', 'https://example.com/', NULL); "
		"INSERT INTO click_counts (link, hour, node, n, bots) "
		"SELECT link, '2026-11-22 00:00+00'::timestamptz + h * interval '1 hour', "
		"1 + h % 2, link % 10 + h, 0 "
		"FROM generate_series(710, 712) AS link, generate_series(0, 120, 5) AS h");
	count_totals();
	expect_all_clicks();
	pack_days();
	/* Late ones lie beside what is packed. */
	database_do(ADMIN,
		"INSERT INTO click_counts (link, hour, node, n, bots) "
		"SELECT 711, '2026-11-24 00:00+00'::timestamptz + h * interval '1 hour', "
		"1, 1, 0 FROM generate_series(0, 30, 3) AS h");
	count_totals();
	expect_all_clicks();
	database_do(ADMIN,
		"DELETE FROM links WHERE id IN (710, 711, 712); DELETE FROM users WHERE id = 71");
}

/* --- Lists. --- */

/* A user's links 990720, 990721 and 990722 and somebody else's 990723, followed in the last six days and today.
   Of what else happened some at the same moment, and some at midnight. */
static void follow_links(void)
{
	database_do(ADMIN,
		"INSERT INTO users (id, username, email) VALUES (990072, 'c', 'c@example.com'); "
		"INSERT INTO links (id, code, target, owner) SELECT i, 'feed-' || i, "
		"'https://example.com/', CASE WHEN i < 990723 THEN 990072 END "
		"FROM generate_series(990720, 990723) AS i; "
		"SELECT clicks_make_partitions(current_date - 6, current_date); "
		"INSERT INTO events (time, type, link, owner) "
		"SELECT date_trunc('day', now(), 'UTC') - i / 3 * interval '1 day', 'shared', "
		"990720, 990072 "
		"FROM generate_series(0, 11) AS i; "
		"INSERT INTO events (time, type, link, owner) "
		"SELECT now() - i / 2 * interval '7 hours', 'shared', 990720 + i % 4, "
		"CASE WHEN i % 3 = 0 THEN 990072 END FROM generate_series(0, 47) AS i");
	/* Of 990720 each half an hour, of 990721 seldom, of 990722 on one day alone, of 990723
	 * now and then; some at the same moment. */
	database_do(ADMIN,
		"INSERT INTO clicks (time, segment, position, link, status, browser, os, bot, "
		"prefetch, visitor) "
		"SELECT time, 1, i, link, 302, 'x', 'x', false, false, 1 "
		"FROM (SELECT row_number() OVER () AS i, link, date_trunc('day', now(), 'UTC') "
		"+ half * interval '30 minutes' AS time "
		"FROM generate_series(990720, 990723) AS link, generate_series(-6 * 48, 7) AS half "
		"WHERE CASE link WHEN 990720 THEN true WHEN 990721 THEN half % 50 = 0 "
		"WHEN 990722 THEN half BETWEEN -150 AND -140 ELSE half % 5 = 0 END) AS made; "
		"INSERT INTO click_counts (link, hour, node, n, bots) "
		"SELECT link, date_trunc('hour', time), 1, count(*), 0 FROM clicks GROUP BY 1, 2");
	/* One of a wrong clock, in no day's partition, and some that were imported, which are no
	 * rows. */
	database_do(ADMIN,
		"INSERT INTO clicks (time, segment, position, link, status, browser, os, bot, "
		"prefetch, visitor) "
		"SELECT '2001-02-03 04:05:06Z', 3, 1, 990721, 302, 'x', 'x', false, false, 1; "
		"INSERT INTO click_counts (link, hour, node, n, bots) VALUES "
		"(990721, '2001-02-03 04:00Z', 1, 1, 0), "
		"(990721, date_trunc('hour', now() - interval '50 hours'), 0, 5, 0)");
}

static void forget_links(void)
{
	database_do(ADMIN, "ALTER ROLE linkshrink_web RESET timezone; "
			   "DELETE FROM links WHERE id BETWEEN 990720 AND 990723; "
			   "DELETE FROM users WHERE id = 990072");
}

/* All that a filter wants, put together of pages: each after the last one of the page before, or after as
   many as were shown. */
static void walk(struct event_filter filter, bool by_number, struct text *ids)
{
	enum db_result result = DB_OK;

	while (result == DB_OK) {
		struct db_rows *rows;
		struct event event;

		db_set_deadline(db, DEADLINE_MS);
		result = event_list(db, &filter, &rows);
		cr_assert(result == DB_OK || result == DB_NOT_FOUND);
		for (int row = 0; rows && row < db_rows_count(rows); row++) {
			event_from_row(rows, row, &event);
			text_addf(ids, "%lld ", (long long)event.id);
			filter.page.offset += by_number;
			filter.after_us = by_number ? 0 : event.time_us;
			filter.after_id = by_number ? 0 : event.id;
		}
		db_rows_free(rows);
	}
}

/* The same by one condition for each row. */
static void say_wanted(const struct event_filter *filter, struct text *sql)
{
	text_addf(sql,
		"(SELECT id, time FROM (SELECT id, time, link, type, owner FROM events UNION ALL "
		"SELECT id, time, link, 'redirect', (SELECT owner FROM links WHERE id = link) "
		"FROM clicks) AS feed WHERE (%lld = 0 OR link = %lld) AND (%lld = 0 OR owner = "
		"%lld) "
		"AND ('%s' = '' OR type = '%s') AND (%lld = 0 OR time >= to_timestamp(%lld / "
		"1000.0)) "
		"AND (%lld = 0 OR time < to_timestamp(%lld / 1000.0))) AS wanted",
		(long long)filter->link, (long long)filter->link, (long long)filter->owner,
		(long long)filter->owner, filter->type, filter->type, (long long)filter->start,
		(long long)filter->start, (long long)filter->end, (long long)filter->end);
}

static void expect_feed(const struct event_filter *filter)
{
	static char ids[16384], memory[20000];
	struct text list = text_fixed(ids, sizeof(ids)), sql = text_fixed(memory, sizeof(memory));
	struct total total;

	walk(*filter, filter->page.limit == 11, &list);
	text_add(&sql,
		"SELECT (coalesce(string_agg(id || ' ', '' ORDER BY time DESC, id DESC), '') = '");
	text_add(&sql, ids);
	text_add(&sql, "')::integer FROM ");
	say_wanted(filter, &sql);
	cr_assert(not(list.cut || sql.cut));
	cr_expect(eq(i64, database_number(memory), 1),
		"link %lld, owner %lld, '%s', from %lld to %lld: %s", (long long)filter->link,
		(long long)filter->owner, filter->type, (long long)filter->start,
		(long long)filter->end, ids);
	sql = text_fixed(memory, sizeof(memory));
	text_add(&sql, "SELECT count(*) FROM ");
	say_wanted(filter, &sql);
	db_set_deadline(db, DEADLINE_MS);
	cr_assert(event_list_total(db, filter, &total) == DB_OK);
	cr_expect(total.exact && total.count == database_number(memory),
		"link %lld, owner %lld, '%s', from %lld to %lld: %lld", (long long)filter->link,
		(long long)filter->owner, filter->type, (long long)filter->start,
		(long long)filter->end, (long long)total.count);
}

/* Whoever asks, for whatever time: on hours and between them, of open days and of past ones. */
static void expect_feeds(void)
{
	static const struct {
		int64_t link, owner;
	} whose[] = { { 0, 0 }, { 990720, 0 }, { 0, 990072 }, { 990721, 990072 },
		{ 990723, 990072 }, { 990722, 0 }, { -1, 0 } };
	static const char *const types[] = { "", "redirect", "shared" };
	const int64_t now = clock_wall_ms(), hour = now / HOUR_MS * HOUR_MS,
		      day = now / DAY_MS * DAY_MS;
	const int64_t times[][2] = { { 0, 0 }, { day - 3 * DAY_MS, 0 }, { 0, hour - 40 * HOUR_MS },
		{ now - 5 * DAY_MS, now - 2 * DAY_MS },
		{ hour - 30 * HOUR_MS + 60000, hour - 30 * HOUR_MS + 2400000 } };

	for (size_t i = 0; i < 7 * 3 * 5; i++) {
		const struct event_filter filter = {
			.page = { .limit = i % 3 == 0 ? 11 : 50 - i % 2 * 43 },
			.link = whose[i / 15].link,
			.owner = whose[i / 15].owner,
			.type = types[i / 5 % 3],
			.start = times[i % 5][0],
			.end = times[i % 5][1]
		};
		expect_feed(&filter);
	}
}

static void sum_up(void)
{
	int64_t changes;

	cr_assert(event_sum_up(db, &changes) == DB_OK);
	cr_expect(gt(i64, changes, 0));
	cr_expect(eq(i64, database_number("SELECT count(*) FROM event_changes"), 0));
}

static void index_days(void)
{
	struct db *ingest = db_new(database_url(INGEST), "ingest");
	unsigned days = 0;
	int64_t day;

	cr_assert(ingest != NULL);
	db_set_deadline(ingest, DEADLINE_MS);
	for (;; days++) {
		cr_assert(store_find_unindexed(ingest, INT32_MAX / 2, &day) == STORE_OK);
		if (day == STORE_ANY_DAY)
			break;
		cr_assert(store_index_day(ingest, day) == STORE_OK);
	}
	db_free(ingest);
	cr_expect(ge(u32, days, 6));
}

Test(event, lists_show_clicks_of_days_that_are_open_over_and_packed)
{
	/* Where hours begin at half past. */
	database_do(ADMIN, "ALTER ROLE linkshrink_web SET timezone = 'Asia/Kolkata'");
	follow_links();
	expect_feeds();
	index_days();
	sum_up();
	expect_feeds();
	pack_past_days();
	cr_expect(gt(i64, database_number("SELECT count(*) FROM click_counts"), 0));
	cr_expect(gt(i64, database_number("SELECT count(*) FROM click_days"), 0));
	expect_feeds();
	/* A late one, of a day that is packed. */
	database_do(ADMIN,
		"INSERT INTO clicks (time, segment, position, link, status, browser, os, bot, "
		"prefetch, "
		"visitor) SELECT now() - interval '4 days', 2, 1, 990721, 302, 'x', 'x', false, "
		"false, 1; "
		"INSERT INTO click_counts (link, hour, node, n, bots) "
		"SELECT link, date_trunc('hour', time), 1, 1, 0 FROM clicks WHERE segment = 2");
	expect_feeds();
	forget_links();
}

/* --- By type. --- */

static void expect_types(int64_t start, int64_t end)
{
	const struct event_filter filter = { .start = start, .end = end };
	char memory[1024];
	struct text types = text_fixed(memory, sizeof(memory));
	struct db_rows *rows;
	int64_t total;
	enum db_result result;

	db_set_deadline(db, DEADLINE_MS);
	result = event_count_types(db, &filter, &rows, &total);
	cr_assert(result == DB_OK || result == DB_NOT_FOUND);
	text_add(&types,
		"SELECT (coalesce(string_agg(type || ' ' || n, ',' ORDER BY n DESC, type), "
		"'') || ' ' || coalesce(sum(n), 0) = '");
	for (int row = 0; rows && row < db_rows_count(rows); row++)
		text_addf(&types, "%s%s %lld", row > 0 ? "," : "", db_text(rows, row, 0),
			(long long)db_number(rows, row, 1));
	text_addf(&types,
		" %lld')::integer FROM (SELECT type, count(*) AS n FROM events "
		"WHERE type <> 'redirect' AND (%lld = 0 OR time >= to_timestamp(%lld / 1000.0)) "
		"AND (%lld = 0 OR time < to_timestamp(%lld / 1000.0)) GROUP BY type) AS each",
		(long long)total, (long long)start, (long long)start, (long long)end,
		(long long)end);
	db_rows_free(rows);
	cr_assert(not(types.cut));
	cr_expect(eq(i64, database_number(memory), 1), "%s", memory);
}

static void expect_all_types(void)
{
	static const int64_t bounds[] = { 0, -1, 7 * HOUR_MS / 2, 8 * HOUR_MS, DAY_MS,
		3 * DAY_MS - 1, 3 * DAY_MS };

	for (size_t i = 0; i < 7 * 7; i++)
		expect_types(bounds[i / 7] == 0 ? 0 : monday + bounds[i / 7],
			bounds[i % 7] == 0 ? 0 : monday + bounds[i % 7]);
}

Test(event, are_counted_by_type_whatever_happens_to_them)
{
	int64_t changes;

	database_do(ADMIN,
		"INSERT INTO events (time, type, link) SELECT '2026-11-22 23:30Z'::timestamptz "
		"+ i * interval '30 minutes', CASE WHEN i % 7 = 0 THEN 'shared' "
		"WHEN i % 5 = 0 THEN 'redirect' ELSE 'created' END, 1 FROM generate_series(0, 200) "
		"AS i; "
		"INSERT INTO events (time, type, link) VALUES ('0001-01-01 00:00Z', 'first', 1), "
		"('9999-12-31 23:59:59.999999Z', 'last', 1)");
	expect_all_types();
	sum_up();
	expect_all_types();
	database_do(ADMIN,
		"DELETE FROM events WHERE type = 'shared' OR link = 1 "
		"AND time < '2026-11-24 07:10Z' AND type = 'created'; "
		"INSERT INTO events (time, type, link) VALUES ('2026-11-24 12:00Z', 'late', 1)");
	expect_all_types();
	sum_up();
	expect_all_types();
	cr_assert(event_sum_up(db, &changes) == DB_OK);
	cr_expect(eq(i64, changes, 0));
}

Test(event, totals_of_all_links_have_in_the_end_what_another_version_counted)
{
	const char *missing = "SELECT count(*) FROM (SELECT hour, node, sum(n) FROM click_hours "
			      "GROUP BY 1, 2 EXCEPT SELECT hour, node, greatest(counted, packed) "
			      "FROM click_totals) AS other";

	follow_links();
	count_totals();
	/* By some version, of some node. */
	database_do(INGEST, "INSERT INTO click_counts (link, hour, node, n, bots) "
			    "SELECT i, '2026-11-20 05:00Z', 7, 2, 1 "
			    "FROM generate_series(600, 699) AS i");
	cr_expect(eq(i64, database_number(missing), 1));
	pack_past_days();
	cr_expect(eq(i64, database_number(missing), 0));
	cr_expect(eq(i64, database_number("SELECT packed FROM click_totals WHERE node = 7"), 200));
	expect_clicks(0, 0, 0, 0);
	forget_links();
}
