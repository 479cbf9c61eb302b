/* What no way in may let through, in-process: every path that can store a URL, and the way out. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "service/api_call.h"

extern const struct service shorten_service, redirect_service;

TestSuite(gates, .init = api_begin, .fini = api_end);

static int64_t link_id;

static int shorten(const char *url)
{
	char json[1024];
	struct exchange *exchange = exchange_new(HTTP_POST, "/shorten");
	snprintf(json, sizeof(json), "{\"url\":\"%s\"}", url);
	exchange->req.authorization = api_key(0, "links:write");
	exchange_body(exchange, json);
	int status = exchange_run(exchange, &shorten_service);
	exchange_free(exchange);
	return status;
}

static int create(const char *url)
{
	char json[1024];
	snprintf(json, sizeof(json), "{\"original_url\":\"%s\"}", url);
	return api_call(HTTP_POST, "/urls", json);
}

static int change(enum http_method method, const char *url)
{
	char json[1024], path[64];
	snprintf(json, sizeof(json), "{\"original_url\":\"%s\"}", url);
	snprintf(path, sizeof(path), "/urls/%lld", (long long)link_id);
	return api_call(method, path, json);
}

static int put(const char *url)
{
	return change(HTTP_PUT, url);
}

static int patch(const char *url)
{
	return change(HTTP_PATCH, url);
}

/* 400 as of a single link if the row is refused, 201 if it is stored. */
static int row_status(int status)
{
	return status == 201 && api_number("created") == 0 ? 400 : status;
}

static int send_json(const char *url)
{
	char json[1024];
	snprintf(json, sizeof(json), "[{\"original_url\":\"%s\"}]", url);
	return row_status(api_send("/urls/bulk", "application/json", json));
}

/* A text of JSON as what it says, for CSV: the escapes of the rows below. */
static void unescape(const char *json, char *to)
{
	unsigned byte;
	while (*json != '\0') {
		if (sscanf(json, "\\u00%2x", &byte) == 1) {
			*to++ = (char)byte;
			json += 6;
		} else if (json[0] == '\\') {
			*to++ = json[1];
			json += 2;
		} else {
			*to++ = *json++;
		}
	}
	*to = '\0';
}

static int send_csv(const char *url)
{
	char raw[1024], csv[1100];
	unescape(url, raw);
	snprintf(csv, sizeof(csv), "original_url\n\"%s\"\n", raw);
	return row_status(api_send("/urls/bulk", "text/csv", csv));
}

static int send_form(const char *url)
{
	char raw[1024], form[1400];
	unescape(url, raw);
	snprintf(form, sizeof(form),
		"--X\r\nContent-Disposition: form-data; "
		"name=\"file\"\r\n\r\noriginal_url\r\n\"%s\"\r\n"
		"\r\n--X--\r\n",
		raw);
	return row_status(api_send("/urls/bulk", "multipart/form-data; boundary=X", form));
}

static const struct {
	const char *name;
	int (*store)(const char *url);
} ways[] = { { "POST /shorten", shorten }, { "POST /urls", create }, { "PUT /urls/:id", put },
	{ "PATCH /urls/:id", patch }, { "bulk JSON", send_json }, { "bulk CSV", send_csv },
	{ "bulk form", send_form } };

static void refused_everywhere(const char *url)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		cr_expect_eq(ways[i].store(url), 400, "%s takes %s", ways[i].name, url);
}

static void begin(void)
{
	api_as(api_key(0, "*"));
	link_id = api_link("");
}

Test(gates, let_a_good_target_through)
{
	static const int wanted[] = { 201, 201, 200, 200, 201, 201, 201 };
	begin();
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		cr_expect_eq(ways[i].store("https://example.com/a?b=c#d"), wanted[i], "%s",
			ways[i].name);
}

Test(gates, keep_out_what_is_no_web_address)
{
	static const char *const rows[] = { "javascript:alert(1)", "JavaScript:alert(1)",
		"\\u0001javascript:alert(1)", "java\\u0009script:alert(1)", "data:text/html,x",
		"data:text/html;base64,PHNjcmlwdD4=", "vbscript:x", "file:///etc/passwd",
		"ftp://example.com/", "about:blank", "blob:https://example.com/1", "//example.com",
		"example.com", "https://", "https://user@example.com/",
		"https://user:pass@example.com/", "https://example.com@evil.example/",
		"https://exa\\u0000mple.com", "https://example.com/\\u000d\\u000aSet-Cookie: a=b",
		"https://example.com/\\u0007", "https://example.com/\\u007f",
		"https://exa\\\\mple.com/", "https:\\\\\\\\example.com", "http://127.0.0.1/",
		"http://[::1]/", "http://169.254.169.254/latest/meta-data/", "http://10.0.0.1/",
		"http://localhost/", "http://0x7f000001/", "http://2130706433/" };
	begin();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		refused_everywhere(rows[i]);
}

Test(gates, know_their_own_host_in_64_spellings)
{
	static const char *const schemes[] = { "https://", "HTTP://", "https:///", "hTTps:" };
	static const char *const hosts[] = { "s.example", "S.EXAMPLE", "s.example.", "S.Example.",
		"s.example:443", "s.example:80", "%73.example", "s%2Eexample", "%53%2e%45xample",
		"\uff53.example", "s\u3002example", "s\uff0eexample", "s\uff61example",
		"s.\u24d4xample", "s.ex\u00adample", "\u017f.example" };
	begin();
	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
		for (size_t j = 0; j < sizeof(hosts) / sizeof(*hosts); j++) {
			char url[128];
			snprintf(url, sizeof(url), "%s%s/loop", schemes[i], hosts[j]);
			refused_everywhere(url);
		}
}

/* Who can write SQL can write anything; it is not followed all the same. */
Test(gates, follow_no_target_that_was_forged_in_the_database)
{
	static const char *const rows[] = { "https://s.example/loop", "https://u:p@example.com/",
		"http://127.0.0.1:5432/", "http://[::ffff:10.0.0.1]/" };
	begin();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char path[64];
		int64_t id = api_link("");
		api_sql("UPDATE links SET target = '%s' WHERE id = %lld", rows[i], (long long)id);
		snprintf(path, sizeof(path), "/urls/%lld/redirect", (long long)id);
		struct exchange *exchange = exchange_new(HTTP_GET, path);
		int status = exchange_run(exchange, &redirect_service);
		cr_expect(status >= 400, "%s: %d", rows[i], status);
		cr_expect_null(exchange_header(exchange, "Location"), "%s", rows[i]);
		exchange_free(exchange);
	}
}
