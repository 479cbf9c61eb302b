#include "service/page.h"

#include <string.h>

void page_begin(struct http_response *res, int status, const char *title)
{
	http_begin(res, status, "text/html; charset=utf-8");
	text_add(&res->body, "<!doctype html>\n<html lang=\"en\">\n<head>\n"
			     "<meta charset=\"utf-8\">\n"
			     "<meta name=\"viewport\" content=\"width=device-width\">\n"
			     "<meta name=\"robots\" content=\"noindex\">\n<title>");
	text_add_html(&res->body, title);
	text_add(&res->body,
		" · Link-Shrink</title>\n"
		"<link rel=\"icon\" href=\"/www/favicon.svg\" type=\"image/svg+xml\">\n"
		"<link rel=\"stylesheet\" href=\"/www/style.css\">\n</head>\n<body>\n"
		"<header class=\"top\"><a class=\"brand\" href=\"/\"><img src=\"/www/favicon.svg\" "
		"alt=\"\" width=\"28\" height=\"28\">Link-Shrink</a></header>\n"
		"<main class=\"single");
	if (status >= 400)
		text_addf(&res->body, " problem\">\n<p class=\"number\">%d</p>\n<h1>", status);
	else
		text_add(&res->body, "\">\n<h1>");
	text_add_html(&res->body, title);
	text_add(&res->body, "</h1>\n");
}

void page_end(struct http_response *res)
{
	text_add(&res->body, "</main>\n</body>\n</html>\n");
}

void page_paragraph(struct http_response *res, const char *class, const char *text)
{
	text_addf(&res->body, "<p class=\"%s\">", class);
	text_add_html(&res->body, text);
	text_add(&res->body, "</p>\n");
}

struct words {
	int status;
	const char *error; /* of the problem; NULL: whatever it is */
	const char *title, *advice;
	bool passes; /* the same request may succeed later */
};

static bool fits(const struct words *words, const struct http_response *res)
{
	return words->status == res->status &&
	       (words->error == NULL || strcmp(words->error, res->error) == 0);
}

/* The last row is for all that no other fits. */
static const struct words *words_for(const struct http_response *res)
{
	static const struct words known[] = {
		{ 404, NULL, "This link leads nowhere",
			"Nobody has made it, or it is not active. Look at the address again: "
			"capital and small letters are different letters here.",
			false },
		{ 410, "url is blocked", "This link is blocked",
			"It leads to a host that the people who run this service don't let links "
			"lead to, most likely because it did harm.",
			false },
		{ 410, NULL, "This link has ended",
			"It led somewhere once. Since then it was deleted, it expired, or all its "
			"visits were used. Whoever gave it to you may have a new one.",
			false },
		{ 429, NULL, "That was too fast",
			"More came from your address than we answer at once. Wait a moment, then "
			"try again.",
			true },
		{ 503, NULL, "Back in a moment",
			"Our memory is away for a moment, so we can't say where this link leads. "
			"It is not lost: try again soon.",
			true },
		{ 0, NULL, "That did not work", "The request could not be answered.", false },
	};
	const struct words *words = known;
	while (words->status != 0 && !fits(words, res))
		words++;
	return words;
}

void page_problem(struct http_response *res)
{
	const struct words *words = words_for(res);
	const char *error = res->error;
	page_begin(res, res->status, words->title);
	res->error = error;
	page_paragraph(res, "lead", words->advice);
	text_addf(&res->body, "<p class=\"actions\">%s<a class=\"button\" href=\"/\">%s</a></p>\n",
		words->passes ? "<a class=\"button first\" href=\"\">Try again</a>" : "",
		"Make a short link");
	text_add(&res->body, "<p class=\"note\">");
	text_add_html(&res->body, error);
	text_addf(&res->body, " · request <code>%s</code></p>\n", res->request_id);
	page_end(res);
}
