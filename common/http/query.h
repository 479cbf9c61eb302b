/*
 * query - the parameters of a query string: percent and plus decoding, strict.
 * A parameter that is malformed (bad percent, a zero byte, not UTF-8) does not exist.
 */
#ifndef HTTP_QUERY_H
#define HTTP_QUERY_H

#include <stdbool.h>
#include <stddef.h>

/* Copies the first value of name, decoded; false when absent, malformed or longer than room. */
bool query_find(const char *query, const char *name, char *value, size_t room);

/* Whether a parameter of this name is there at all, whatever its value. */
bool query_has(const char *query, const char *name);

#endif
