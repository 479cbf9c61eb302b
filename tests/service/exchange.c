#include "service/exchange.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/config.h"
#include "base/log.h"
#include "domain/blocklist.h"
#include "domain/target_url.h"

struct exchange *exchange_new(enum http_method method, const char *path)
{
	char memory[1024];
	struct text error = text_fixed(memory, sizeof(memory));
	struct exchange *exchange = calloc(1, sizeof(*exchange));
	cr_assert(config_load(&error), "%s", memory);
	cr_assert(log_open("test", "/dev/null", LOG_ERROR));
	cr_assert_null(target_url_init("https://s.example", "", false));
	exchange->req = (struct http_request){
		.method = method,
		.path = path,
		.query = "",
		.client = "198.51.100.7",
		.content_type = "",
		.authorization = "",
		.accept = "",
		.referer = "",
		.user_agent = "",
		.purpose = "",
		.if_match = "",
		.traceparent = "",
		.edge = "",
		.body = "",
	};
	http_response_init(&exchange->res);
	return exchange;
}

void exchange_free(struct exchange *exchange)
{
	service_strip(&exchange->worker);
	http_response_free(&exchange->res);
	free(exchange);
}

void exchange_body(struct exchange *exchange, const char *json)
{
	exchange->req.content_type = "application/json; charset=utf-8";
	exchange->req.body = json;
	exchange->req.body_len = strlen(json);
}

int exchange_run(struct exchange *exchange, const struct service *service)
{
	if (exchange->worker.db == NULL)
		cr_assert(service_equip(service, &exchange->worker));
	service_handle(service, &exchange->worker, &exchange->req, &exchange->res);
	return exchange->res.status;
}

void exchange_block(const char *host)
{
	char path[] = "/tmp/linkshrink-blocked.XXXXXX";
	int descriptor = mkstemp(path);
	cr_assert_geq(descriptor, 0);
	cr_assert_gt(dprintf(descriptor, "%s\n", host), 0);
	close(descriptor);
	blocklist_look(path);
	unlink(path);
}

const char *exchange_header(const struct exchange *exchange, const char *name)
{
	static char value[HTTP_HEADERS_MAX];
	char start[128];
	snprintf(start, sizeof(start), "%s: ", name);
	const char *line = exchange->res.headers.data;
	while (line != NULL && *line != '\0') {
		const char *end = strstr(line, "\r\n");
		if (strncmp(line, start, strlen(start)) == 0) {
			size_t len = (size_t)(end - line) - strlen(start);
			memcpy(value, line + strlen(start), len);
			value[len] = '\0';
			return value;
		}
		line = end + 2;
	}
	return NULL;
}

bool exchange_says(const struct exchange *exchange, const char *text)
{
	return exchange->res.body.data != NULL && strstr(exchange->res.body.data, text) != NULL;
}
