/*
 * json_check - whether bytes are exactly one JSON document, before any parser sees them.
 *
 * RFC 8259 to the letter, in UTF-8, without a byte order mark or half of a surrogate pair. Some
 * documents are valid but beyond what we take: nesting deeper than JSON_CHECK_DEPTH, numbers longer
 * than JSON_CHECK_NUMBER bytes (cJSON reads no more), \u0000 (it would end a C string early).
 * What nests deeper than JSON_CHECK_RECURSION is not looked at and counts as invalid.
 * Whether a key comes twice is not looked at here.
 */
#ifndef HTTP_JSON_CHECK_H
#define HTTP_JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>

enum { JSON_CHECK_DEPTH = 16, JSON_CHECK_NUMBER = 62, JSON_CHECK_RECURSION = 1000 };

enum json_verdict { JSON_IS_INVALID, JSON_IS_BEYOND_US, JSON_IS_GOOD };

/* bytes need not end with a zero. */
enum json_verdict json_judge(const char *bytes, size_t len);

/* Whether the verdict is good. */
bool json_check(const char *bytes, size_t len);

#endif
