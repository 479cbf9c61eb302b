/*
 * Names and values of headers with zero bytes between them. A header is added as one whole line or
 * not at all, and then the response is broken. A value with credentials gives the same ones to
 * whoever has room for them, and nothing to who has not.
 */
#include "fuzz/fuzz.h"
#include "http/credentials.h"
#include "http/http.h"
#include "http/json_check.h"

/* How many whole lines the headers are; no control byte but in their ends. */
static size_t count_lines(const struct text *headers)
{
	size_t lines = 0;
	for (size_t i = 0; i < headers->len; i++) {
		char c = headers->data[i];
		if (c == '\r') {
			FUZZ_CHECK(headers->data[++i] == '\n');
			lines++;
		} else {
			FUZZ_CHECK(c >= 0x20 && c <= 0x7e);
		}
	}
	FUZZ_CHECK(headers->len == 0 || headers->data[headers->len - 1] == '\n');
	return lines;
}

static void check_problem(struct http_response *res, const char *error)
{
	http_problem_detail(res, 400, error, error, NULL);
	FUZZ_CHECK(!res->broken && count_lines(&res->headers) == 1);
	FUZZ_CHECK(res->body.cut || json_check(res->body.data, res->body.len));
}

static void check_credentials(const char *value)
{
	char small[16], large[1024], basic[8192] = "Basic ";
	strncat(basic, value, sizeof(basic) - sizeof("Basic "));
	bool in_large = credentials_password(basic, large, sizeof(large));
	bool in_small = credentials_password(basic, small, sizeof(small));
	FUZZ_CHECK(!in_small || (in_large && strcmp(small, large) == 0));
	FUZZ_CHECK(in_small || !in_large || strlen(large) >= sizeof(small));
	FUZZ_CHECK(credentials_bearer(basic) == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_request req = { .id = "0" };
	struct http_response res;
	size_t lines = 0;
	char *last = NULL;
	http_response_init(&res);
	http_response_reset(&res, &req);
	while (size > 0) {
		char *name = fuzz_text(&data, &size);
		free(last);
		last = fuzz_text(&data, &size);
		res.broken = false;
		http_header(&res, name, last);
		lines += !res.broken;
		FUZZ_CHECK(res.headers.len < HTTP_HEADERS_MAX);
		FUZZ_CHECK(count_lines(&res.headers) == lines);
		FUZZ_CHECK(res.broken || http_has_header(&res, name));
		free(name);
	}
	if (last != NULL) {
		check_problem(&res, last);
		check_credentials(last);
	}
	free(last);
	http_response_free(&res);
	return 0;
}
