/*
 * replica_record - a link as the replica keeps it: all that PostgreSQL knows of it, so that a link
 * that was lost there can be put back from here.
 *
 * The bytes begin with a format and a checksum over them and the code, which is kept as the key. So
 * damaged bytes, or those of another code, are no record; reading never goes past their end.
 */
#ifndef DOMAIN_REPLICA_RECORD_H
#define DOMAIN_REPLICA_RECORD_H

#include <stdbool.h>
#include <stddef.h>

#include "domain/link.h"

enum {
	REPLICA_TAGS_MAX = 4000,
	REPLICA_RECORD_MAX = 200 + TARGET_URL_MAX + LINK_TITLE_MAX + REPLICA_TAGS_MAX
};

struct replica_record {
	struct link link;
	/* Microseconds beyond the milliseconds of its times, 0 to 999: to put it back to the record. */
	int valid_since_us, valid_until_us, created_us, updated_us;
	int64_t visits;
	char tags[REPLICA_TAGS_MAX + 1]; /* text of an array of PostgreSQL, never looked into */
};

/* Writes all but the code and returns how many bytes that are. The texts end within their arrays. */
size_t replica_record_write(
	const struct replica_record *record, unsigned char bytes[REPLICA_RECORD_MAX]);

/* False if the bytes are no record of this code; what was filled in then means nothing. */
__attribute__((warn_unused_result)) bool replica_record_read(
	const char *code, const void *bytes, size_t len, struct replica_record *record);

/* The same for the link alone, which is all that a redirect needs. */
__attribute__((warn_unused_result)) bool replica_record_read_link(
	const char *code, const void *bytes, size_t len, struct link *link);

#endif
