#include "http/http.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "http/json_write.h"

static const struct {
	const char *name;
	enum http_method method;
} methods[] = {
	{ "GET", HTTP_GET },
	{ "HEAD", HTTP_HEAD },
	{ "POST", HTTP_POST },
	{ "PUT", HTTP_PUT },
	{ "PATCH", HTTP_PATCH },
	{ "DELETE", HTTP_DELETE },
};

enum { METHODS = sizeof(methods) / sizeof(*methods) };

enum http_method http_method_from(const char *name)
{
	for (size_t i = 0; i < METHODS; i++) {
		if (strcmp(methods[i].name, name) == 0)
			return methods[i].method;
	}
	return HTTP_OTHER;
}

const char *http_method_name(enum http_method method)
{
	for (size_t i = 0; i < METHODS; i++) {
		if (methods[i].method == method)
			return methods[i].name;
	}
	return "OTHER";
}

/* Names of RFC 9110, and of RFC 6585 for 429. */
const char *http_reason(int status)
{
	switch (status) {
	case 200: return "OK";
	case 201: return "Created";
	case 204: return "No Content";
	case 301: return "Moved Permanently";
	case 302: return "Found";
	case 304: return "Not Modified";
	case 307: return "Temporary Redirect";
	case 308: return "Permanent Redirect";
	case 400: return "Bad Request";
	case 401: return "Unauthorized";
	case 403: return "Forbidden";
	case 404: return "Not Found";
	case 405: return "Method Not Allowed";
	case 409: return "Conflict";
	case 410: return "Gone";
	case 411: return "Length Required";
	case 412: return "Precondition Failed";
	case 413: return "Content Too Large";
	case 415: return "Unsupported Media Type";
	case 429: return "Too Many Requests";
	case 500: return "Internal Server Error";
	case 503: return "Service Unavailable";
	}
	return "Error";
}

void http_response_init(struct http_response *res)
{
	*res = (struct http_response){ .status = 500, .request_id = "" };
	res->headers = text_growing(HTTP_HEADERS_MAX);
	res->body = text_growing(HTTP_RESPONSE_LIMIT);
}

void http_response_free(struct http_response *res)
{
	text_free(&res->headers);
	text_free(&res->body);
}

static void forget(struct http_response *res)
{
	text_clear(&res->headers);
	text_clear(&res->body);
	res->error = NULL;
	res->broken = false;
}

void http_response_reset(struct http_response *res, const struct http_request *req)
{
	forget(res);
	res->status = 500; /* a handler that answers nothing has failed */
	res->sent = false;
	res->request_id = req->id;
}

/* A token of RFC 9110, section 5.6.2. */
static bool is_token(const char *name)
{
	const char *at = name;
	while (isalnum((unsigned char)*at) || (*at != '\0' && strchr("-!#$%&'*+.^_`|~", *at)))
		at++;
	return at > name && *at == '\0';
}

static bool is_printable(const char *value)
{
	for (; *value != '\0'; value++) {
		if (*value < 0x20 || *value > 0x7e)
			return false;
	}
	return true;
}

void http_header(struct http_response *res, const char *name, const char *value)
{
	if (is_token(name) && is_printable(value)) {
		text_add(&res->headers, name);
		text_add(&res->headers, ": ");
		text_add(&res->headers, value);
		text_add(&res->headers, "\r\n");
	} else {
		res->broken = true;
	}
	if (res->headers.cut)
		res->broken = true;
}

/* The line of a header; NULL if it was not added. */
static char *find_header(const struct http_response *res, const char *name)
{
	size_t name_len = strlen(name);
	char *line = res->headers.data;
	while (line != NULL && *line != '\0') {
		if (strncasecmp(line, name, name_len) == 0 && line[name_len] == ':')
			return line;
		line = strstr(line, "\r\n") + 2;
	}
	return NULL;
}

bool http_has_header(const struct http_response *res, const char *name)
{
	return find_header(res, name) != NULL;
}

/* Takes out a header that is there already, so that a response never has it twice. */
static void drop_header(struct http_response *res, const char *name)
{
	char *line = find_header(res, name);
	if (line == NULL)
		return;
	char *next = strstr(line, "\r\n") + 2;
	res->headers.len -= (size_t)(next - line);
	memmove(line, next, strlen(next) + 1);
}

void http_begin(struct http_response *res, int status, const char *content_type)
{
	res->status = status;
	res->error = NULL;
	text_clear(&res->body);
	drop_header(res, "Content-Type");
	if (content_type != NULL)
		http_header(res, "Content-Type", content_type);
}

bool http_is_type(const char *content_type, const char *wanted)
{
	size_t len = strcspn(content_type, "; \t");
	return len == strlen(wanted) && strncasecmp(content_type, wanted, len) == 0;
}

void http_common_headers(struct http_response *res)
{
	if (!http_has_header(res, "Cache-Control"))
		http_header(res, "Cache-Control", "no-store");
	http_header(res, "X-Request-Id", res->request_id);
}

bool http_flush(struct http_response *res)
{
	if (res->send == NULL)
		return true;
	if (!res->sent)
		http_common_headers(res);
	bool good = !res->broken && !res->body.cut && res->send(res->to, res, !res->sent);
	res->sent = true;
	res->broken |= !good;
	text_clear(&res->body);
	return good;
}

bool http_is_sent(const struct http_response *res)
{
	return res->sent;
}

void http_problem(struct http_response *res, int status, const char *error)
{
	http_problem_detail(res, status, error, NULL, NULL);
}

static void write_faults(struct json_writer *json, const struct http_faults *faults)
{
	json_open(json, "errors", '[');
	for (size_t i = 0; i < faults->count; i++) {
		json_open(json, NULL, '{');
		json_text(json, "field", faults->list[i].field);
		json_text(json, "what", faults->list[i].what);
		json_close(json, '}');
	}
	json_close(json, ']');
}

void http_problem_detail(struct http_response *res, int status, const char *error,
	const char *detail, const struct http_faults *faults)
{
	forget(res);
	http_begin(res, status, "application/problem+json");
	res->error = error;
	struct json_writer json = json_writer(&res->body);
	json_open(&json, NULL, '{');
	json_text(&json, "type", "about:blank");
	json_text(&json, "title", http_reason(status));
	json_number(&json, "status", status);
	if (detail != NULL)
		json_text(&json, "detail", detail);
	json_text(&json, "error", error);
	json_text(&json, "request_id", res->request_id);
	if (faults != NULL)
		write_faults(&json, faults);
	json_close(&json, '}');
	text_add_char(&res->body, '\n');
}

void http_unavailable(struct http_response *res, unsigned retry_after)
{
	char seconds[16];
	snprintf(seconds, sizeof(seconds), "%u", retry_after);
	http_problem(res, 503, "service unavailable, try again soon");
	http_header(res, "Retry-After", seconds);
}

void http_fault(struct http_faults *faults, const char *field, const char *format, ...)
{
	if (faults->count == HTTP_FAULTS_MAX)
		return;
	va_list arguments;
	va_start(arguments, format);
	size_t next = faults->count++;
	snprintf(faults->list[next].field, sizeof(faults->list[next].field), "%s", field);
	vsnprintf(faults->list[next].what, sizeof(faults->list[next].what), format, arguments);
	va_end(arguments);
}
