#include "http/csv.h"

#include <criterion/criterion.h>
#include <string.h>

#include "unit/pieces.h"

#define MARK "\xEF\xBB\xBF"

#define INSIDE   "!has a quote inside a cell that begins without one "
#define AFTER    "!has text after the closing quote of a cell "
#define LONE_CR  "!has a CR without its LF outside quotes "
#define UNCLOSED "!has a quote that is never closed "
#define ZERO     "!has a zero byte "
#define NO_UTF8  "!is not UTF-8 "

/* sizeof knows of the zero bytes inside. */
#define BYTES(literal) literal, sizeof(literal) - 1

static struct text seen;

static void note(const struct csv_record *record, void *context)
{
	(void)context;
	text_add_number(&seen, (int64_t)record->number);
	if (record->fault != NULL)
		text_addf(&seen, "!%s", record->fault);
	for (size_t i = 0; i < record->count; i++)
		text_addf(&seen, "[%s]", record->cells[i]);
	text_add_char(&seen, ' ');
}

static void note_lines(const struct csv_record *record, void *context)
{
	(void)context;
	text_addf(&seen, "%zu@%zu+%zu ", record->number, record->line, record->lines);
}

static void feed(const char *bytes, size_t len, void *context)
{
	csv_feed(context, bytes, len);
}

/* What is read of the bytes, cut in one way. */
static const char *records(const char *bytes, size_t len, uint32_t kind, csv_taker take)
{
	struct csv_reader *reader = csv_reader_new(take, NULL);
	text_free(&seen);
	seen = text_growing(1 << 20);
	text_add(&seen, "");
	feed_pieces(bytes, len, kind, feed, reader);
	csv_end(reader);
	csv_reader_free(reader);
	cr_assert_not(seen.cut);
	return seen.data;
}

static void expect_records(const char *bytes, size_t len, const char *expected)
{
	for (uint32_t kind = 0; kind < PIECES_KINDS; kind++)
		cr_expect_str_eq(records(bytes, len, kind, note), expected, "%s: cut by %u: %s",
			bytes, kind, seen.data);
	text_free(&seen);
}

Test(csv, reads_cells_lines_and_quotes)
{
	static const struct {
		const char *bytes;
		const char *records;
	} rows[] = {
		{ "", "" },
		{ "\n\r\n\n", "" },
		{ MARK, "" },
		{ "a,b\r\nc,d\r\n", "1[a][b] 2[c][d] " },
		{ "a,b\nc,d", "1[a][b] 2[c][d] " },
		{ "a\n\n\r\nb\n", "1[a] 2[b] " },
		{ "a\r\n\"b\"\r\n", "1[a] 2[b] " },
		{ ",", "1[][] " },
		{ ",,\n,", "1[][][] 2[][] " },
		{ "\"\"", "1[] " },
		{ "\"\"\n\"\",\"\"\n", "1[] 2[][] " },
		{ " \n a , b ", "1[ ] 2[ a ][ b ] " },
		{ "\"a\"\"b\",\"\"\"\"", "1[a\"b][\"] " },
		{ "\"a,b\r\n\nc\"\r\nd", "1[a,b\r\n\nc] 2[d] " },
		{ "\"\r\"", "1[\r] " },
		{ MARK "a,b", "1[a][b] " },
		{ MARK "\"a,b\",c", "1[a,b][c] " },
		{ MARK "\r\na", "1[a] " },
		{ MARK MARK "a", "1[" MARK "a] " },
		{ "a\n" MARK "b", "1[a] 2[" MARK "b] " },
		{ "\u00fc,\u20ac,\U0001F600", "1[\u00fc][\u20ac][\U0001F600] " },
		{ "'=1,-1", "1['=1][-1] " },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		expect_records(rows[i].bytes, strlen(rows[i].bytes), rows[i].records);
}

Test(csv, goes_on_after_a_record_with_a_fault)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *records;
	} rows[] = {
		{ BYTES("a\"b,c\nd"), "1" INSIDE "2[d] " },
		{ BYTES("a,b\"\nc\"\nd"), "1" INSIDE "2" INSIDE "3[d] " },
		{ BYTES(" \"a\"\nb"), "1" INSIDE "2[b] " },
		{ BYTES("\"a\"b,c\nd"), "1" AFTER "2[d] " },
		{ BYTES("\"a\" ,b\nc"), "1" AFTER "2[c] " },
		{ BYTES("\"a\"\"\"b\"\nc"), "1" AFTER "2[c] " },
		{ BYTES("a\rb\nc"), "1" LONE_CR "2[c] " },
		{ BYTES("\ra\nb"), "1" LONE_CR "2[b] " },
		{ BYTES("\"a\"\rb\nc"), "1" LONE_CR "2[c] " },
		{ BYTES("a\r\r\nb"), "1" LONE_CR "2[b] " },
		{ BYTES("a,\r,b\r\nb"), "1" LONE_CR "2[b] " },
		{ BYTES("a\nb\r"), "1[a] 2" LONE_CR },
		{ BYTES("\r"), "1" LONE_CR },
		{ BYTES("a\0b\nc"), "1" ZERO "2[c] " },
		{ BYTES("\0\nc"), "1" ZERO "2[c] " },
		{ BYTES("a,\"\0\n\"\nc"), "1" ZERO "2[c] " },
		{ BYTES("\xff,b\nc"), "1" NO_UTF8 "2[c] " },
		{ BYTES("a\xc3\n\xbc"), "1" NO_UTF8 "2" NO_UTF8 },
		{ BYTES("\xc3,\xbc\nc"), "1" NO_UTF8 "2[c] " },
		{ BYTES("a\n\xed\xa0\x80"), "1[a] 2" NO_UTF8 },
		{ BYTES("\xEF"), "1" NO_UTF8 },
		{ BYTES("\xEF\xBB\na"), "1" NO_UTF8 "2[a] " },
		{ BYTES("\xEF\xBB\"\na"), "1" INSIDE "2[a] " },
		{ BYTES("\""), "1" UNCLOSED },
		{ BYTES("a\nb,\"c\nd\ne\n"), "1[a] 2" UNCLOSED },
		{ BYTES("a,\"b\"\""), "1" UNCLOSED },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		expect_records(rows[i].bytes, rows[i].len, rows[i].records);
}

