/*
 * blocklist_private - the list itself, between the file that it is read from and who asks it.
 */
#ifndef DOMAIN_BLOCKLIST_PRIVATE_H
#define DOMAIN_BLOCKLIST_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "domain/target_host.h"

/* Complete, it never changes. */
struct blocklist {
	uint64_t key;     /* of the hash; secret */
	uint64_t *hashes; /* in ascending order, each once */
	size_t count;
	size_t room;
	size_t bad_lines; /* skipped */
};

/* Empty, with a key of its own; NULL without memory. */
struct blocklist *blocklist_new(void);
void blocklist_free(struct blocklist *list);

/* NULL, or why there is no room for one more. */
const char *blocklist_add(struct blocklist *list, const struct target_host *host);

/* After the last host, before the first question. */
void blocklist_complete(struct blocklist *list);

/* Whether it has the host, or a name that the host lies below. */
bool blocklist_covers(const struct blocklist *list, const struct target_host *host);

/* Adds the whole file. NULL, or why nothing of it is to be used. */
const char *blocklist_read(struct blocklist *list, FILE *file);

#endif
