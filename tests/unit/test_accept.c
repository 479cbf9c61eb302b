#include <criterion/criterion.h>

#include "http/accept.h"

Test(accept, tells_people_from_clients)
{
	static const struct {
		const char *accept;
		bool html;
	} rows[] = {
		{ "", false },
		{ "*/*", false },
		{ "text/*", false },
		{ "application/json", false },
		{ "text/html", true },
		{ "TEXT/HTML", true },
		{ "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true },
		{ "text/html, */*", true },
		{ "text/html, application/json", false },
		{ "application/json, text/html", false },
		{ "application/json;q=0.9, text/html", true },
		{ "application/json, text/html;q=0.9", false },
		{ "application/problem+json, text/html;q=0.9", false },
		{ "text/html;q=0.5, */*;q=0.8", false },
		{ "text/html;q=0.5, application/*", false },
		{ "text/html;q=0", false },
		{ "text/html ; level=1 ; q=0.4 , application/json;q=0.3", true },
		{ "text/html;q=0.001", true },
		{ "text/html;q=9", false },
		{ "text/html;q=", false },
		{ "text/html;", true },
		{ "text/htmlx", false },
		{ "xtext/html", false },
		{ ",,, text/html", true },
		{ ";;;,", false },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		cr_expect_eq(
			accept_prefers_html(rows[i].accept), rows[i].html, "%s", rows[i].accept);
}
