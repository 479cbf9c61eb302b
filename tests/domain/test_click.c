#include "domain/click.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "domain/database.h"

enum { CLICKS_A_THREAD = 50 };

/* 2026-11-23T21:59:59.999Z */
static const int64_t last_of_hour = 1795471199999;

Test(click, is_counted_by_link_hour_and_node)
{
	struct db *db = database_open();
	struct click click = { .link = 700, .at = last_of_hour }, bot = click, next = click,
		     other = click;

	bot.bot = true;
	next.at++;
	other.link++;
	cr_assert(click_record(db, &click, 1) == CLICK_KEPT);
	cr_assert(click_record(db, &bot, 1) == CLICK_KEPT);
	cr_assert(click_record(db, &next, 1) == CLICK_KEPT);
	cr_assert(click_record(db, &other, 1) == CLICK_KEPT);
	cr_assert(click_record(db, &click, 2) == CLICK_KEPT);
	cr_assert(
		eq(i64, database_number("SELECT count(*) FROM click_counts WHERE link = 700"), 3));
	cr_assert(eq(i64,
		database_number("SELECT n * 10 + bots FROM click_counts WHERE link = 700 AND "
				"node = 1 AND hour = '2026-11-23 21:00:00+00'"),
		21));
	cr_assert(eq(i64,
		database_number("SELECT n * 10 + bots FROM click_counts WHERE link = 700 AND "
				"node = 1 AND hour = '2026-11-23 22:00:00+00'"),
		10));
	db_free(db);
}

static void click_many(struct db *db, unsigned number)
{
	struct click click = { .link = 800, .at = last_of_hour, .bot = number % 2 };

	for (int i = 0; i < CLICKS_A_THREAD; i++)
		cr_assert(click_record(db, &click, 1) == CLICK_KEPT);
}

Test(click, is_never_lost_by_16_threads_that_count_one_link)
{
	database_crowd(click_many);
	cr_assert(eq(i64, database_number("SELECT n FROM click_counts WHERE link = 800"),
		THREADS * CLICKS_A_THREAD));
	cr_assert(eq(i64, database_number("SELECT bots FROM click_counts WHERE link = 800"),
		THREADS * CLICKS_A_THREAD / 2));
}

Test(click, is_dropped_when_the_database_is_away)
{
	struct db *db = db_new("host=/nonexistent", "redirect");
	struct click click = { .link = 900, .at = last_of_hour };

	db_set_deadline(db, DEADLINE_MS);
	cr_assert(click_record(db, &click, 1) == CLICK_DROPPED);
	db_free(db);
}
