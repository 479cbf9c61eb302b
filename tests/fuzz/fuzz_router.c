/*
 * A method (first byte) and, with zero bytes between them: path, Accept and traceparent. One route
 * is taken, whole, or the answer is 404, or 405 with the methods that there are.
 */
#include "base/config.h"
#include "base/log.h"
#include "fuzz/fuzz.h"
#include "http/json_check.h"
#include "service/service.h"

/* The handler checks what the router promises about the capture. */
static void handle(struct worker *worker, const struct http_request *req, struct http_response *res)
{
	(void)worker;
	size_t len = strlen(req->capture);
	FUZZ_CHECK(len < HTTP_CAPTURE_MAX && strchr(req->capture, '/') == NULL);
	FUZZ_CHECK(strstr(req->path, req->capture) != NULL && req->path[0] == '/');
	http_begin(res, 204, NULL);
}

static const struct route routes[] = {
	{ HTTP_GET, "/", LABEL_handler_NONE, ANYONE, RATE_NONE, 0, 0, handle },
	{ HTTP_GET | HTTP_HEAD, "/r/:code", LABEL_handler_NONE, ANYONE, RATE_NONE, 0, 0, handle },
	{ HTTP_GET, "/:code.qr", LABEL_handler_NONE, ANYONE, RATE_NONE, 0, 0, handle },
	{ HTTP_GET | HTTP_HEAD, "/:code", LABEL_handler_NONE, ANYONE, RATE_NONE, 0, 0, handle },
	{ HTTP_POST, "/urls", LABEL_handler_NONE, ANYONE, RATE_NONE, 0, ROUTE_JSON, handle },
	{ HTTP_GET, "/urls/:x/redirect", LABEL_handler_NONE, ANYONE, RATE_NONE, 0, 0, handle },
	{ 0 },
};

static const struct service service = { .name = "fuzz", .routes = routes, .threads = 1 };

/* A segment of a length that can be captured, and then the end of the path, whole. */
static bool ends_after_segment(const char *at, const char *end)
{
	size_t len = strcspn(at, "/"), end_len = strlen(end);
	if (*end != '/' && len > end_len && memcmp(at + len - end_len, end, end_len) == 0)
		len -= end_len;
	return len > 0 && len < HTTP_CAPTURE_MAX && strcmp(at + len, end) == 0;
}

/* What a GET should find, told without the router. */
static bool is_known(const char *path)
{
	if (path[0] != '/')
		return false;
	return path[1] == '\0' || ends_after_segment(path + 1, "") ||
	       ends_after_segment(path + 1, ".qr") ||
	       (strncmp(path, "/r/", 3) == 0 && ends_after_segment(path + 3, "")) ||
	       (strncmp(path, "/urls/", 6) == 0 && ends_after_segment(path + 6, "/redirect"));
}

static void check_answer(const struct http_request *req, const struct http_response *res)
{
	FUZZ_CHECK(res->status == 204 || res->status == 404 || res->status == 405 ||
		   res->status == 415);
	if (req->method == HTTP_GET)
		FUZZ_CHECK((res->status == 204) == is_known(req->path));
	FUZZ_CHECK(!res->broken && http_has_header(res, "X-Request-Id"));
	FUZZ_CHECK((res->status == 405) == http_has_header(res, "Allow"));
	if (res->status != 204 && strstr(res->headers.data, "json") != NULL)
		FUZZ_CHECK(json_check(res->body.data, res->body.len));
	FUZZ_CHECK(strspn(req->trace, "0123456789abcdef") == HTTP_ID - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct http_response res;
	static struct worker worker;
	static const enum http_method methods[] = { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_DELETE,
		HTTP_OTHER };
	char memory[256];
	if (res.headers.data == NULL) {
		struct text error = text_fixed(memory, sizeof(memory));
		FUZZ_CHECK(config_load(&error) && log_open("fuzz", "/dev/null", LOG_INFO));
		http_response_init(&res);
	}
	size_t method = size > 0 ? *data % (sizeof(methods) / sizeof(*methods)) : 0;
	data += size > 0;
	size -= size > 0;
	char *path = fuzz_text(&data, &size), *accept = fuzz_text(&data, &size);
	char *traceparent = fuzz_text(&data, &size);
	struct http_request req = { .method = methods[method],
		.path = path,
		.query = "",
		.client = "198.51.100.7",
		.content_type = "",
		.authorization = "",
		.accept = accept,
		.referer = "",
		.user_agent = "",
		.purpose = "",
		.if_match = "",
		.traceparent = traceparent,
		.body = "" };
	service_handle(&service, &worker, &req, &res);
	check_answer(&req, &res);
	free(path);
	free(accept);
	free(traceparent);
	return 0;
}
