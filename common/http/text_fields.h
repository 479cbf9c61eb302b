/*
 * text_fields - reads texts, the cells of a CSV record or the parameters of a query, into a C
 * struct by the tables of json_fields.h: with the same limits and the same words of faults.
 *
 * A text cannot say null: an empty one counts as absent and leaves the struct as it was. What the
 * types look like as a text:
 *
 *     JSON_TEXT     itself
 *     JSON_NUMBER   decimal digits, a minus before them
 *     JSON_BOOLEAN  true, false in any case, 1, 0
 *     JSON_TIME     RFC 3339 with an offset, or 2026-01-31 12:00:00 with any fraction, in UTC
 *     JSON_TEXTS    texts with commas between
 *     JSON_OBJECT   the object as JSON
 *     JSON_REFUSED  nothing: may not be set
 *     JSON_IGNORED  anything: passed over
 */
#ifndef HTTP_TEXT_FIELDS_H
#define HTTP_TEXT_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/csv.h"
#include "http/http.h"
#include "http/json_fields.h"

/* Reads one value to its place in the struct, or adds a fault. False if it is empty: absent. */
bool text_field_read(
	const struct json_field *field, const char *value, void *into, struct http_faults *faults);

/* Adds a fault for each required row of fields whose bit of seen is not set. */
void text_fields_missing(
	const struct json_field *fields, uint32_t seen, struct http_faults *faults);

/* Which row of a table each cell is for. */
struct text_columns {
	size_t count;
	int row[CSV_COLUMNS_MAX]; /* -1: no row has this name */
};

/* By the line with the names of the columns. Adds a fault if a column of the table is there twice,
 * or a required one is not there. */
void text_fields_columns(const struct csv_record *header, const struct json_field *fields,
	struct text_columns *columns, struct http_faults *faults);

/*
 * Reads a record that has no fault, as json_read() does an object: all faults at once, those of
 * required cells that are empty too. Cells that lack at the end count as empty, more than there are
 * columns are a fault of `row`. *present as there; may be NULL. False if there are faults.
 */
__attribute__((warn_unused_result)) bool text_fields_read(const struct csv_record *record,
	const struct text_columns *columns, const struct json_field *fields, void *into,
	uint32_t *present, struct http_faults *faults);

#endif
