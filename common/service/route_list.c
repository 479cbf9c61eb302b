#include "service/route_list.h"

/* A list with commas: this item, if it belongs to it. */
static void add_item(struct text *line, bool belongs, const char *item, unsigned *count)
{
	if (belongs)
		text_addf(line, "%s%s", (*count)++ == 0 ? "" : ",", item);
}

static void add_methods(struct text *line, unsigned methods)
{
	unsigned count = 0;
	for (unsigned method = HTTP_GET; method <= HTTP_DELETE; method <<= 1)
		add_item(line, (methods & method) != 0, http_method_name((enum http_method)method),
			&count);
}

static void add_scopes(struct text *line, unsigned scopes)
{
	unsigned count = 0;
#define SCOPE(id, bit, name) add_item(line, (scopes & SCOPE_##id) != 0, name, &count);
#include "domain/scopes.def"
	if (count == 0)
		text_add(line, "-");
}

static const char *rate_name(enum rate_class rate)
{
	switch (rate) {
	case RATE_REDIRECT: return "redirect";
	case RATE_CREATE: return "create";
	case RATE_API: return "api";
	case RATE_AUTH_FAIL: return "auth_fail";
	case RATE_NONE:
	case RATE_COUNT: break;
	}
	return "-";
}

void route_list(const struct service *service, struct text *lines)
{
	const struct route *route = service->routes;
	for (; route != NULL && route->path != NULL; route++) {
		size_t limit = route->body_limit != 0 ? route->body_limit : (size_t)HTTP_BODY_LIMIT;
		add_methods(lines, route->methods);
		text_addf(lines, " %s ", route->path);
		add_scopes(lines, route->scope);
		text_addf(lines, " %s %zu\n", rate_name(route->rate), limit);
	}
}
