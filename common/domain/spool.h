/*
 * spool - reading what click.c wrote: names of segments, their first line, their records.
 *
 * A segment is a file of lines that only grows. A line is
 *   checksum  time  link  status  referrer  browser  os  flags  network  visitor
 * with tabs between; the checksum is CRC-32C in 8 hex digits, over all after its tab. Nothing here
 * trusts the file: what is not exactly a record is damaged.
 */
#ifndef DOMAIN_SPOOL_H
#define DOMAIN_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SPOOL_LINE_MAX = 512, /* bytes of a line with its newline */
	SPOOL_NAME = 24,    /* bytes of a segment's file name: 16 hex digits, .clicks and a zero */
	SPOOL_WORD_MAX = 64 /* bytes of a name of browser or system */
};

struct spool_record {
	int64_t time; /* milliseconds since 1970, up to the year 9999 */
	int64_t link;
	int64_t visitor;
	int status;
	bool bot, prefetch;
	const char *referrer; /* NULL: unknown; these three lie in the line */
	const char *browser;  /* the kind of bot, for a bot */
	const char *os;
	unsigned char network[16];
	unsigned network_bytes; /* 4, 16, or 0 for unknown */
	unsigned network_bits;
};

enum spool_line {
	SPOOL_RECORD,
	SPOOL_REMARK, /* begins with #: not for counting */
	SPOOL_DAMAGED
};

/* line ends before its newline; line[len] must be writable. A record is split in place. */
enum spool_line spool_read_line(char *line, size_t len, struct spool_record *record);

enum spool_head {
	SPOOL_OURS,
	SPOOL_FOREIGN, /* of another version: not to be touched */
	SPOOL_HEADLESS /* no first line as it should be; records may follow all the same */
};

/* The first bytes of a segment; *run: of the shared segment that its writer counted in, 0: unknown. */
enum spool_head spool_read_head(const char *bytes, size_t len, uint64_t *run);

/* The number in a segment's file name; 0 if it is none. */
int64_t spool_number(const char *name);
void spool_name(char name[SPOOL_NAME], int64_t number);

#endif
