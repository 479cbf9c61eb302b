/*
 * log - one JSON object a line, at most 4 KiB, one write(2) each, so that lines of several
 * processes never mix in a file opened for appending.
 *
 * Logging never blocks a request and never fails it: a line that cannot be written is counted
 * (log_lost) and gone. A field that does not fit is left out and "cut":true says so. Every byte
 * below 0x20 is escaped. Secrets never come here: see apikey.h.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR, LOG_LEVEL_COUNT };

enum { LOG_LINE_MAX = 4096 };

struct log_line {
	char bytes[LOG_LINE_MAX];
	struct text text;
	enum log_level level;
	bool cut; /* a field was left out */
};

/*
 * Opens the log of this process. component: the program's name, borrowed for ever.
 * path: a file to append to, or "" for standard error. False (and errno) if it cannot be opened;
 * lines then go to standard error.
 */
bool log_open(const char *component, const char *path, enum log_level least);

/* Opens the file again if its path now leads to another file (after a rotation). Call now and then. */
void log_reopen_if_moved(void);

void log_close(void);

/* A line is begun, given fields, and ended, by one thread. A NULL value leaves the field out. */
void log_begin(struct log_line *line, enum log_level level, const char *event);
void log_field(struct log_line *line, const char *key, const char *value);
void log_field_number(struct log_line *line, const char *key, int64_t value);
void log_end(struct log_line *line);

/*
 * From now on every line of this thread names the request and the trace that it is about; NULL ends
 * that. Both are borrowed until then.
 */
void log_set_request(const char *request_id, const char *trace_id);

/* A whole line with one field, "error". */
void log_event(enum log_level level, const char *event, const char *error);

/* "debug", "info", "warning", "error" and back; LOG_LEVEL_COUNT for any other word. */
const char *log_level_name(enum log_level level);
enum log_level log_level_from(const char *name);

#endif
