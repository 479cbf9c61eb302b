#include "service/api_call.h"

#include <criterion/criterion.h>
#include <libpq-fe.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"

enum { SECRET = 32 /* bytes */ };

static struct exchange *exchange;
static const char *caller;
static const char *unread; /* of the body of a call of bulk */

void api_begin(void)
{
	setenv("LINKSHRINK_RATE_CREATE", "0", 1);
	setenv("LINKSHRINK_RATE_API", "0", 1);
	setenv("LINKSHRINK_DATABASE_DEADLINE_MS", "1500", 1);
}

void api_end(void)
{
	if (exchange != NULL)
		exchange_free(exchange);
	exchange = NULL;
}

static char *run_sql(const char *sql)
{
	PGconn *session = PQconnectdb(getenv("LINKSHRINK_TEST_OWNER_URL"));
	PGresult *answer = PQexec(session, sql);
	static char value[256];
	ExecStatusType status = PQresultStatus(answer);
	cr_assert(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK, "%s: %s", sql,
		PQerrorMessage(session));
	snprintf(value, sizeof(value), "%s", PQntuples(answer) > 0 ? PQgetvalue(answer, 0, 0) : "");
	PQclear(answer);
	PQfinish(session);
	return value;
}

void api_sql(const char *format, ...)
{
	char sql[4096];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(sql, sizeof(sql), format, arguments);
	va_end(arguments);
	(void)run_sql(sql);
}

int64_t api_sql_number(const char *format, ...)
{
	char sql[4096];
	int64_t number = 0;
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(sql, sizeof(sql), format, arguments);
	va_end(arguments);
	cr_assert(text_to_number(run_sql(sql), INT64_MIN, INT64_MAX, &number), "%s", sql);
	return number;
}

int64_t api_user(void)
{
	char name[17];
	random_hex(name, 8);
	return api_sql_number(
		"INSERT INTO users (username, email) VALUES ('u%s', '%s@example.org') "
		"RETURNING id",
		name, name);
}

const char *api_key(int64_t owner, const char *scopes)
{
	static char tokens[16][128];
	static unsigned next;
	char secret[2 * SECRET + 1];
	char *token = tokens[next++ % 16];
	random_hex(secret, SECRET);
	if (strcmp(scopes, "*") == 0)
		scopes = "links:write,links:read,users:admin,events:write,stats:read,keys:admin,"
			 "ops:read";
	int64_t id = api_sql_number(
		"INSERT INTO api_keys (name, hash, scopes, owner) VALUES ('test', sha256('%s'), "
		"string_to_array('%s', ','), nullif(%lld, 0)) RETURNING id",
		secret, scopes, (long long)owner);
	snprintf(token, 128, "Bearer ls_%lld_%s", (long long)id, secret);
	return token;
}

void api_as(const char *authorization)
{
	caller = authorization;
}

static void prepare(enum http_method method, const char *path)
{
	static char memory[1024];
	api_end();
	snprintf(memory, sizeof(memory), "%s", path);
	char *query = strchr(memory, '?');
	if (query != NULL)
		*query++ = '\0';
	exchange = exchange_new(method, memory);
	exchange->req.query = query != NULL ? query : "";
	exchange->req.authorization = caller != NULL ? caller : "";
}

int api_call_if(enum http_method method, const char *path, const char *json, const char *tag)
{
	prepare(method, path);
	exchange->req.if_match = tag;
	if (json != NULL)
		exchange_body(exchange, json);
	return exchange_run(exchange, &api_service);
}

int api_call(enum http_method method, const char *path, const char *json)
{
	return api_call_if(method, path, json, "");
}

/* In pieces of an odd size, as a network would. */
static size_t read_piece(void *from, char *to, size_t room)
{
	size_t len = strnlen(unread, room < 7 ? room : 7);
	(void)from;
	memcpy(to, unread, len);
	unread += len;
	return len;
}

int api_send(const char *path, const char *content_type, const char *body)
{
	prepare(HTTP_POST, path);
	unread = body;
	exchange->req.content_type = content_type;
	exchange->req.body_len = strlen(body);
	exchange->req.read = read_piece;
	return exchange_run(exchange, &bulk_service);
}

bool api_says(const char *text)
{
	return exchange_says(exchange, text);
}

const char *api_body(void)
{
	return exchange->res.body.data;
}

const char *api_header(const char *name)
{
	return exchange_header(exchange, name);
}

static const char *find(const char *member)
{
	char start[64];
	snprintf(start, sizeof(start), "\"%s\":", member);
	const char *found = strstr(exchange->res.body.data, start);
	cr_assert_not_null(found, "%s in %s", member, exchange->res.body.data);
	return found + strlen(start);
}

int64_t api_number(const char *member)
{
	const char *value = find(member);
	return strncmp(value, "null", 4) == 0 ? -1 : strtoll(value, NULL, 10);
}

const char *api_text(const char *member)
{
	static char values[4][4096];
	static unsigned next;
	char *text = values[next++ % 4];
	const char *value = find(member);
	size_t len = *value == '"' ? strcspn(value + 1, "\"") : 0;
	memcpy(text, value + 1, len);
	text[len] = '\0';
	return text;
}

int64_t api_link(const char *more)
{
	char json[1024], path[17];
	random_hex(path, 8);
	snprintf(json, sizeof(json), "{\"original_url\":\"https://example.com/%s\"%s}", path, more);
	cr_assert_eq(api_call(HTTP_POST, "/urls", json), 201, "%s", api_body());
	return api_number("id");
}
