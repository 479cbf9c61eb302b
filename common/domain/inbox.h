/*
 * inbox - what arrived where a webhook of Discord would be, in the directory LINKSHRINK_INBOX.
 *
 * messages.jsonl has a line for each message, whatever was answered:
 *   {"received":"2026-11-24T04:00:00.123Z","path":"/discord","status":204,"payload":{…}}
 * Each is one write to the end of the file, mode 0640; at INBOX_FILE_MAX the file becomes
 * messages.jsonl.1, and the one before goes. The file `behave` says how to behave.
 */
#ifndef DOMAIN_INBOX_H
#define DOMAIN_INBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { INBOX_FILE_MAX = 64 << 20, INBOX_TAIL_MAX = 400 << 10 };

/* The first word of `behave`: 429, 500 or hang; anything else, or no file, is kind. */
enum inbox_mood { INBOX_KIND, INBOX_LIMITS, INBOX_FAILS, INBOX_HANGS };
enum inbox_mood inbox_mood(void);

/* Keeps a message. payload is JSON if is_json, else any bytes, which are kept as a text; status 0
 * means that nothing was answered. False (and errno) if it could not be kept. */
__attribute__((warn_unused_result)) bool inbox_keep(
	const char *path, int status, const char *payload, size_t len, bool is_json);

/* The last lines, INBOX_TAIL_MAX bytes of them at most, whole, the oldest first. The caller frees
 * it; NULL (and *len 0) if there are none. */
char *inbox_tail(size_t *len);

/* Remembers that the heartbeat came, and when it did last: milliseconds since 1970, 0: never. */
void inbox_beat(void);
int64_t inbox_last_beat(void);

#endif
