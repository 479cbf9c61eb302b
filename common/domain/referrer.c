#include "domain/referrer.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

enum { LABEL_MAX = 63, PORT_MAX = 5 /* digits */ };

/* What follows "http://" or "https://"; NULL if it begins with neither. */
static const char *after_scheme(const char *url)
{
	static const char *const schemes[] = { "http://", "https://" };
	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
		if (strncasecmp(url, schemes[i], strlen(schemes[i])) == 0)
			return url + strlen(schemes[i]);
	return NULL;
}

/* Moves past "user:password@", if there is one; false if there is more than that. */
static bool drop_user(const char **begin, const char *end)
{
	const char *sign = memchr(*begin, '@', (size_t)(end - *begin));
	if (sign == NULL)
		return true;
	*begin = sign + 1;
	return memchr(*begin, '@', (size_t)(end - *begin)) == NULL;
}

/* What stands between the host and the path: nothing, or a colon and a few digits. */
static bool is_port(const char *begin, const char *end)
{
	if (begin == end)
		return true;
	size_t digits = strspn(begin + 1, "0123456789");
	return *begin == ':' && digits <= PORT_MAX && begin + 1 + digits == end;
}

static bool read_ipv6(const char *begin, const char *end, char host[REFERRER_MAX + 1])
{
	char address[INET6_ADDRSTRLEN];
	struct in6_addr binary;
	const char *close = memchr(begin, ']', (size_t)(end - begin));
	size_t len = close == NULL ? sizeof(address) : (size_t)(close - begin - 1);
	if (len >= sizeof(address) || !is_port(close + 1, end))
		return false;
	memcpy(address, begin + 1, len);
	address[len] = '\0';
	if (inet_pton(AF_INET6, address, &binary) != 1)
		return false;
	inet_ntop(AF_INET6, &binary, address, sizeof(address));
	struct text text = text_fixed(host, REFERRER_MAX + 1);
	text_add_char(&text, '[');
	text_add(&text, address);
	text_add_char(&text, ']');
	return true;
}

/* Labels of letters, digits and inner hyphens, with single dots between them. */
static bool is_name(const char *host)
{
	for (;;) {
		size_t len = strcspn(host, ".");
		if (len == 0 || len > LABEL_MAX || host[0] == '-' || host[len - 1] == '-')
			return false;
		if (host[len] == '\0')
			return true;
		host += len + 1;
	}
}

static bool read_name(const char *begin, const char *end, char host[REFERRER_MAX + 1])
{
	size_t len = 0;
	for (; begin + len < end && begin[len] != ':'; len++) {
		char c = begin[len];
		if (c >= 'A' && c <= 'Z')
			c = (char)(c + ('a' - 'A'));
		bool good =
			(c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
		if (!good || len >= REFERRER_MAX)
			return false;
		host[len] = c;
	}
	host[len] = '\0';
	if (!is_port(begin + len, end))
		return false;
	if (len > 0 && host[len - 1] == '.')
		host[len - 1] = '\0';
	return is_name(host);
}

bool referrer_read(const char *referrer, char host[REFERRER_MAX + 1])
{
	const char *begin = after_scheme(referrer);
	bool good = false;
	if (begin != NULL) {
		const char *end = begin + strcspn(begin, "/?#");
		if (drop_user(&begin, end))
			good = *begin == '[' ? read_ipv6(begin, end, host)
					     : read_name(begin, end, host);
	}
	if (!good)
		host[0] = '\0';
	return good;
}
