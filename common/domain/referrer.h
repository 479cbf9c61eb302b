/*
 * referrer - the host of the page that a visitor came from, and nothing else of its address.
 *
 * The header is what a stranger wrote. Only a plain http or https URL is read; user info, port,
 * path and query are dropped. Anything odd is no referrer.
 */
#ifndef DOMAIN_REFERRER_H
#define DOMAIN_REFERRER_H

#include <stdbool.h>

enum { REFERRER_MAX = 253 /* bytes of a host name, RFC 1035 */ };

/*
 * The host in lower case, of [a-z0-9.-], without a dot at its end, or an IPv6 address in brackets
 * as RFC 5952 writes it; false and "" if there is none.
 */
bool referrer_read(const char *referrer, char host[REFERRER_MAX + 1]);

#endif
