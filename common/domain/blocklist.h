/*
 * blocklist - hosts to which no link may lead, from a text file that may change at any time.
 *
 * The file has one host a line: a name in either form (bücher.example, xn--bcher-kva.example), or an
 * address, IPv6 with or without brackets. '#' begins a comment. A name blocks all names below it,
 * an IPv4 address all of its spellings that target_host.h knows. A line that is no host, or longer
 * than 1,023 bytes, is skipped, counted, and logged with its number.
 *
 * A host takes 8 bytes: of each there is only a hash of 61 bits. With a million on the list another
 * host is taken for one of them with a chance of less than 1 in 10^10; nobody can look for such a
 * host, since the key is secret, and it would not last, since each list has a key of its own.
 *
 * The list belongs to this module. Any thread may ask at any time; one thread at a time may look.
 */
#ifndef DOMAIN_BLOCKLIST_H
#define DOMAIN_BLOCKLIST_H

#include <stdbool.h>
#include <stddef.h>

#include "domain/target_host.h"

enum {
	BLOCKLIST_MAX = 10000000, /* hosts; a longer list is refused whole */
	BLOCKLIST_LOOK_MS = 1000  /* how often to look */
};

/*
 * Reads the file if it is another one than at the last look, by its time, size and inode, and sets
 * the gauges. What can't be read leaves the list as it was, and is logged once. "" means no list.
 * May take seconds for a long list, and as long as its disk does.
 */
void blocklist_look(const char *path);

/* Whether links to this host are blocked; false before the first look. */
bool blocklist_holds(const struct target_host *host);

/* A host as a line of the list spells it; NULL, or why it is none. */
const char *blocklist_read_host(const char *bytes, size_t len, struct target_host *host);

#endif
