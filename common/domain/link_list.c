#include "domain/link_list.h"

#include <inttypes.h>

#include "base/text.h"

enum {
	CONDITIONS = 9,
	FIRST_ID = 5,
	LAST_ID = 6,
	PARTS = 7,
	WORDS = 8,
	CLICKS_COLUMN = 15,
	PART_BITS = 16,
	PART = 1 << PART_BITS, /* of the ids, as the index of texts knows them */
	PART_FEW = PART / 4,
	SOME_PARTS = 8
};

static const struct filter_statements statements = { .newest = STATEMENT_links_newest,
	.oldest = STATEMENT_links_oldest,
	.count = STATEMENT_links_count };
static const struct filter_statements near = { .newest = STATEMENT_links_near_newest,
	.oldest = STATEMENT_links_near_oldest };

/*
 * Where a search looks, one after the other, until it has enough. What many links have is found
 * among a few, read one by one; what fewer have, in one part of the index, or in some; only what is
 * rare is looked up among all. So each is quick: the links that have it are fetched and sorted, and
 * of none of these steps there can be many. Each part is a walk of its own, so some are looked at only
 * by who found enough in the first.
 */
static const struct {
	const struct filter_statements *statements;
	int64_t ids; /* 0: all */
} steps[] = { { &near, 2000 }, { &statements, PART }, { &statements, SOME_PARTS *PART },
	{ &statements, 0 } };

enum { STEPS = sizeof(steps) / sizeof(*steps) };

struct conditions {
	char owner[DB_NUMBER], pattern[FILTER_PATTERN], words[FILTER_PATTERN];
	char first[DB_NUMBER], last[DB_NUMBER], parts[(SOME_PARTS + 1) * DB_NUMBER];
	const char *list[CONDITIONS];
};

static void set_conditions(struct conditions *conditions, const struct link_filter *filter)
{
	filter_pattern(conditions->pattern, filter->search);
	filter_words(conditions->words, filter->search);
	conditions->list[0] = db_number_text(conditions->owner, filter->owner);
	conditions->list[1] = conditions->pattern;
	conditions->list[2] = filter->state;
	conditions->list[3] = filter->code;
	conditions->list[4] = filter->tag;
	conditions->list[FIRST_ID] = conditions->list[LAST_ID] = "0";
	conditions->list[PARTS] = "{}";
	conditions->list[WORDS] = conditions->words;
}

static void set_range(struct conditions *conditions, int64_t first, int64_t last)
{
	struct text parts = text_fixed(conditions->parts, sizeof(conditions->parts));

	conditions->list[FIRST_ID] = db_number_text(conditions->first, first);
	conditions->list[LAST_ID] = db_number_text(conditions->last, last);
	conditions->list[PARTS] = conditions->parts;
	for (int64_t part = first >> PART_BITS; part <= last >> PART_BITS; part++)
		text_addf(&parts, "%s%" PRId64, parts.len == 0 ? "{" : ",", part);
	text_add_char(&parts, '}');
}

/* The first id that may be shown. */
static enum db_result find_begin(struct db *db, const struct page *page, int64_t *begin)
{
	*begin = page->ascending ? page->after + 1 : page->after - 1;
	if (page->ascending || page->after > 0)
		return DB_OK;
	return db_query_number(db, STATEMENT_links_newest_id, begin);
}

/* So many ids from the beginning, or, of a step as wide as parts, up to where one ends. Each part costs
 * as much as the other, so there is one more only where the first has but a few. */
static int64_t find_end(const struct page *page, int64_t begin, int64_t ids)
{
	const int64_t into = begin & (PART - 1), left = page->ascending ? PART - into : into + 1;
	if (ids >= PART)
		ids += left - (left < PART_FEW ? 0 : PART);
	return page->ascending ? begin + ids - 1 : begin > ids ? begin - ids + 1 : 1;
}

/* Whether the ids of a step, beginning there, are all that are left. */
static bool set_step(
	struct conditions *conditions, const struct page *page, int64_t begin, int64_t ids)
{
	const int64_t end = ids != 0 ? find_end(page, begin, ids) : 0;

	if (ids == 0)
		set_range(conditions, 0, 0);
	else if (page->ascending)
		set_range(conditions, begin, end);
	else
		set_range(conditions, end, begin);
	return ids == 0 || (!page->ascending && end == 1);
}

static bool is_ascii(const char *text)
{
	while (*text != '\0' && (unsigned char)*text < 0x80)
		text++;
	return *text == '\0';
}

static enum db_result search(struct db *db, struct conditions *conditions,
	const struct link_filter *filter, struct db_rows **rows)
{
	const struct page *page = &filter->page;
	int64_t begin;
	bool last = false;
	enum db_result result = find_begin(db, page, &begin);
	/* The nearest are compared by their ASCII alone, see statements.def. */
	int first = is_ascii(filter->search) ? 0 : 1;
	int64_t found = 0;

	*rows = NULL;
	for (int i = first; i < STEPS && result == DB_OK && !last; i++) {
		if (steps[i].ids > PART && found * SOME_PARTS < page->limit)
			continue;
		db_rows_free(*rows);
		last = set_step(conditions, page, begin, steps[i].ids);
		result = filter_list(
			db, steps[i].statements, conditions->list, CONDITIONS, page, rows);
		found = result == DB_OK ? db_rows_count(*rows) : 0;
		if (result == DB_OK)
			last |= found == page->limit;
		else if (result == DB_NOT_FOUND && !last)
			result = DB_OK;
	}
	return result;
}

/* What else is asked for leaves so few that there is nothing to be gained. */
static bool is_wide(const struct link_filter *filter)
{
	return filter->owner == 0 && !*filter->code && !*filter->tag;
}

enum db_result link_list(struct db *db, const struct link_filter *filter, struct db_rows **rows)
{
	struct conditions conditions;

	set_conditions(&conditions, filter);
	if (*filter->search && is_wide(filter))
		return search(db, &conditions, filter, rows);
	return filter_list(db, &statements, conditions.list, CONDITIONS, &filter->page, rows);
}

enum db_result link_list_total(struct db *db, const struct link_filter *filter, struct total *total)
{
	struct conditions conditions;

	set_conditions(&conditions, filter);
	return filter_total(db, &statements, conditions.list, CONDITIONS, total);
}

bool link_list_row(const struct db_rows *rows, int row, struct link *link, int64_t *clicks)
{
	*clicks = db_number(rows, row, CLICKS_COLUMN);
	return link_from_row(rows, row, link);
}

enum db_result link_list_tidy(struct db *db, int64_t *pages)
{
	return db_query_number(db, STATEMENT_search_take_in, pages);
}
