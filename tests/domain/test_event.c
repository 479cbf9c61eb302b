#include "domain/event.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "base/text.h"
#include "domain/click_batch.h"
#include "domain/database.h"
#include "domain/packing.h"

enum { HOUR_MS = CLICK_HOUR_MS, DAY_MS = CLICK_DAY_MS };

static const int64_t monday = 1795392000000; /* 2026-11-23 00:00 UTC */

static struct db *db;

static void begin(void)
{
	database_do(ADMIN, "TRUNCATE click_counts, click_stats, click_days, events");
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
	expect_all_clicks();
	pack_days();
	/* Late ones lie beside what is packed. */
	database_do(ADMIN,
		"INSERT INTO click_counts (link, hour, node, n, bots) "
		"SELECT 711, '2026-11-24 00:00+00'::timestamptz + h * interval '1 hour', "
		"1, 1, 0 FROM generate_series(0, 30, 3) AS h");
	expect_all_clicks();
	database_do(ADMIN,
		"DELETE FROM links WHERE id IN (710, 711, 712); DELETE FROM users WHERE id = 71");
}