Test(csv, loses_no_more_by_a_forgotten_quote_than_up_to_the_line_of_the_next)
{
	static const char bytes[] = "1,\"a\n2,b\n3,\"c\"\n4,d\n5,\"e\"\n";
	expect_records(bytes, strlen(bytes), "1" AFTER "2[4][d] 3[5][e] ");
}

Test(csv, never_takes_for_a_record_what_stands_in_quotes)
{
	static const char good[] = "1,\"x\n2,evil\n\"\n3,y";
	static const char broken[] = "1,\"x\n2,evil\n\"x\n3,y";
	expect_records(good, strlen(good), "1[1][x\n2,evil\n] 2[3][y] ");
	expect_records(broken, strlen(broken), "1" AFTER "2[3][y] ");
}

Test(csv, tells_where_a_record_is_and_how_many_lines_it_takes)
{
	static const struct {
		const char *bytes;
		const char *lines;
	} rows[] = {
		{ "a\nb\r\nc", "1@1+1 2@2+1 3@3+1 " },
		{ "\n\r\na", "1@3+1 " },
		{ "a\n\n\"b\n\nc\"\n\nd", "1@1+1 2@3+3 3@7+1 " },
		{ "\"a\nb\n\"c\nd", "1@1+3 2@4+1 " },
		{ "\"a\nb", "1@1+2 " },
		{ "a\rb\nc", "1@1+1 2@2+1 " },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		for (uint32_t kind = 0; kind < PIECES_KINDS; kind++)
			cr_expect_str_eq(
				records(rows[i].bytes, strlen(rows[i].bytes), kind, note_lines),
				rows[i].lines, "%s: %s", rows[i].bytes, seen.data);
	}
	text_free(&seen);
}

Test(csv, takes_64_cells_and_skips_a_record_with_more_to_its_end)
{
	char most[256], more[256], expected[512];
	struct text good = text_fixed(most, sizeof(most)), bad = text_fixed(more, sizeof(more));
	struct text cells = text_fixed(expected, sizeof(expected));
	text_add(&cells, "1");
	for (int i = 0; i < CSV_COLUMNS_MAX; i++) {
		text_add(&good, i == 0 ? "x" : ",x");
		text_add(&bad, "x,");
		text_add(&cells, "[x]");
	}
	text_add(&good, "\nnext");
	text_add(&bad, "\"a\nb\",c\nnext");
	text_add(&cells, " 2[next] ");
	expect_records(good.data, good.len, cells.data);
	expect_records(bad.data, bad.len, "1!has more than 64 cells 2[next] ");
}

/* before, then one cell of that many bytes, then after. */
static struct text around(const char *before, size_t len, const char *after)
{
	struct text bytes = text_growing(1 << 20);
	text_add(&bytes, before);
	for (size_t i = 0; i < len; i++)
		text_add_char(&bytes, i % 80 == 79 ? ' ' : 'x');
	text_add(&bytes, after);
	return bytes;
}

