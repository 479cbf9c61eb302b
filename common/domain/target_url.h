/*
 * target_url - which URLs a link may lead to, and their one canonical form.
 *
 * Strict and fail closed: http and https with a host (see target_host.h); no user info, control byte
 * or backslash. Own hosts are refused (they would loop), hosts on the blocklist (blocklist.h), and
 * private addresses unless the configuration allows them. What is taken leads where a browser would go: a space within becomes
 * %20, and slashes missing or too many after the scheme are mended. The canonical form is printable
 * ASCII of at most TARGET_URL_MAX bytes, and canonical text maps to itself.
 *
 * It is run on every path that stores a URL and again before a Location is sent.
 * Sources: RFC 3986, the WHATWG URL standard (what browsers do with what people paste).
 */
#ifndef DOMAIN_TARGET_URL_H
#define DOMAIN_TARGET_URL_H

#include <stdbool.h>

enum { TARGET_URL_MAX = 2048 };

/*
 * The base URL, whose host is our own; further own hosts, separated by commas; whether private
 * addresses pass. Call once at start; without it nothing is own. NULL, or the setting that is
 * wrong and why.
 */
const char *target_url_init(const char *base_url, const char *own_hosts, bool private_allowed);

/*
 * Before a link to it is stored: NULL and the canonical form, or why it is refused, in words for the
 * person who pasted it.
 */
const char *target_url_read(const char *url, char canonical[TARGET_URL_MAX + 1]);

enum target_result {
	TARGET_OK,
	TARGET_REFUSED, /* it was never good, or the configuration is another one now */
	TARGET_BLOCKED  /* its host came onto the blocklist */
};

/* Before a link to it is followed or shown: the canonical form if it is TARGET_OK. */
enum target_result target_url_follow(const char *url, char canonical[TARGET_URL_MAX + 1]);

#endif
