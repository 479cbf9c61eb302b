/*
 * target_host - the host of a target URL: its one canonical spelling, and whether it is private.
 *
 * A host is a name of letters, digits, hyphens and underscores, an exact dotted IPv4 address or a
 * bracketed IPv6 address. Other letters become xn-- labels and %XX is decoded, as in browsers; the
 * rules hold for what comes out. Browsers take many more spellings of an IPv4 address (0x7f.1,
 * 2130706433); they are refused, because whoever uses them hides something.
 * docs/decisions/0005-which-urls.md says what else browsers take and we don't.
 *
 * Private is what does not lead to the public Internet: addresses that IANA's registries of special
 * purpose addresses do not list as globally reachable, also embedded in IPv6, and names that
 * resolve locally. A public name may still resolve to a private address: that is the business of
 * whoever connects, and we never do.
 */
#ifndef DOMAIN_TARGET_HOST_H
#define DOMAIN_TARGET_HOST_H

#include <stdbool.h>
#include <stddef.h>

enum { TARGET_HOST_MAX = 253 };

struct target_host {
	char text[TARGET_HOST_MAX + 1]; /* lower case, no dot at the end; IPv6 in brackets */
	bool address;                   /* not a name */
	bool private;
	bool loopback;         /* this very machine */
	bool has_ipv4;         /* it is or embeds an IPv4 address: */
	unsigned char ipv4[4]; /* the same host by another spelling */
};

/* NULL and the host, or why it is refused, in words. */
const char *target_host_read(const char *bytes, size_t len, struct target_host *host);

#endif