static size_t longest;

static void note_longest(const struct csv_record *record, void *context)
{
	note(record, context);
	text_clear(&seen);
	if (record->count > 0 && strlen(record->cells[0]) > longest)
		longest = strlen(record->cells[0]);
}

Test(csv, takes_64_KiB_with_the_zeros)
{
	struct text bytes = around("", CSV_RECORD_MAX - 3, ",y\n");
	for (uint32_t kind = 0; kind < PIECES_KINDS; kind++) {
		longest = 0;
		records(bytes.data, bytes.len, kind, note_longest);
		cr_expect_eq(longest, CSV_RECORD_MAX - 3, "%zu", longest);
	}
	text_free(&bytes);
	text_free(&seen);
}

Test(csv, skips_a_record_that_is_too_long_to_where_its_quotes_say)
{
	static const struct {
		const char *before;
		size_t len;
		const char *after;
		const char *records;
	} rows[] = {
		{ "", CSV_RECORD_MAX, "\nb", "1!has more than 64 KiB 2[b] " },
		{ "", CSV_RECORD_MAX - 2, ",y\nb", "1!has more than 64 KiB 2[b] " },
		{ "a,", CSV_RECORD_MAX - 2, "\nb", "1!has more than 64 KiB 2[b] " },
		{ "\"", 200000, "\nb\n\",c\nd", "1!has more than 64 KiB 2[d] " },
		{ "", 200000, "\"\nb\n", "1!has more than 64 KiB 2[b] " },
		{ "\"", 200000, "\"x\"\nb\n", "1!has more than 64 KiB 2[b] " },
		{ "\"", 200000, "\nb\nc", "1" UNCLOSED },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct text bytes = around(rows[i].before, rows[i].len, rows[i].after);
		for (uint32_t kind = 0; kind < PIECES_KINDS; kind++)
			cr_expect_str_eq(records(bytes.data, bytes.len, kind, note),
				rows[i].records, "%zu: %s", i, seen.data);
		text_free(&bytes);
	}
	text_free(&seen);
}

Test(csv, writes_quotes_where_they_are_needed_and_no_formulas)
{
	static const struct {
		const char *value;
		const char *cell;
	} rows[] = {
		{ NULL, "" },
		{ "", "" },
		{ "a b", "a b" },
		{ "a,b", "\"a,b\"" },
		{ "\"", "\"\"\"\"" },
		{ "a\"b\"", "\"a\"\"b\"\"\"" },
		{ "a\nb", "\"a\nb\"" },
		{ "a\rb", "\"a\rb\"" },
		{ "=1+1", "'=1+1" },
		{ "+1", "'+1" },
		{ "-1", "'-1" },
		{ "@a", "'@a" },
		{ "\ta", "'\ta" },
		{ "\ra", "\"'\ra\"" },
		{ "=\"a\",1", "\"'=\"\"a\"\",1\"" },
		{ "a=1", "a=1" },
		{ "'a", "'a" },
		{ "\u00fc", "\u00fc" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char memory[64], expected[64];
		struct text csv = text_fixed(memory, sizeof(memory));
		struct text row = text_fixed(expected, sizeof(expected));
		csv_cell(&csv, "x");
		csv_cell(&csv, rows[i].value);
		csv_cell(&csv, "y");
		csv_end_row(&csv);
		text_addf(&row, "x,%s,y\r\n", rows[i].cell);
		cr_expect_str_eq(csv.data, row.data, "%s", csv.data);
	}
}

Test(csv, writes_rows_that_are_read_as_they_were)
{
	struct text csv = text_growing(1024);
	csv_cell(&csv, "");
	csv_number(&csv, -5);
	csv_end_row(&csv);
	csv_cell(&csv, NULL);
	csv_end_row(&csv);
	csv_number(&csv, INT64_MIN);
	csv_cell(&csv, "");
	csv_end_row(&csv);
	csv_cell(&csv, "\n");
	csv_cell(&csv, "a\r\n");
	csv_end_row(&csv);
	cr_expect_str_eq(
		csv.data, "\"\",-5\r\n\"\"\r\n-9223372036854775808,\r\n\"\n\",\"a\r\n\"\r\n");
	expect_records(csv.data, csv.len, "1[][-5] 2[] 3[-9223372036854775808][] 4[\n][a\r\n] ");
	text_free(&csv);
}

Test(csv, tells_that_a_row_did_not_fit)
{
	char memory[8];
	struct text csv = text_fixed(memory, sizeof(memory));
	csv_cell(&csv, "abc");
	cr_expect_not(csv.cut);
	csv_cell(&csv, "de,f");
	cr_expect(csv.cut);
}
