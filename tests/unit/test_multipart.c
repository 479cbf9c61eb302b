#include "http/multipart.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "unit/pieces.h"

#define FORM(name) "--B\r\nContent-Disposition: form-data; name=" name "\r\n\r\n"
#define FILE_PART  FORM("file")
#define NOTE_PART  FORM("note") "hello\r\n"
#define END        "\r\n--B--\r\n"

#define WHOLE        " whole"
#define NO_FILE      " no file"
#define UNENDED      " ends before its last boundary"
#define NO_NAME      " has a part without a Content-Disposition of form-data with a name"
#define SECOND       " has a second file"
#define NO_BLANKS    " has something else than blanks after a boundary"
#define ENCODED      " has a file with a Content-Transfer-Encoding"
#define LONG_HEADERS " has a part with more than 8 KiB of headers"

static struct text seen;

static void note(const char *bytes, size_t len, void *context)
{
	(void)context;
	cr_expect_gt(len, 0);
	text_add_bytes(&seen, bytes, len);
}

static void feed(const char *bytes, size_t len, void *context)
{
	multipart_feed(context, bytes, len);
}

/* The bytes of the file, then how it ended. */
static const char *file_of(const char *body, size_t len, uint32_t kind)
{
	struct multipart_reader *reader = multipart_reader_new("B", note, NULL);
	text_free(&seen);
	seen = text_growing(1 << 20);
	feed_pieces(body, len, kind, feed, reader);
	switch (multipart_end(reader)) {
	case MULTIPART_WHOLE: text_add(&seen, WHOLE); break;
	case MULTIPART_NO_FILE: text_add(&seen, NO_FILE); break;
	case MULTIPART_MALFORMED: text_addf(&seen, " %s", multipart_fault(reader)); break;
	}
	multipart_reader_free(reader);
	return seen.data;
}

static void expect_file(const char *body, const char *expected)
{
	for (uint32_t kind = 0; kind < PIECES_KINDS; kind++)
		cr_expect_str_eq(file_of(body, strlen(body), kind), expected, "%s: cut by %u: %s",
			body, kind, seen.data);
	text_free(&seen);
}

struct row {
	const char *body;
	const char *file;
};

static void expect_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		expect_file(rows[i].body, rows[i].file);
}

#define EXPECT_ROWS(rows) expect_rows(rows, sizeof(rows) / sizeof(*rows))

Test(multipart, passes_on_the_bytes_of_the_file_and_nothing_else)
{
	static const struct row rows[] = {
		{ FILE_PART "a,b\r\nc,d\r\n" END, "a,b\r\nc,d\r\n" WHOLE },
		{ "before\r\n" FILE_PART "a" END "after\r\n" FILE_PART, "a" WHOLE },
		{ "\r\n" FILE_PART "a" END, "a" WHOLE },
		{ NOTE_PART FILE_PART "a\r\n" NOTE_PART "--B--", "a" WHOLE },
		{ FILE_PART "a\r\n--B--", "a" WHOLE },
		{ FILE_PART "a\r\n--B-- \tx", "a" WHOLE },
		{ "x--B\r\n" FILE_PART "a" END, "a" WHOLE },
		{ FILE_PART END, WHOLE },
		{ FILE_PART "--B--", WHOLE },
	};
	EXPECT_ROWS(rows);
}

Test(multipart, takes_for_a_boundary_only_a_whole_one_at_the_begin_of_a_line)
{
	static const struct row rows[] = {
		{ FILE_PART "a--B--" END, "a--B--" WHOLE },
		{ FILE_PART "a\n--B--" END, "a\n--B--" WHOLE },
		{ FILE_PART "\r\n-\r\n--\r\n--A\r\n" END, "\r\n-\r\n--\r\n--A\r\n" WHOLE },
		{ FILE_PART "\r\r\n\n\r\n\r" END, "\r\r\n\n\r\n\r" WHOLE },
		{ FILE_PART "-x" END, "-x" WHOLE },
		{ FILE_PART "--\r\n--b" END, "--\r\n--b" WHOLE },
		{ FILE_PART "\r\n-\r" END, "\r\n-\r" WHOLE },
		{ FILE_PART "\n--B--" END, "\n--B--" WHOLE },
	};
	EXPECT_ROWS(rows);
}

