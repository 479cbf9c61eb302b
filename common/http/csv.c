#include "http/csv.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MARK "\xEF\xBB\xBF" /* U+FEFF, the byte order mark */

enum { MARK_LEN = sizeof(MARK) - 1 };

enum state {
	AT_BEGIN, /* of a cell */
	IN_PLAIN, /* a cell without quotes */
	IN_QUOTES,
	AT_QUOTE, /* after a quote inside quotes: the last one, or the first of two */
	AT_CR,    /* after a CR outside quotes */
	IN_LOST   /* the rest of a line of which nobody knows what is quoted */
};

struct csv_reader {
	csv_taker take;
	void *context;
	enum state state;
	size_t mark;   /* bytes of the byte order mark that came; MARK_LEN once it is settled */
	size_t number; /* of the last record shown */
	size_t ends;   /* of lines so far */
	size_t first;  /* `ends` when the record began */
	bool begun;    /* the line is not empty */
	const char *fault;
	size_t count; /* of cells that have ended */
	size_t cell;  /* where the next one begins */
	size_t used;
	const char *cells[CSV_COLUMNS_MAX];
	char bytes[CSV_RECORD_MAX]; /* of the cells, without their quotes, each ended by a zero */
};

struct csv_reader *csv_reader_new(csv_taker take, void *context)
{
	struct csv_reader *reader = calloc(1, sizeof(*reader));
	if (reader != NULL) {
		reader->take = take;
		reader->context = context;
	}
	return reader;
}

void csv_reader_free(struct csv_reader *reader)
{
	free(reader);
}

static void keep(struct csv_reader *reader, const char *bytes, size_t len)
{
	if (reader->fault != NULL)
		return;
	if (len > sizeof(reader->bytes) - reader->used) {
		reader->fault = "has more than 64 KiB";
		return;
	}
	memcpy(reader->bytes + reader->used, bytes, len);
	reader->used += len;
}

static void end_cell(struct csv_reader *reader)
{
	reader->state = AT_BEGIN;
	if (reader->fault == NULL && reader->count == CSV_COLUMNS_MAX)
		reader->fault = "has more than 64 cells";
	keep(reader, "", 1);
	if (reader->fault != NULL)
		return;
	reader->cells[reader->count++] = reader->bytes + reader->cell;
	reader->cell = reader->used;
}

/* What is wrong with the bytes of a record whose quotes are good; NULL if nothing is. */
static const char *judge(const struct csv_reader *reader)
{
	size_t len = 0;
	for (size_t i = 0; i < reader->count; i++)
		len += strlen(reader->cells[i]) + 1;
	if (len != reader->used)
		return "has a zero byte";
	return text_is_utf8(reader->bytes, reader->used) ? NULL : "is not UTF-8";
}

/* Shows the record, which has ended with line `last`, and makes ready for the next. */
static void end_record(struct csv_reader *reader, size_t last)
{
	end_cell(reader);
	if (reader->fault == NULL)
		reader->fault = judge(reader);
	const struct csv_record record = {
		.number = ++reader->number,
		.line = reader->first + 1,
		.lines = last - reader->first,
		.count = reader->fault == NULL ? reader->count : 0,
		.cells = reader->cells,
		.fault = reader->fault,
	};
	reader->take(&record, reader->context);
	reader->begun = false;
	reader->fault = NULL;
	reader->count = reader->cell = reader->used = 0;
}

static void end_line(struct csv_reader *reader)
{
	reader->ends++;
	if (reader->begun)
		end_record(reader, reader->ends);
	reader->state = AT_BEGIN;
	reader->first = reader->ends;
}

static void lose_line(struct csv_reader *reader, const char *why)
{
	reader->state = IN_LOST;
	reader->begun = true;
	if (reader->fault == NULL)
		reader->fault = why;
}

static void take_plain(struct csv_reader *reader, char c)
{
	switch (c) {
	case ',':
		reader->begun = true;
		end_cell(reader);
		break;
	case '\n': end_line(reader); break;
	case '\r': reader->state = AT_CR; break;
	case '"': lose_line(reader, "has a quote inside a cell that begins without one"); break;
	default:
		reader->begun = true;
		reader->state = IN_PLAIN;
		keep(reader, &c, 1);
		break;
	}
}

static void take_quoted(struct csv_reader *reader, char c)
{
	if (c == '"') {
		reader->state = AT_QUOTE;
		return;
	}
	if (c == '\n')
		reader->ends++;
	keep(reader, &c, 1);
}

