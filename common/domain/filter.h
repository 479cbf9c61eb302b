/*
 * filter - which objects of a kind a list shows, and how PostgreSQL is asked for them.
 *
 * Each kind has a filter of its own in its header, whose first member is the page. In all of them 0
 * and "" mean: whatever; a text is never NULL. Statements of lists are planned for their values.
 */
#ifndef DOMAIN_FILTER_H
#define DOMAIN_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "db/db.h"

enum {
	FILTER_TEXT_MAX = 255,                    /* bytes of a text to look for */
	FILTER_PATTERN = 2 * FILTER_TEXT_MAX + 3, /* of its pattern, with the zero */
	FILTER_SEARCH_LEAST = 3,                  /* bytes, as the index has no shorter parts */
	FILTER_COUNT_MOST = 1000,                 /* what is not kept is counted no further */
	FILTER_CONDITIONS = 12
};

struct page {
	int64_t after;  /* id of the last one that was shown before */
	bool ascending; /* by id; else the newest first */
	int64_t limit, offset;
};

/* How many objects all pages have together: exactly, or that many at least. */
struct total {
	int64_t count;
	bool exact;
};

/*
 * The statements of a list. Their parameters are the conditions, the id of the last one before, then
 * how many; and how many to leave out, but for count, which answers with a number.
 */
struct filter_statements {
	enum db_statement newest, oldest, count;
};

/* DB_OK with rows, DB_NOT_FOUND without any (*rows is NULL), or the failure. */
__attribute__((warn_unused_result)) enum db_result filter_list(struct db *db,
	const struct filter_statements *statements, const char *const *conditions, int count,
	const struct page *page, struct db_rows **rows);

/* DB_OK, or the failure. */
__attribute__((warn_unused_result)) enum db_result filter_total(struct db *db,
	const struct filter_statements *statements, const char *const *conditions, int count,
	struct total *total);

/* The total of a count that went no further than one more than FILTER_COUNT_MOST. */
struct total filter_total_from(int64_t counted);

/* A pattern for ILIKE that finds this text anywhere, "" for "". */
void filter_pattern(char pattern[FILTER_PATTERN], const char *text);

/*
 * Another one, which finds all that and perhaps more: anything may stand between two words. For an
 * index of trigrams, whose walk costs as much as its most frequent ones: how words begin and end.
 */
void filter_words(char pattern[FILTER_PATTERN], const char *text);

#endif
