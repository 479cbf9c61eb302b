/*
 * click_line - whether a line of a segment is a record as domain/click.h describes it, judged by
 * nothing of ours but the checksum.
 */
#ifndef UNIT_CLICK_LINE_H
#define UNIT_CLICK_LINE_H

#include <regex.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "domain/click.h"

#define CLICK_LINE_PATTERN                                                                         \
	"^[0-9a-f]{8}\t[0-9]{1,19}\t[0-9]{1,19}\t[0-9]{3}\t"                                       \
	"(\\\\N|[a-z0-9.-]+|\\[[0-9a-f:.]+\\])\t[a-z-]+\t[a-z]+\t(-|b|p|bp)\t"                     \
	"(\\\\N|[0-9.]+\\.0/24|[0-9a-f:]*::/48)\t-?[0-9]{1,19}$"

/* line: without its newline. */
static inline bool click_line_is_record(const char *line)
{
	static regex_t pattern;
	static bool compiled;
	if (!compiled)
		compiled = regcomp(&pattern, CLICK_LINE_PATTERN, REG_EXTENDED | REG_NOSUB) == 0;
	return compiled && strlen(line) < CLICK_LINE_MAX &&
	       regexec(&pattern, line, 0, NULL, 0) == 0 &&
	       strtoul(line, NULL, 16) == crc32c(line + 9, strlen(line + 9));
}

#endif
