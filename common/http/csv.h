/*
 * csv - comma-separated values (RFC 4180), read as they come in and written cell by cell.
 *
 * A reader takes bytes in pieces of any size, and shows each record once it has ended. However the
 * bytes are cut, the records are the same. It needs the same memory whatever comes (a record and
 * its cells), and each byte costs a constant time.
 *
 * A record is a line: cells between commas. A cell that begins with a quote ends with one; inside,
 * a quote is written twice, and commas and line ends are text. A line ends with CR LF or LF, which
 * the last one may lack. A byte order mark at the very start is skipped, and so are empty lines.
 * Nothing else is: blanks around a cell are the cell's.
 *
 * A record with a fault costs that record only. It is shown with the fault, without cells, and
 * counts like any other. One fault is told of each:
 *
 *     a quote inside a cell that began without one, text after the closing quote, a CR without its
 *         LF outside quotes: from there on nobody knows what is quoted, so the rest of that line is
 *         skipped and reading goes on at the next one;
 *     more than CSV_COLUMNS_MAX cells, more than CSV_RECORD_MAX bytes, a zero byte, not UTF-8: the
 *         record ends where its quotes say, though it is not kept, and reading goes on there;
 *     a quote that is still open when the data end.
 *
 * A quote that somebody forgot to close makes its cell go on to the next quote, mostly one of a
 * later line. There text follows what now is a closing quote: the fault, and the lines from the
 * first to that one are lost as one record. If no quote follows, all the rest is. That is on
 * purpose: what stands in quotes never becomes a record, so a long text that somebody else wrote
 * can't slip rows of its own into an import. `lines` tells how much was lost.
 *
 * Written cells are safe to open in a spreadsheet: a text that begins with = + - @ tab or CR gets
 * a ' before it, which the reader leaves there.
 */
#ifndef HTTP_CSV_H
#define HTTP_CSV_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

enum {
	CSV_COLUMNS_MAX = 64, /* cells of a record */
	CSV_RECORD_MAX =
		64 << 10, /* bytes of its cells without their quotes, and a zero after each */
};

/* Borrowed, for the call. */
struct csv_record {
	size_t number; /* from 1; the line with the names of the columns, if there is one, is 1 */
	size_t line;   /* where it begins, from 1; empty lines and those inside quotes count */
	size_t lines;  /* that it takes; more than 1 if a line end was inside quotes */
	size_t count;  /* of cells, at least 1; 0 if there is a fault */
	const char *const *cells;
	const char *fault; /* in words for whoever sent it, "has a …"; NULL: none */
};

typedef void (*csv_taker)(const struct csv_record *record, void *context);

struct csv_reader;

/* NULL if there is no memory. */
struct csv_reader *csv_reader_new(csv_taker take, void *context);
void csv_reader_free(struct csv_reader *reader);

void csv_feed(struct csv_reader *reader, const char *bytes, size_t len);

/* No more bytes come: shows a last line without its end. The reader is then good for nothing. */
void csv_end(struct csv_reader *reader);

/*
 * These add to a row, with commas between; csv_end_row() ends it. The text must hold whole rows
 * when it is emptied: whether a cell is the first is seen by what stands before it. What does not
 * fit sets csv->cut.
 */
void csv_cell(struct text *csv, const char *value); /* UTF-8; NULL: an empty cell */
void csv_number(struct text *csv, int64_t value);
void csv_end_row(struct text *csv);

#endif
