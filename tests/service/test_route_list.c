/* The routes of a service as text. */
#include <criterion/criterion.h>

#include "service/route_list.h"

static void nothing(
	struct worker *worker, const struct http_request *req, struct http_response *res)
{
	(void)worker;
	(void)req;
	(void)res;
}

static char memory[1024];

static const char *list_of(const struct route *routes)
{
	const struct service service = { .name = "some", .routes = routes };
	struct text lines = text_fixed(memory, sizeof(memory));
	route_list(&service, &lines);
	return memory;
}

Test(route_list, says_who_may_call_each_route_how_often_and_with_how_much)
{
	static const struct route routes[] = { { HTTP_GET | HTTP_HEAD, "/:code+",
						       LABEL_handler_NONE, ANYONE, RATE_REDIRECT, 0,
						       0, nothing },
		{ HTTP_POST, "/urls/bulk", LABEL_handler_NONE, SCOPE_LINKS_WRITE, RATE_CREATE,
			8 << 20, 0, nothing },
		{ HTTP_PUT | HTTP_PATCH | HTTP_DELETE, "/x/:id", LABEL_handler_NONE,
			SCOPE_LINKS_READ | SCOPE_STATS_READ, RATE_NONE, 0, ROUTE_JSON, nothing },
		{ 0 } };
	cr_expect_str_eq(list_of(routes),
		"GET,HEAD /:code+ - redirect 65536\n"
		"POST /urls/bulk links:write create 8388608\n"
		"PUT,PATCH,DELETE /x/:id links:read,stats:read - 65536\n");
}

Test(route_list, is_empty_for_a_service_that_serves_nobody)
{
	static const struct route none[] = { { 0 } };
	cr_expect_str_eq(list_of(none), "");
	cr_expect_str_eq(list_of(NULL), "");
}
