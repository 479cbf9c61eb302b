#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "domain/blocklist.h"
#include "domain/blocklist_private.h"

enum { LINE_ROOM = 1024, BAD_LINES_SAID = 10 };

struct line {
	char bytes[LINE_ROOM];
	size_t len;
	int64_t number;
};

const char *blocklist_read_host(const char *bytes, size_t len, struct target_host *host)
{
	char bracketed[LINE_ROOM + 2];
	const char *colon = memchr(bytes, ':', len);
	bool bare = colon != NULL && bytes[0] != '[' && len <= LINE_ROOM &&
		    memchr(colon + 1, ':', len - (size_t)(colon + 1 - bytes)) != NULL;
	if (!bare)
		return target_host_read(bytes, len, host);
	bracketed[0] = '[';
	memcpy(bracketed + 1, bytes, len);
	bracketed[len + 1] = ']';
	return target_host_read(bracketed, len + 2, host);
}

/* False at the end of the file. Of a line that is too long the first LINE_ROOM bytes. */
static bool read_line(FILE *file, struct line *line)
{
	int c;
	line->number++;
	line->len = 0;
	while ((c = getc_unlocked(file)) != EOF && c != '\n')
		if (line->len < LINE_ROOM)
			line->bytes[line->len++] = (char)c;
	return c != EOF || line->len > 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* What a line holds without its comment and the blanks around it; false if that is nothing. */
static bool find_text(const struct line *line, const char **begin, size_t *len)
{
	const char *from = line->bytes;
	const char *comment = memchr(from, '#', line->len);
	const char *end = comment == NULL ? from + line->len : comment;
	while (from < end && is_blank(*from))
		from++;
	while (end > from && is_blank(end[-1]))
		end--;
	*begin = from;
	*len = (size_t)(end - from);
	return *len > 0;
}

/* A file of another kind has many: the first ones are enough to see that. */
static void skip_line(struct blocklist *list, const struct line *line, const char *why)
{
	struct log_line said;
	if (++list->bad_lines > BAD_LINES_SAID)
		return;
	log_begin(&said, LOG_WARNING, "blocklist_line_skipped");
	log_field_number(&said, "line", line->number);
	log_field(&said, "error", why);
	log_end(&said);
}

static const char *add_line(struct blocklist *list, const struct line *line)
{
	struct target_host host;
	const char *begin, *refusal;
	size_t len;
	if (line->len == LINE_ROOM)
		refusal = "must be at most 1023 bytes long";
	else if (!find_text(line, &begin, &len))
		return NULL;
	else
		refusal = blocklist_read_host(begin, len, &host);
	if (refusal == NULL)
		return blocklist_add(list, &host);
	skip_line(list, line, refusal);
	return NULL;
}

const char *blocklist_read(struct blocklist *list, FILE *file)
{
	struct line line = { .number = 0 };
	const char *fault = NULL;
	while (fault == NULL && read_line(file, &line))
		fault = add_line(list, &line);
	if (fault == NULL && ferror(file))
		fault = strerrordesc_np(errno);
	return fault;
}
