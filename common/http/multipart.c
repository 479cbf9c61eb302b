#include "http/multipart.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

#define FILE_NAME "file"

enum {
	LINE_LEN = 2,      /* CR LF, which a boundary begins with */
	DELIMITER_LEN = 4, /* CR LF and two dashes */
	NAME_ROOM = 64     /* a longer name is none of ours */
};

enum state {
	IN_TEXT,     /* of a part, or what stands before the first */
	AT_BOUNDARY, /* right after it */
	AT_DASH,     /* after the first of the two dashes that make it the last one */
	AT_BLANKS,   /* after a boundary */
	AT_CR,       /* at the end of its line */
	IN_HEADERS,
	AT_END, /* after the last boundary */
	IN_FAULT
};

struct multipart_reader {
	multipart_taker take;
	void *context;
	enum state state;
	const char *fault;
	bool found;   /* a part with our name began */
	bool passing; /* it is the last one that began */
	char delimiter[DELIMITER_LEN + MULTIPART_BOUNDARY_MAX + 1];
	size_t delimiter_len;
	size_t matched; /* bytes of the delimiter that are the last that came */
	size_t lent;    /* those of them that came before the text began */
	size_t headers_len;
	char headers[MULTIPART_HEADERS_MAX + 1];
};

/* What the headers of a part say. */
struct part {
	bool named; /* a Content-Disposition of form-data has a name */
	bool ours;
	bool encoded;
	unsigned dispositions;
};

static const char *skip_blanks(const char *at)
{
	return at + strspn(at, " \t");
}

/* Adds a value, quoted or not, and returns what stands after it; NULL if its quote isn't closed. */
static const char *read_value(const char *at, struct text *value)
{
	if (*at != '"') {
		size_t len = strcspn(at, "; \t\"");
		text_add_bytes(value, at, len);
		return at + len;
	}
	for (at++; *at != '"'; at++) {
		if (*at == '\\' && (at[1] == '"' || at[1] == '\\'))
			at++; /* others stand for themselves: old browsers send C:\names */
		if (*at == '\0')
			return NULL;
		text_add_char(value, *at);
	}
	return at + 1;
}

/* The parameter of "type; name=value; …", empty if it does not fit; false if there is no good one. */
static bool find_parameter(const char *header, const char *name, char *into, size_t room)
{
	const char *at = header + strcspn(header, ";");
	while (*at == ';') {
		struct text value = text_fixed(into, room);
		at = skip_blanks(at + 1);
		size_t len = strcspn(at, "=; \t\"");
		bool wanted = len == strlen(name) && strncasecmp(at, name, len) == 0;
		if (at[len] != '=')
			return false;
		at = read_value(at + len + 1, &value);
		if (at == NULL)
			return false;
		if (value.cut)
			text_clear(&value);
		if (wanted)
			return true;
		at = skip_blanks(at);
	}
	return false;
}

/* Whether this is what a header says before its parameters. */
static bool says(const char *header, const char *what)
{
	size_t len = strlen(what);
	return strncasecmp(header, what, len) == 0 && strchr("; \t", header[len]) != NULL;
}

bool multipart_boundary(const char *content_type, char boundary[MULTIPART_BOUNDARY_MAX + 1])
{
	static const char allowed[] = "0123456789abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ'()+_,-./:=? ";
	if (!says(content_type, "multipart/form-data") ||
		!find_parameter(content_type, "boundary", boundary, MULTIPART_BOUNDARY_MAX + 1))
		return false;
	size_t len = strlen(boundary);
	return len > 0 && strspn(boundary, allowed) == len && boundary[len - 1] != ' ';
}

/* The text begins at the begin of a line: a boundary may follow at once. */
static void begin_text(struct multipart_reader *reader)
{
	reader->state = IN_TEXT;
	reader->matched = reader->lent = LINE_LEN;
}

struct multipart_reader *multipart_reader_new(
	const char *boundary, multipart_taker take, void *context)
{
	struct multipart_reader *reader = calloc(1, sizeof(*reader));
	if (reader == NULL)
		return NULL;
	reader->take = take;
	reader->context = context;
	struct text delimiter = text_fixed(reader->delimiter, sizeof(reader->delimiter));
	text_add(&delimiter, "\r\n--");
	text_add(&delimiter, boundary);
	reader->delimiter_len = delimiter.len;
	begin_text(reader);
	return reader;
}

void multipart_reader_free(struct multipart_reader *reader)
{
	free(reader);
}

static void fail(struct multipart_reader *reader, const char *why)
{
	reader->state = IN_FAULT;
	reader->fault = why;
}

static void pass(struct multipart_reader *reader, const char *bytes, size_t len)
{
	if (reader->passing && len > 0)
		reader->take(bytes, len, reader->context);
}

/* Takes text up to a CR, or a byte of what may be a boundary; returns how many bytes it took. */
static size_t take_text(struct multipart_reader *reader, const char *bytes, size_t len)
{
	if (reader->matched == 0) {
		const char *cr = memchr(bytes, '\r', len);
		size_t run = cr == NULL ? len : (size_t)(cr - bytes);
		pass(reader, bytes, run);
		reader->matched = cr != NULL;
		return run + reader->matched;
	}
	if (*bytes == reader->delimiter[reader->matched]) {
		if (++reader->matched == reader->delimiter_len)
			reader->state = AT_BOUNDARY;
		return 1;
	}
	/* It is text. No boundary begins inside it: its only CR is the first byte. */
	pass(reader, reader->delimiter + reader->lent, reader->matched - reader->lent);
	reader->matched = reader->lent = 0;
	return 0;
}