Test(multipart, reads_headers_however_they_are_written)
{
	static const struct row rows[] = {
		{ FORM("\"file\"; filename=\"a.csv\"") "a" END, "a" WHOLE },
		{ "--B \t\r\nCONTENT-DISPOSITION:FORM-DATA;NAME=file\r\n\r\na" END, "a" WHOLE },
		{ "--B\r\nContent-Type: text/csv\r\ncontent-disposition: \tform-data ; name=file"
		  "\r\nX: y\r\n\r\na" END,
			"a" WHOLE },
		{ "--B\r\nContent-Disposition: form-data;\r\n\tname=file\r\n\r\na" END, "a" WHOLE },
		{ "--B\r\nContent-Disposition: form-data; filename=\"x; \\\"\\\\;name=y\"; "
		  "name=file\r\n\r\na" END,
			"a" WHOLE },
		{ FORM("file; filename=\"C:\\temp\\a.csv\"") "a" END, "a" WHOLE },
		{ FORM("\"fi\\le\"") "a" END, NO_FILE },
		{ FORM("\"file \"") "a" END, NO_FILE },
		{ FORM("File") "a" END, NO_FILE },
		{ FORM("\"\"") "a" END, NO_FILE },
		{ FORM("note; filename=file") "a" END, NO_FILE },
		{ "--B--", NO_FILE },
		{ "--B\r\nContent-Disposition: form-data; name=file\r\n"
		  "Content-Transfer-Encoding: 8BIT\r\n\r\na" END,
			"a" WHOLE },
		{ "--B\r\nContent-Disposition: form-data; name=note\r\n"
		  "Content-Transfer-Encoding: base64\r\n\r\na\r\n" FILE_PART "b" END,
			"b" WHOLE },
	};
	EXPECT_ROWS(rows);
}

Test(multipart, says_what_is_malformed)
{
	static const struct row rows[] = {
		{ "", UNENDED },
		{ "--B", UNENDED },
		{ "--B-", UNENDED },
		{ FILE_PART "a\r\n--B", "a" UNENDED },
		{ FILE_PART "a\r\n--", "a" UNENDED },
		{ "--B\r\nContent-Disposition: form-data; name=file\r\n", UNENDED },
		{ "--B\nContent-Disposition: form-data; name=file\n\na\n--B--\n", NO_BLANKS },
		{ "--Bx\r\n", NO_BLANKS },
		{ "--B -", NO_BLANKS },
		{ FILE_PART "a\r\n--Bx\r\nb" END, "a" NO_BLANKS },
		{ "--B-x", " has one dash after a boundary" },
		{ "--B\rx", " has a CR without its LF after a boundary" },
		{ FILE_PART "a\r\n" FILE_PART "b" END, "a" SECOND },
		{ FILE_PART "a\r\n" NOTE_PART FORM("\"file\"") "b" END, "a" SECOND },
		{ "--B\r\n\r\na" END, NO_NAME },
		{ "--B\r\nContent-Type: text/csv\r\n\r\na" END, NO_NAME },
		{ "--B\r\nContent-Disposition: form-data\r\n\r\na" END, NO_NAME },
		{ "--B\r\nContent-Disposition: attachment; name=file\r\n\r\na" END, NO_NAME },
		{ "--B\r\nContent-Disposition : form-data; name=file\r\n\r\na" END, NO_NAME },
		{ "--B\r\nContent-Disposition: form-data; name=\"file\r\n\r\na" END, NO_NAME },
		{ "--B\r\nContent-Disposition: form-data; x; name=file\r\n\r\na" END, NO_NAME },
		{ "--B\r\nContent-Disposition: form-data; name=a\r\n"
		  "Content-Disposition: form-data; name=file\r\n\r\na" END,
			NO_NAME },
		{ "--B\r\nContent-Disposition: form-data; name=file\r\n"
		  "Content-Transfer-Encoding: base64\r\n\r\na" END,
			ENCODED },
	};
	EXPECT_ROWS(rows);
}

Test(multipart, refuses_a_zero_byte_in_a_header)
{
	static const char body[] =
		"--B\r\nContent-Disposition: form-data; name=file\0\r\n\r\na" END;
	for (uint32_t kind = 0; kind < PIECES_KINDS; kind++)
		cr_expect_str_eq(file_of(body, sizeof(body) - 1, kind),
			" has a zero byte in a header", "%s", seen.data);
	text_free(&seen);
}

Test(multipart, passes_zero_bytes_on)
{
	static const char body[] = FILE_PART "a\0b" END;
	for (uint32_t kind = 0; kind < PIECES_KINDS; kind++) {
		file_of(body, sizeof(body) - 1, kind);
		cr_expect_eq(seen.len, 3 + strlen(WHOLE));
		cr_expect_arr_eq(seen.data, "a\0b" WHOLE, seen.len);
	}
	text_free(&seen);
}

