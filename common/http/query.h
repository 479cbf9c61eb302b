/*
 * query - the parameters of a query string: percent and plus decoding, strict.
 * What is malformed (bad percent, a zero byte, not UTF-8) does not exist, but to query_read().
 */
#ifndef HTTP_QUERY_H
#define HTTP_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/http.h"
#include "http/json_fields.h"

enum { QUERY_VALUE_MAX = 2048 /* bytes of a value that query_read() takes, decoded */ };

/* Copies the first value of name, decoded; false when absent, malformed or longer than room. */
bool query_find(const char *query, const char *name, char *value, size_t room);

/* Whether a parameter of this name is there at all, whatever its value. */
bool query_has(const char *query, const char *name);

/*
 * Reads all parameters that the table names, the first of each name, as text_fields.h says. One
 * that is malformed, or longer than QUERY_VALUE_MAX, is a fault of its field, and so is a required
 * one that is absent or empty. Others that are leave the struct as it was: set the defaults before.
 * *present gets bit i for each row i that the query had; may be NULL. False if faults were added.
 */
__attribute__((warn_unused_result)) bool query_read(const char *query,
	const struct json_field *fields, void *into, uint32_t *present, struct http_faults *faults);

#endif