static void take_after_boundary(struct multipart_reader *reader, char c)
{
	if (c == '-' && reader->state == AT_BOUNDARY)
		reader->state = AT_DASH;
	else if (c == ' ' || c == '\t')
		reader->state = AT_BLANKS;
	else if (c == '\r')
		reader->state = AT_CR;
	else
		fail(reader, "has something else than blanks after a boundary");
}

static const char *header_value(const char *line, const char *name)
{
	size_t len = strlen(name);
	if (strncasecmp(line, name, len) != 0 || line[len] != ':')
		return NULL;
	return skip_blanks(line + len + 1);
}

static void read_header(const char *line, struct part *part)
{
	char name[NAME_ROOM];
	const char *disposition = header_value(line, "Content-Disposition");
	const char *encoding = header_value(line, "Content-Transfer-Encoding");
	if (disposition != NULL) {
		part->dispositions++;
		part->named = says(disposition, "form-data") &&
			      find_parameter(disposition, "name", name, sizeof(name));
		part->ours = part->named && strcmp(name, FILE_NAME) == 0;
	}
	if (encoding != NULL)
		part->encoded = !says(encoding, "7bit") && !says(encoding, "8bit") &&
				!says(encoding, "binary");
}

/* Joins lines that are one header: the next begins with a blank. */
static void unfold(char *headers)
{
	for (char *end = headers; (end = strstr(end, "\r\n")) != NULL; end += LINE_LEN) {
		if (end[LINE_LEN] == ' ' || end[LINE_LEN] == '\t')
			end[0] = end[1] = ' ';
	}
}

/* Each line ends with CR LF, the last one is empty. */
static struct part read_headers(char *headers)
{
	struct part part = { 0 };
	unfold(headers);
	for (char *end; (end = strstr(headers, "\r\n")) != NULL; headers = end + LINE_LEN) {
		*end = '\0';
		read_header(headers, &part);
	}
	return part;
}

static void begin_part(struct multipart_reader *reader)
{
	struct part part = read_headers(reader->headers);
	begin_text(reader);
	if (part.dispositions != 1 || !part.named)
		fail(reader, "has a part without a Content-Disposition of form-data with a name");
	else if (part.ours && part.encoded)
		fail(reader, "has a file with a Content-Transfer-Encoding");
	else if (part.ours && reader->found)
		fail(reader, "has a second file");
	else
		reader->passing = part.ours;
	reader->found = reader->found || part.ours;
}

/* Whether the last line is empty. */
static bool headers_end(const char *headers, size_t len)
{
	if (len < 4)
		return len == LINE_LEN && memcmp(headers, "\r\n", LINE_LEN) == 0;
	return memcmp(headers + len - 4, "\r\n\r\n", 4) == 0;
}

static void take_header(struct multipart_reader *reader, char c)
{
	if (c == '\0') {
		fail(reader, "has a zero byte in a header");
		return;
	}
	if (reader->headers_len == MULTIPART_HEADERS_MAX) {
		fail(reader, "has a part with more than 8 KiB of headers");
		return;
	}
	reader->headers[reader->headers_len++] = c;
	if (!headers_end(reader->headers, reader->headers_len))
		return;
	reader->headers[reader->headers_len] = '\0';
	begin_part(reader);
}

static void take_byte(struct multipart_reader *reader, char c)
{
	switch (reader->state) {
	case AT_BOUNDARY:
	case AT_BLANKS: take_after_boundary(reader, c); break;
	case AT_DASH:
		reader->state = AT_END;
		if (c != '-')
			fail(reader, "has one dash after a boundary");
		break;
	case AT_CR:
		reader->state = IN_HEADERS;
		reader->headers_len = 0;
		if (c != '\n')
			fail(reader, "has a CR without its LF after a boundary");
		break;
	case IN_HEADERS: take_header(reader, c); break;
	case IN_TEXT:
	case AT_END:
	case IN_FAULT: break;
	}
}

void multipart_feed(struct multipart_reader *reader, const char *bytes, size_t len)
{
	while (len > 0 && reader->state != AT_END && reader->state != IN_FAULT) {
		size_t taken = 1;
		if (reader->state == IN_TEXT)
			taken = take_text(reader, bytes, len);
		else
			take_byte(reader, *bytes);
		bytes += taken;
		len -= taken;
	}
}

enum multipart_result multipart_end(struct multipart_reader *reader)
{
	if (reader->state != AT_END && reader->state != IN_FAULT)
		fail(reader, "ends before its last boundary");
	if (reader->state == IN_FAULT)
		return MULTIPART_MALFORMED;
	return reader->found ? MULTIPART_WHOLE : MULTIPART_NO_FILE;
}

const char *multipart_fault(const struct multipart_reader *reader)
{
	return reader->fault;
}