/* A part whose headers have that many bytes, with the empty line at their end. */
static struct text part_of(size_t headers)
{
	static const char begin[] = "Content-Disposition: form-data; name=file\r\nX: ";
	struct text body = text_growing(64 << 10);
	text_add(&body, "--B\r\n");
	text_add(&body, begin);
	for (size_t i = strlen(begin) + 4; i < headers; i++)
		text_add_char(&body, 'x');
	text_add(&body, "\r\n\r\na" END);
	return body;
}

Test(multipart, takes_8_KiB_of_headers)
{
	struct text most = part_of(MULTIPART_HEADERS_MAX),
		    more = part_of(MULTIPART_HEADERS_MAX + 1);
	expect_file(most.data, "a" WHOLE);
	expect_file(more.data, LONG_HEADERS);
	text_free(&most);
	text_free(&more);
}

Test(multipart, skips_a_part_whose_name_is_longer_than_any_of_ours)
{
	struct text body = text_growing(4096);
	text_add(&body, "--B\r\nContent-Disposition: form-data; name=");
	for (int i = 0; i < 500; i++)
		text_add(&body, "file");
	text_add(&body, "\r\n\r\na\r\n" FILE_PART "b" END);
	expect_file(body.data, "b" WHOLE);
	text_free(&body);
}

Test(multipart, finds_the_boundary_in_a_content_type)
{
	static const char longest[] =
		"0123456789012345678901234567890123456789012345678901234567890123456789";
	static const struct {
		const char *content_type;
		const char *boundary; /* NULL: it tells none */
	} rows[] = {
		{ "multipart/form-data; boundary=----WebKitFormBoundaryA1",
			"----WebKitFormBoundaryA1" },
		{ "Multipart/Form-Data;BOUNDARY=a", "a" },
		{ "multipart/form-data ; charset=utf-8 ; boundary=\"a b:'()+_,-./=?\" ; x=y",
			"a b:'()+_,-./=?" },
		{ "multipart/form-data; boundary=a; boundary=b", "a" },
		{ "multipart/form-data; boundary="
		  "0123456789012345678901234567890123456789012345678901234567890123456789",
			longest },
		{ "multipart/form-data; boundary="
		  "0123456789012345678901234567890123456789012345678901234567890123456789a",
			NULL },
		{ "multipart/form-data; boundary=\""
		  "0123456789012345678901234567890123456789012345678901234567890123456789a\"",
			NULL },
		{ "", NULL },
		{ "text/csv; boundary=a", NULL },
		{ "multipart/mixed; boundary=a", NULL },
		{ "multipart/form-datax; boundary=a", NULL },
		{ "multipart/form-data", NULL },
		{ "multipart/form-data; boundary", NULL },
		{ "multipart/form-data; boundary=", NULL },
		{ "multipart/form-data; boundary=\"\"", NULL },
		{ "multipart/form-data; boundary=\"a", NULL },
		{ "multipart/form-data; boundary=\"a\\", NULL },
		{ "multipart/form-data; boundary=\"a \"", NULL },
		{ "multipart/form-data; boundary=\"a\r\nb\"", NULL },
		{ "multipart/form-data; boundary=a*b", NULL },
		{ "multipart/form-data; boundary=\u00fc", NULL },
		{ "multipart/form-data, boundary=a", NULL },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char boundary[MULTIPART_BOUNDARY_MAX + 1];
		bool found = multipart_boundary(rows[i].content_type, boundary);
		cr_expect_eq(found, rows[i].boundary != NULL, "%s", rows[i].content_type);
		if (found && rows[i].boundary != NULL)
			cr_expect_str_eq(boundary, rows[i].boundary, "%s", boundary);
	}
}

Test(multipart, finds_the_longest_boundary_wherever_the_bytes_are_cut)
{
	char boundary[MULTIPART_BOUNDARY_MAX + 1] = { 0 };
	char body[512];
	memset(boundary, '-', MULTIPART_BOUNDARY_MAX);
	int len = snprintf(body, sizeof(body),
		"--%s\r\nContent-Disposition: form-data; name=file\r\n\r\n\r\n%s\r\n--%s--",
		boundary, boundary, boundary);
	for (int cut = 0; cut <= len; cut++) {
		struct multipart_reader *reader = multipart_reader_new(boundary, note, NULL);
		text_free(&seen);
		seen = text_growing(1024);
		multipart_feed(reader, body, (size_t)cut);
		multipart_feed(reader, body + cut, (size_t)(len - cut));
		cr_expect_eq(multipart_end(reader), MULTIPART_WHOLE);
		cr_expect_eq(seen.len, 2 + MULTIPART_BOUNDARY_MAX, "%zu", seen.len);
		multipart_reader_free(reader);
	}
	text_free(&seen);
}
