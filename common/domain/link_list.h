/*
 * link_list - the links that a list shows; deleted ones never.
 */
#ifndef DOMAIN_LINK_LIST_H
#define DOMAIN_LINK_LIST_H

#include "domain/filter.h"
#include "domain/link.h"

struct link_filter {
	struct page page;
	int64_t owner;
	const char *search; /* part of code, title or target, without regard to case */
	const char *state;  /* "active" or "disabled" */
	const char *code;
	const char *tag;
};

/* See filter_list() and filter_total(). */
__attribute__((warn_unused_result)) enum db_result link_list(
	struct db *db, const struct link_filter *filter, struct db_rows **rows);
__attribute__((warn_unused_result)) enum db_result link_list_total(
	struct db *db, const struct link_filter *filter, struct total *total);

/* The link of a row, and its clicks. False: it is longer than a link may be. */
bool link_list_row(const struct db_rows *rows, int row, struct link *link, int64_t *clicks);

/*
 * Takes the links and users that were made since the last time into the indexes that searches use:
 * until then every search reads all of them. It takes as long as there are many: how many pages of 8 KiB
 * they were. DB_OK, or the failure.
 */
__attribute__((warn_unused_result)) enum db_result link_list_tidy(struct db *db, int64_t *pages);

#endif
