/*
 * json_check - whether bytes are exactly one JSON document, before any parser sees them.
 *
 * RFC 8259 to the letter, in UTF-8, and narrower where the RFC lets a receiver set limits: nesting
 * at most JSON_CHECK_DEPTH, numbers at most JSON_CHECK_NUMBER bytes (cJSON reads no more), no byte
 * order mark, no \u0000 (it would end a C string early) and no half of a surrogate pair.
 * Whether a key comes twice is not looked at here.
 */
#ifndef HTTP_JSON_CHECK_H
#define HTTP_JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>

enum { JSON_CHECK_DEPTH = 16, JSON_CHECK_NUMBER = 62 };

/* bytes need not end with a zero. */
bool json_check(const char *bytes, size_t len);

#endif
