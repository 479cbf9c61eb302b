/*
 * A byte that says how to cut, then CSV: however it is cut, the same records are read. Written
 * anew, they are read as they were, but for the ' before formulas.
 */
#include <stdbool.h>

#include "base/text.h"
#include "fuzz/fuzz.h"
#include "http/csv.h"
#include "unit/pieces.h"

enum { NOTES_MAX = 1 << 20 };

/* Each record as it was read, and the good ones as they are written and shall be read. */
struct notes {
	struct text records;
	struct text written;
	struct text expected;
	size_t number;
	size_t line; /* the first that the next record may begin in */
};

static bool is_guarded(const char *cell)
{
	return *cell != '\0' && strchr("=+-@\t\r", *cell) != NULL;
}

static void write_record(struct notes *notes, const struct csv_record *record)
{
	for (size_t i = 0; i < record->count; i++) {
		const char *cell = record->cells[i];
		csv_cell(&notes->written, cell);
		text_addf(&notes->expected, "[%s%s]", is_guarded(cell) ? "'" : "", cell);
	}
	csv_end_row(&notes->written);
	text_add_char(&notes->expected, '\n');
}

static void note(const struct csv_record *record, void *context)
{
	struct notes *notes = context;
	FUZZ_CHECK(record->number == ++notes->number);
	FUZZ_CHECK(record->line >= notes->line && record->lines >= 1);
	FUZZ_CHECK(record->count <= CSV_COLUMNS_MAX);
	FUZZ_CHECK((record->count == 0) == (record->fault != NULL));
	notes->line = record->line + record->lines;
	for (size_t i = 0; i < record->count; i++) {
		FUZZ_CHECK(text_is_utf8(record->cells[i], strlen(record->cells[i])));
		text_addf(&notes->records, "[%s]", record->cells[i]);
	}
	text_addf(&notes->records, "%s\n", record->fault != NULL ? record->fault : "");
	if (record->fault == NULL)
		write_record(notes, record);
}

static void feed(const char *bytes, size_t len, void *context)
{
	csv_feed(context, bytes, len);
}

static struct notes read_all(const char *bytes, size_t len, uint32_t kind)
{
	struct notes notes = {
		.records = text_growing(NOTES_MAX),
		.written = text_growing(NOTES_MAX),
		.expected = text_growing(NOTES_MAX),
		.line = 1,
	};
	struct csv_reader *reader = csv_reader_new(note, &notes);
	FUZZ_CHECK(reader != NULL);
	text_add(&notes.records, "");
	text_add(&notes.expected, "");
	feed_pieces(bytes, len, kind, feed, reader);
	csv_end(reader);
	csv_reader_free(reader);
	FUZZ_CHECK(!notes.records.cut && !notes.written.cut);
	return notes;
}

static void notes_free(struct notes *notes)
{
	text_free(&notes->records);
	text_free(&notes->written);
	text_free(&notes->expected);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	const char *bytes = (const char *)data + 1;
	struct notes whole = read_all(bytes, size - 1, PIECES_WHOLE);
	struct notes cut = read_all(bytes, size - 1, 1 + data[0]);
	FUZZ_CHECK(strcmp(whole.records.data, cut.records.data) == 0);
	struct text again = text_growing(NOTES_MAX);
	text_add(&again, "\r\n"); /* a byte order mark in the first cell is text */
	if (whole.written.len > 0)
		text_add_bytes(&again, whole.written.data, whole.written.len);
	struct notes reread = read_all(again.data, again.len, 1 + data[0]);
	FUZZ_CHECK(strcmp(whole.expected.data, reread.records.data) == 0);
	text_free(&again);
	notes_free(&whole);
	notes_free(&cut);
	notes_free(&reread);
	return 0;
}
