/*
 * json_array - the elements of a JSON array, one by one, as its bytes come in.
 *
 * A reader takes bytes in pieces of any size and shows the bytes of each element once it has ended,
 * for json_read() to judge: here only strings and brackets are looked at, to find where it ends.
 * It needs the same memory whatever comes (one element), and each byte costs a constant time.
 *
 * An element ends at the next comma or ] outside its strings and brackets. Which kind of bracket
 * closes which is not looked at, and one that closes what nobody opened, but for the ] of the
 * array, belongs to the element. So an element that is wrong within its own bounds, as {"a":}, {]
 * or {}}, costs that element only. One that forgets to close a string or a bracket has no bounds:
 * what follows becomes part of it, until quotes and brackets happen to match. At worst that is all
 * the rest, of which at most JSON_ELEMENT_MAX bytes are kept; then the end of the data shows that
 * it is no JSON array. What stands in the strings of a good element never becomes an element.
 */
#ifndef HTTP_JSON_ARRAY_H
#define HTTP_JSON_ARRAY_H

#include <stdbool.h>
#include <stddef.h>

enum { JSON_ELEMENT_MAX = 64 << 10 /* bytes of an element, blanks behind it included */ };

/* Borrowed, for the call. */
struct json_element {
	size_t number; /* from 1 */
	const char *
		bytes; /* without blanks before it, not ended by a zero; NULL if there is a fault */
	size_t len;    /* at least 1; 0 if there is a fault */
	const char *fault; /* in words for whoever sent it, "is longer than …"; NULL: none */
};

typedef void (*json_element_taker)(const struct json_element *element, void *context);

struct json_array;

/* NULL if there is no memory. */
struct json_array *json_array_new(json_element_taker take, void *context);
void json_array_free(struct json_array *array);

/* False as soon as it is certain that this is no JSON array: not [, elements with commas between
 * them, ], and blanks around. No more elements are shown then. */
bool json_array_feed(struct json_array *array, const char *bytes, size_t len);

/* No more bytes come. Whether it was a JSON array, whatever is inside its elements. */
__attribute__((warn_unused_result)) bool json_array_end(struct json_array *array);

#endif
