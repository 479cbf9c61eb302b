#include "domain/link_list.h"

enum { CONDITIONS = 5, CLICKS_COLUMN = 15 };

static const struct filter_statements statements = { .newest = STATEMENT_links_newest,
	.oldest = STATEMENT_links_oldest,
	.count = STATEMENT_links_count };

struct conditions {
	char owner[DB_NUMBER], pattern[FILTER_PATTERN];
	const char *list[CONDITIONS];
};

static void set_conditions(struct conditions *conditions, const struct link_filter *filter)
{
	filter_pattern(conditions->pattern, filter->search);
	conditions->list[0] = db_number_text(conditions->owner, filter->owner);
	conditions->list[1] = conditions->pattern;
	conditions->list[2] = filter->state;
	conditions->list[3] = filter->code;
	conditions->list[4] = filter->tag;
}

enum db_result link_list(struct db *db, const struct link_filter *filter, struct db_rows **rows)
{
	struct conditions conditions;

	set_conditions(&conditions, filter);
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
