/*
 * api_call - calls of the programs api and bulk in this process, by callers with keys of their own.
 * A test that cannot be set up fails; nothing here returns an error.
 */
#ifndef TESTS_SERVICE_API_CALL_H
#define TESTS_SERVICE_API_CALL_H

#include "service/exchange.h"

extern const struct service api_service, bulk_service;

/* Settings without limits of rates, for TestSuite(.init) and (.fini). */
void api_begin(void);
void api_end(void);

/* A new user; the id. */
int64_t api_user(void);

/* A new key with these scopes ("links:read,links:write", "*" for all) of a user, 0 for none: what the
 * Authorization header says. */
const char *api_key(int64_t owner, const char *scopes);

/* The following calls are by this key; NULL for none. */
void api_as(const char *authorization);

/* A call; path may have a query, json may be NULL. The status. */
int api_call(enum http_method method, const char *path, const char *json);

/* The same with If-Match. */
int api_call_if(enum http_method method, const char *path, const char *json, const char *tag);

/* Rows for the program bulk. */
int api_send(const char *path, const char *content_type, const char *body);

/* The answer to the last call. */
bool api_says(const char *text);
const char *api_body(void);
const char *api_header(const char *name);
int64_t api_number(const char *member); /* the first one of that name; -1 for null */
const char *api_text(const char *member);

/* A link of the caller's; its id. */
int64_t api_link(const char *more); /* further members, such as ",\"title\":\"T\"" */

/* SQL as the owner of the database. */
void api_sql(const char *format, ...) __attribute__((format(printf, 1, 2)));
int64_t api_sql_number(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
