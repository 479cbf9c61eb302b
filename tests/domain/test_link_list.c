#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "base/text.h"
#include "domain/database.h"
#include "domain/link_list.h"

/*
 * Nine links that have the word, as far apart as a search takes steps: two close to the newest, three
 * within the next 65,536 ids, the rest beyond. Between them are others.
 */
static const int64_t ids[] = { 9000000, 8999000, 8990000, 8970000, 8940000, 8900000, 5000000, 10000,
	500 };
enum { LINKS = sizeof(ids) / sizeof(*ids), NEWER = 9000600 };

static void fill(void)
{
	database_do(OWNER, "TRUNCATE links");
	database_do(OWNER,
		"INSERT INTO links (id, code, target, title) SELECT id, 'list-' || id, "
		"'https://example.com/', 'a Zebra' FROM unnest('{9000000,8999000,8990000,8970000,"
		"8940000,8900000,5000000,10000,500}'::bigint[]) AS id");
	database_do(OWNER, "INSERT INTO links (id, code, target) SELECT id, 'list-' || id, "
			   "'https://example.com/' FROM (SELECT 9000600 - i * 12345 AS id FROM "
			   "generate_series(0, 700) AS i) AS drawn");
}

static void empty(void)
{
	database_do(OWNER, "TRUNCATE links");
}

/* Whether the list is those of the ids from the first one on, in their order. */
static void expect_list(struct db *db, struct link_filter filter, int first, int count)
{
	struct db_rows *rows;
	struct link link;
	int64_t clicks;
	enum db_result result = link_list(db, &filter, &rows);

	cr_expect(result == (count > 0 ? DB_OK : DB_NOT_FOUND));
	cr_expect(eq(int, rows ? db_rows_count(rows) : 0, count), "after %ld, %ld of them",
		(long)filter.page.after, (long)filter.page.limit);
	for (int i = 0; rows && i < db_rows_count(rows); i++) {
		cr_assert(link_list_row(rows, i, &link, &clicks));
		cr_expect(eq(i64, link.id,
			ids[filter.page.ascending ? LINKS - 1 - first - i : first + i]));
	}
	db_rows_free(rows);
}

static struct link_filter searched(const char *text, bool ascending)
{
	return (struct link_filter){ .page = { .limit = LINKS + 1, .ascending = ascending },
		.search = text,
		.state = "",
		.code = "",
		.tag = "" };
}

Test(link_list, finds_as_many_as_are_wanted_however_far_away, .init = fill, .fini = empty)
{
	struct db *db = database_open();

	for (int way = 0; way < 2; way++) {
		struct link_filter filter = searched("zebra", way);

		expect_list(db, filter, 0, LINKS);
		for (filter.page.limit = 1; filter.page.limit <= LINKS; filter.page.limit++)
			expect_list(db, filter, 0, (int)filter.page.limit);
	}
	db_free(db);
}

Test(link_list, goes_on_where_the_page_before_ended, .init = fill, .fini = empty)
{
	struct db *db = database_open();

	for (int way = 0; way < 2; way++) {
		struct link_filter filter = searched("zebra", way);

		filter.page.limit = 2;
		for (int shown = 1; shown <= LINKS; shown++) {
			int left = LINKS - shown;

			filter.page.after = ids[way ? LINKS - shown : shown - 1];
			expect_list(db, filter, shown, left < 2 ? left : 2);
		}
		filter.page.after = 0;
		for (filter.page.offset = 1; filter.page.offset < LINKS - 1; filter.page.offset++)
			expect_list(db, filter, (int)filter.page.offset, 2);
	}
	db_free(db);
}

/* Small letters of any language for large ones, near and far. */
Test(link_list, makes_no_difference_between_large_and_small_letters, .init = fill, .fini = empty)
{
	static const char *const texts[] = { "ZEBRA", "A zEbRa", "Zèbré", "ZÈBRÉ", "zèbrÉ" };
	struct db *db = database_open();

	database_do(OWNER, "UPDATE links SET title = 'a Zebra, or Un Zèbré' WHERE title <> ''");
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct link_filter filter = searched(texts[i], false);

		expect_list(db, filter, 0, LINKS);
		filter.page.limit = 1;
		expect_list(db, filter, 0, 1);
	}
	db_free(db);
}

Test(link_list, finds_nothing_where_nothing_is, .init = fill, .fini = empty)
{
	struct db *db = database_open();

	for (int way = 0; way < 2; way++) {
		struct link_filter filter = searched("giraffe", way);

		expect_list(db, filter, 0, 0);
		filter.search = "zebra";
		filter.page.after = way ? NEWER : 1;
		expect_list(db, filter, 0, 0);
		filter.page.after = 0;
		filter.state = "disabled";
		expect_list(db, filter, 0, 0);
	}
	database_do(OWNER, "TRUNCATE links");
	expect_list(db, searched("zebra", false), 0, 0);
	db_free(db);
}

/* The index is asked for the words, whatever is between them. */
Test(link_list, finds_words_as_they_stand, .init = fill, .fini = empty)
{
	struct db *db = database_open();

	database_do(OWNER, "UPDATE links SET title = CASE WHEN id > 8960000 THEN 'a Night Train' "
			   "ELSE 'night slow train, Train Night' END WHERE title <> ''");
	expect_list(db, searched("night train", false), 0, 4);
	expect_list(db, searched("night%train", false), 0, 0);
	expect_list(db, searched("a night train https://example", false), 0, 4);
	expect_list(db, searched("slow train, train night", true), 0, LINKS - 4);
	db_free(db);
}

Test(link_list, asks_the_index_for_what_is_within_long_words)
{
	static const char *const texts[][2] = {
		{ "", "" },
		{ "garden", "%garden%" },
		{ "garden, winter", "%garden%winter%" },
		{ "example.com/pricing", "%example.com/pricing%" },
		{ "host.example/pricing", "%host%example%pricing%" },
		{ "win 10 professional", "%win 10 professional%" },
		{ " 100% _\\ ", "% 100\\% \\_\\\\ %" },
		{ "some_%name", "%some%name%" },
		{ "Köln Füße", "%Köln%Füße%" },
	};
	char pattern[FILTER_PATTERN];

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		memset(pattern, 0, sizeof(pattern));
		filter_words(pattern, texts[i][0]);
		cr_expect(eq(str, pattern, (char *)texts[i][1]));
	}
}

/* How many pages the list was long that this takes in. */
#define WAITING "SELECT gin_clean_pending_list('links_by_text')"

Test(link_list, tidies_what_is_new_into_the_index, .init = fill, .fini = empty)
{
	struct db *db = database_open();
	int64_t pages;

	database_do(OWNER, WAITING);
	fill();
	cr_assert(link_list_tidy(db, &pages) == DB_OK);
	cr_expect(gt(i64, pages, 0));
	cr_expect(eq(i64, database_number(WAITING), 0));
	fill();
	cr_expect(gt(i64, database_number(WAITING), 0), "or the list is none");
	db_free(db);
}
