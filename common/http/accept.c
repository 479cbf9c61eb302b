#include "http/accept.h"

#include <string.h>
#include <strings.h>

enum { Q_ONE = 1000 /* q=1, in thousandths: the header has three digits at most */ };

static const char *skip_blanks(const char *at)
{
	return at + strspn(at, " \t");
}

/* The value of a parameter q, "0.25", in thousandths; 0 for what is no such value. */
static int read_q(const char *value)
{
	if (*value != '0' && *value != '1')
		return 0;
	int q = (*value - '0') * Q_ONE, unit = Q_ONE / 10;
	if (value[1] != '.')
		return q;
	for (value += 2; *value >= '0' && *value <= '9' && unit > 0; value++, unit /= 10)
		q += (*value - '0') * unit;
	return q > Q_ONE ? Q_ONE : q;
}

/* The q of one range "type/subtype; a=b; q=0.5", of which the type was read. */
static int find_q(const char *at, const char *end)
{
	while ((at = memchr(at, ';', (size_t)(end - at))) != NULL) {
		at = skip_blanks(at + 1);
		if ((*at == 'q' || *at == 'Q') && at[1] == '=')
			return read_q(at + 2);
	}
	return Q_ONE;
}

/* How gladly a type is taken, 0 to Q_ONE; -1 when it is not named. */
static int gladness(const char *accept, const char *type)
{
	while (*accept != '\0') {
		accept = skip_blanks(accept);
		const char *end = accept + strcspn(accept, ",");
		size_t len = strcspn(accept, ",; \t");
		if (len == strlen(type) && strncasecmp(accept, type, len) == 0)
			return find_q(accept + len, end);
		accept = *end == ',' ? end + 1 : end;
	}
	return -1;
}

bool accept_prefers_html(const char *accept)
{
	static const char *const json[] = { "application/json", "application/problem+json" };
	static const char *const any[] = { "application/*", "*/*" };
	int html = gladness(accept, "text/html"), named = -1, matched = -1;
	for (size_t i = 0; i < sizeof(json) / sizeof(*json); i++) {
		int q = gladness(accept, json[i]);
		named = q > named ? q : named;
	}
	for (size_t i = 0; i < sizeof(any) / sizeof(*any) && matched < 0; i++)
		matched = gladness(accept, any[i]);
	if (named >= 0)
		return html > named;
	return html > 0 && html >= matched;
}
