/*
 * member - members of the objects that the API shows, where 0 means that there is none.
 */
#ifndef SERVICE_MEMBER_H
#define SERVICE_MEMBER_H

#include "http/json_write.h"

/* A moment, in milliseconds since 1970, or null for 0. */
void member_time(struct json_writer *json, const char *key, int64_t wall_ms);

/* A number, or null for 0. */
void member_number_or_null(struct json_writer *json, const char *key, int64_t number);

#endif
