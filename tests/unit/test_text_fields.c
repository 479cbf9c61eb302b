#include "http/text_fields.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

struct thing {
	char name[9];
	char nick[5];
	int64_t count;
	bool open;
	int64_t at;
};

static const struct json_field fields[] = {
	{ .name = "name",
		.type = JSON_TEXT,
		.required = true,
		.min = 1,
		.max = 8,
		.offset = offsetof(struct thing, name) },
	{ .name = "nick",
		.type = JSON_TEXT,
		.min = 2,
		.max = 4,
		.offset = offsetof(struct thing, nick) },
	{ .name = "count",
		.type = JSON_NUMBER,
		.min = -3,
		.max = 9,
		.offset = offsetof(struct thing, count) },
	{ .name = "open", .type = JSON_BOOLEAN, .offset = offsetof(struct thing, open) },
	{ .name = "at", .type = JSON_TIME, .offset = offsetof(struct thing, at) },
	{ .name = "id", .type = JSON_REFUSED },
	{ 0 },
};

enum { NAME, NICK, COUNT, OPEN, AT, ID };

static struct thing thing;
static struct http_faults faults;

static void reset(void)
{
	thing = (struct thing){ .name = "before", .nick = "old", .count = 7, .at = 5 };
	faults.count = 0;
}

static bool read_text(int row, const char *value)
{
	reset();
	return text_field_read(&fields[row], value, &thing, &faults);
}

/* The only fault as "field what", or "". */
static const char *fault(void)
{
	static char words[256];
	words[0] = '\0';
	cr_expect_leq(faults.count, 1);
	if (faults.count == 1)
		snprintf(words, sizeof(words), "%s %s", faults.list[0].field, faults.list[0].what);
	return words;
}

Test(text_fields, reads_each_type_to_its_place)
{
	cr_expect(read_text(NAME, "a \u00fc") && faults.count == 0);
	cr_expect_str_eq(thing.name, "a \u00fc");
	cr_expect(read_text(NICK, "1234") && faults.count == 0);
	cr_expect_str_eq(thing.nick, "1234");
	cr_expect(read_text(COUNT, "-3") && faults.count == 0);
	cr_expect_eq(thing.count, -3);
	cr_expect(read_text(OPEN, "true") && faults.count == 0);
	cr_expect(thing.open);
	cr_expect(read_text(AT, "1970-01-01T00:00:02Z") && faults.count == 0);
	cr_expect_eq(thing.at, 2000);
}

Test(text_fields, takes_an_empty_text_for_absent)
{
	for (int row = NAME; row <= ID; row++) {
		cr_expect_not(read_text(row, ""), "%s", fields[row].name);
		cr_expect_eq(faults.count, 0, "%s", fields[row].name);
	}
	cr_expect_str_eq(thing.name, "before");
	cr_expect_eq(thing.count, 7);
}

