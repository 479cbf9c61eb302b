/*
 * log_tail - the newest lines of a log file of log.h, read from its end.
 *
 * Newest first, as they stand in the file (lines of two processes may be a moment out of order), and
 * on into the rotated file beside it, <path>.1. Bounded: a fixed buffer, at most LOG_TAIL_BYTES
 * read. What is no whole line of JSON as log.h writes it (torn by a full disk, or somebody else's)
 * is left out.
 */
#ifndef SERVICE_LOG_TAIL_H
#define SERVICE_LOG_TAIL_H

#include <stdbool.h>

#include "base/log.h"
#include "base/text.h"

enum { LOG_TAIL_BYTES = 16 << 20, LOG_TAIL_LINES_MAX = 1000 };

struct log_filter {
	unsigned limit;         /* lines at most, up to LOG_TAIL_LINES_MAX */
	enum log_level least;   /* this level and worse */
	const char *request_id; /* borrowed; only lines of this request, "" for all */
};

/*
 * Appends the lines to `to`, with commas between them, as long as they leave `reserve` bytes of its
 * limit. *complete is false when older lines that nobody looked at may match. False (and errno) if
 * the file cannot be read.
 */
__attribute__((warn_unused_result)) bool log_tail(const char *path, const struct log_filter *filter,
	struct text *to, size_t reserve, bool *complete);

#endif