static void take_after_quote(struct csv_reader *reader, char c)
{
	switch (c) {
	case '"':
		reader->state = IN_QUOTES;
		keep(reader, &c, 1);
		break;
	case ',': end_cell(reader); break;
	case '\n': end_line(reader); break;
	case '\r': reader->state = AT_CR; break;
	default: lose_line(reader, "has text after the closing quote of a cell"); break;
	}
}

static void take_byte(struct csv_reader *reader, char c)
{
	switch (reader->state) {
	case AT_BEGIN:
		if (c != '"') {
			take_plain(reader, c);
			break;
		}
		reader->begun = true;
		reader->state = IN_QUOTES;
		break;
	case IN_PLAIN: take_plain(reader, c); break;
	case IN_QUOTES: take_quoted(reader, c); break;
	case AT_QUOTE: take_after_quote(reader, c); break;
	case AT_CR:
		if (c == '\n')
			end_line(reader);
		else
			lose_line(reader, "has a CR without its LF outside quotes");
		break;
	case IN_LOST:
		if (c == '\n')
			end_line(reader);
		break;
	}
}

/* How many of the bytes are nothing but text where the reader is: they are taken at once. */
static size_t text_run(enum state state, const char *bytes, size_t len)
{
	static const bool stops[2][256] = {
		{ [','] = true, ['"'] = true, ['\r'] = true, ['\n'] = true },
		{ ['"'] = true, ['\n'] = true },
	};
	size_t run = 0;
	if (state != IN_PLAIN && state != IN_QUOTES)
		return 0;
	while (run < len && !stops[state == IN_QUOTES][(unsigned char)bytes[run]])
		run++;
	return run;
}

static void take_bytes(struct csv_reader *reader, const char *bytes, size_t len)
{
	while (len > 0) {
		size_t run = text_run(reader->state, bytes, len);
		if (run > 0)
			keep(reader, bytes, run);
		else
			take_byte(reader, bytes[run++]);
		bytes += run;
		len -= run;
	}
}

/* It was no byte order mark: what looked like one is text. */
static void settle_mark(struct csv_reader *reader)
{
	size_t came = reader->mark;
	reader->mark = MARK_LEN;
	if (came < MARK_LEN)
		take_bytes(reader, MARK, came);
}

void csv_feed(struct csv_reader *reader, const char *bytes, size_t len)
{
	while (len > 0 && reader->mark < MARK_LEN && *bytes == MARK[reader->mark]) {
		reader->mark++;
		bytes++;
		len--;
	}
	if (len == 0)
		return;
	settle_mark(reader);
	take_bytes(reader, bytes, len);
}

void csv_end(struct csv_reader *reader)
{
	settle_mark(reader);
	if (reader->state == AT_CR)
		take_byte(reader, '\0'); /* anything but an LF */
	if (reader->state == IN_QUOTES)
		reader->fault = "has a quote that is never closed";
	if (reader->begun)
		end_record(reader, reader->ends + 1);
}

/* Each row that is not new has something in it: see csv_cell(). */
static void begin_cell(struct text *csv)
{
	if (csv->len > 0 && csv->data[csv->len - 1] != '\n')
		text_add_char(csv, ',');
}

static void add_quoted(struct text *csv, const char *guard, const char *value)
{
	text_add_char(csv, '"');
	text_add(csv, guard);
	for (const char *quote; (quote = strchr(value, '"')) != NULL; value = quote + 1) {
		text_add_bytes(csv, value, (size_t)(quote - value));
		text_add(csv, "\"\"");
	}
	text_add(csv, value);
	text_add_char(csv, '"');
}

void csv_cell(struct text *csv, const char *value)
{
	size_t before = csv->len;
	begin_cell(csv);
	if (value == NULL)
		value = "";
	/* An empty one that is the first needs quotes too, or the row would still look new. */
	bool first = csv->len == before;
	const char *guard = *value != '\0' && strchr("=+-@\t\r", *value) != NULL ? "'" : "";
	if (strpbrk(value, ",\"\r\n") != NULL || (first && *value == '\0')) {
		add_quoted(csv, guard, value);
	} else {
		text_add(csv, guard);
		text_add(csv, value);
	}
}

void csv_number(struct text *csv, int64_t value)
{
	begin_cell(csv);
	text_add_number(csv, value);
}

void csv_end_row(struct text *csv)
{
	text_add(csv, "\r\n");
}