Test(text_fields, says_what_is_wrong_in_the_words_of_json)
{
	static const struct {
		int row;
		const char *value;
		const char *json; /* a value that is as wrong there */
	} rows[] = {
		{ NAME, "123456789", "\"123456789\"" },
		{ NICK, "1", "\"1\"" },
		{ COUNT, "10", "10" },
		{ COUNT, "-4", "-4" },
		{ COUNT, "1.5", "1.5" },
		{ COUNT, "x", "\"x\"" },
		{ COUNT, " 1", "\" 1\"" },
		{ COUNT, "+1", "\"+1\"" },
		{ COUNT, "0x1", "\"0x1\"" },
		{ OPEN, "yes", "\"yes\"" },
		{ OPEN, "2", "2" },
		{ OPEN, "true ", "\"true \"" },
		{ AT, "yesterday", "\"yesterday\"" },
		{ ID, "1", "1" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char body[128], words[256];
		snprintf(body, sizeof(body), "{\"name\":\"a\",\"%s\":%s}", fields[rows[i].row].name,
			rows[i].json);
		if (rows[i].row == NAME)
			snprintf(body, sizeof(body), "{\"name\":%s}", rows[i].json);
		reset();
		cr_expect_eq(json_read(body, strlen(body), fields, &thing, NULL, &faults),
			JSON_FAULTY, "%s", body);
		snprintf(words, sizeof(words), "%s", fault());
		cr_expect(read_text(rows[i].row, rows[i].value), "a faulty text is there");
		cr_expect_str_eq(fault(), words, "%s", rows[i].value);
		cr_expect_eq(thing.count, 7, "nothing faulty is stored");
		cr_expect_eq(thing.at, 5);
	}
}

Test(text_fields, refuses_numbers_that_json_cannot_tell)
{
	static const struct json_field big = {
		.name = "count",
		.type = JSON_NUMBER,
		.min = INT64_MIN,
		.max = INT64_MAX,
		.offset = offsetof(struct thing, count),
	};
	static const struct {
		const char *value;
		bool good;
	} rows[] = {
		{ "9007199254740991", true },
		{ "-9007199254740991", true },
		{ "9007199254740992", false },
		{ "-9007199254740992", false },
		{ "9223372036854775808", false },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		reset();
		cr_expect(text_field_read(&big, rows[i].value, &thing, &faults));
		cr_expect_eq(faults.count == 0, rows[i].good, "%s", rows[i].value);
	}
}

Test(text_fields, reads_booleans_as_programs_and_spreadsheets_write_them)
{
	static const struct {
		const char *value;
		bool open;
	} rows[] = {
		{ "true", true },
		{ "True", true },
		{ "TRUE", true },
		{ "1", true },
		{ "false", false },
		{ "False", false },
		{ "FALSE", false },
		{ "0", false },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		reset();
		thing.open = !rows[i].open;
		text_field_read(&fields[OPEN], rows[i].value, &thing, &faults);
		cr_expect_eq(faults.count, 0, "%s", rows[i].value);
		cr_expect_eq(thing.open, rows[i].open, "%s", rows[i].value);
	}
}

Test(text_fields, reads_times_with_an_offset_and_those_of_databases_as_utc)
{
	static const struct {
		const char *value;
		int64_t at; /* 0: a fault */
	} rows[] = {
		{ "2026-01-31T12:00:00Z", 1769860800000 },
		{ "2026-01-31T13:00:00.25+01:00", 1769860800250 },
		{ "2026-01-31 12:00:00Z", 1769860800000 },
		{ "2026-01-31 12:00:00+01:00", 1769857200000 },
		{ "2026-01-31 12:00:00", 1769860800000 },
		{ "2026-01-31 12:00:00.5", 1769860800500 },
		{ "2026-01-31 12:00:00.123456", 1769860800123 },
		{ "2026-01-31T12:00:00", 0 },
		{ "2026-01-31 12:00", 0 },
		{ "2026-01-31 ", 0 },
		{ "2026-01-31", 0 },
		{ "2026-02-30 12:00:00", 0 },
		{ "2026-01-31 12:00:00 ", 0 },
		{ "2026-01-31 12:00:00.", 0 },
		{ "2026-01-31 12:00:00.0000000000000000000000000000000000000000000000000000", 0 },
		{ "1769860800", 0 },
		{ "1970-01-01T00:00:00Z", 0 },
		{ "1970-01-01T01:00:00+01:00", 0 },
		{ "1970-01-01 00:00:00", 0 },
		{ "1970-01-01 00:00:00.001", 1 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		cr_expect(read_text(AT, rows[i].value), "%s", rows[i].value);
		cr_expect_eq(faults.count == 0, rows[i].at != 0, "%s", rows[i].value);
		cr_expect_eq(thing.at, rows[i].at == 0 ? 5 : rows[i].at, "%s: %lld", rows[i].value,
			(long long)thing.at);
	}
}

Test(text_fields, tells_which_required_ones_lack)
{
	reset();
	text_fields_missing(fields, 1u << NAME, &faults);
	cr_expect_eq(faults.count, 0);
	text_fields_missing(fields, ~(1u << NAME), &faults);
	cr_expect_str_eq(fault(), "name is required");
}

static struct text_columns columns;

static struct csv_record record_of(const char *const *cells, size_t count)
{
	return (struct csv_record){
		.number = 1, .line = 1, .lines = 1, .count = count, .cells = cells
	};
}

#define RECORD(...)                                                                                \
	record_of((const char *const[]){ __VA_ARGS__ },                                            \
		sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *))

Test(text_fields, finds_the_row_of_each_column)
{
	struct csv_record header = RECORD("x", "count", "name", "Name", " at", "x");
	reset();
	text_fields_columns(&header, fields, &columns, &faults);
	cr_expect_eq(faults.count, 0);
	cr_expect_eq(columns.count, 6);
	cr_expect_arr_eq(columns.row, ((int[]){ -1, COUNT, NAME, -1, -1, -1 }), 6 * sizeof(int));
}

Test(text_fields, refuses_a_column_that_is_there_twice_or_lacks)
{
	struct csv_record twice = RECORD("name", "count", "count");
	struct csv_record lacks = RECORD("nick", "");
	struct csv_record bad = { .number = 1, .fault = "is not UTF-8" };
	reset();
	text_fields_columns(&twice, fields, &columns, &faults);
	cr_expect_str_eq(fault(), "count is the name of two columns");
	reset();
	text_fields_columns(&lacks, fields, &columns, &faults);
	cr_expect_str_eq(fault(), "name is required");
	reset();
	text_fields_columns(&bad, fields, &columns, &faults);
	cr_expect_str_eq(fault(), "row is not UTF-8");
	cr_expect_eq(columns.count, 0);
}

static bool read_row(struct csv_record record, uint32_t *present)
{
	struct csv_record header = RECORD("count", "x", "name", "open");
	reset();
	text_fields_columns(&header, fields, &columns, &faults);
	return text_fields_read(&record, &columns, fields, &thing, present, &faults);
}

Test(text_fields, reads_a_record_as_json_an_object)
{
	uint32_t present = 0;
	cr_expect(read_row(RECORD("4", "y", "a", "1"), &present));
	cr_expect_eq(present, 1u << COUNT | 1u << NAME | 1u << OPEN);
	cr_expect(thing.count == 4 && thing.open);
	cr_expect_str_eq(thing.name, "a");
	cr_expect_str_eq(thing.nick, "old");
	cr_expect(read_row(RECORD("", "", "b", ""), &present));
	cr_expect_eq(present, 1u << NAME);
	cr_expect_eq(thing.count, 7);
	cr_expect(read_row(RECORD("1", "", "c"), NULL), "cells at the end may lack");
	cr_expect_str_eq(thing.name, "c");
}

Test(text_fields, tells_all_faults_of_a_record_at_once)
{
	uint32_t present = 0;
	cr_expect_not(read_row(RECORD("10", "", "", "maybe", "more"), &present));
	cr_expect_eq(faults.count, 4);
	cr_expect_eq(present, 1u << COUNT | 1u << OPEN, "what is faulty is there");
	cr_expect_not(read_row(RECORD("1", "", "a", "1", ""), NULL));
	cr_expect_str_eq(fault(), "row has more cells than there are columns");
}
