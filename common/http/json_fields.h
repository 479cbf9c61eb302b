/*
 * json_fields - reads a JSON object into a C struct by a table of fields; or walks through one that
 * no table describes.
 *
 * All faults are reported at once, one per field, in words. Unknown members are ignored; a member
 * marked `refused` may not be written by the caller. Member names match exactly, case included.
 * A member that is null counts as absent. What is JSON but no object, has a key twice, or is beyond
 * the limits of json_check.h is one fault, of the field `body`. Where bytes of an object are counted,
 * 1e300 has the 301 that PostgreSQL will write.
 */
#ifndef HTTP_JSON_FIELDS_H
#define HTTP_JSON_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/http.h"

#define JSON_NUMBER_END INT64_C(9007199254740992) /* 2^53: above it a double skips numbers */
#define JSON_NUMBER_MAX (JSON_NUMBER_END - 1)

enum json_type {
	JSON_TEXT,    /* to a char array of max + 1 bytes; min and max count bytes of UTF-8 */
	JSON_NUMBER,  /* to an int64_t; a whole number from min to max, below 2^53 */
	JSON_BOOLEAN, /* to a bool */
	JSON_TIME,    /* to an int64_t, milliseconds since 1970, not 0; RFC 3339 with an offset */
	JSON_TEXTS,   /* to a struct json_texts; an array of texts, whose bytes min and max count */
	JSON_OBJECT, /* to a char array of max + 1 bytes: the object as JSON; max counts its bytes */
	JSON_REFUSED, /* known, but not the caller's to write */
	JSON_IGNORED  /* known, and passed over */
};

enum { JSON_TEXTS_MAX = 32, JSON_TEXTS_BYTES = 63 };

/* What an array of texts holds; doubles are left out. */
struct json_texts {
	unsigned count;
	char list[JSON_TEXTS_MAX][JSON_TEXTS_BYTES + 1];
};

struct json_field {
	const char *name;
	enum json_type type;
	bool required;
	int64_t min;
	int64_t max;
	size_t offset; /* offsetof the member of the struct */
};

enum json_result {
	JSON_OK,
	JSON_INVALID, /* not a JSON document */
	JSON_FAULTY   /* a JSON document, but faults->count of its fields are wrong, or all of it */
};

/* What reading a text shares with json_read(): copies a text that is within the limits, or adds a
 * fault; and adds the fault of a value that its type does not allow. */
void json_field_copy(
	const struct json_field *field, const char *value, char *into, struct http_faults *faults);
void json_field_refuse(const struct json_field *field, struct http_faults *faults);

/* A time after the begin of 1970: that very moment is 0, which means "none" to all who read it.
 * False, and *into as it was, for anything else. */
__attribute__((warn_unused_result)) bool json_field_time(const char *value, int64_t *into);

/* One text more, unless it is there already; NULL, or what is wrong with it. */
const char *json_texts_add(
	const struct json_field *field, const char *value, size_t len, struct json_texts *texts);

/* An object in a text of its own, for a field of the type JSON_OBJECT. */
void json_field_object(
	const struct json_field *field, const char *value, char *into, struct http_faults *faults);

/*
 * body need not end with a zero. fields ends with a row whose name is NULL. Members that are absent
 * leave the struct as it was: set the defaults before. *present gets bit i for each row i that the
 * body had (not null); may be NULL.
 */
__attribute__((warn_unused_result)) enum json_result json_read(const char *body, size_t len,
	const struct json_field *fields, void *into, uint32_t *present, struct http_faults *faults);

/* The same for a change, where null takes a value away: *cleared gets the bits of those members. */
__attribute__((warn_unused_result)) enum json_result json_read_change(const char *body, size_t len,
	const struct json_field *fields, void *into, uint32_t *present, uint32_t *cleared,
	struct http_faults *faults);

/* One value of a document that is a text, a number or a list, and where: "embeds.0.title". */
struct json_leaf {
	const char *path;  /* borrowed, for the call */
	const char *text;  /* NULL if it is none */
	double number;     /* of a number, else 0 */
	size_t list_count; /* of a list, else 0 */
};

enum { JSON_PATH_MAX = 160 }; /* bytes with the zero; what lies deeper is not shown */

typedef void (*json_visitor)(const struct json_leaf *leaf, void *context);

/* Shows all of them in the order of the document, a list before what is in it; none of one that is
 * not JSON_OK. */
__attribute__((warn_unused_result)) enum json_result json_walk(const char *body, size_t len,
	json_visitor visit, void *context, struct http_faults *faults);

#endif
