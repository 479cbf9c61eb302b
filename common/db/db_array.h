/*
 * db_array - arrays as parameters of statements, for unnest(): one value more, then the end.
 */
#ifndef DB_DB_ARRAY_H
#define DB_DB_ARRAY_H

#include <stdint.h>

#include "base/text.h"

/* The array begins with the first value; what does not fit sets array->cut. */
void db_array_text(struct text *array, const char *value);
void db_array_number(struct text *array, int64_t value);

/* Ends it, also an empty one, and gives the parameter; borrowed from array. */
const char *db_array_end(struct text *array);

#endif
