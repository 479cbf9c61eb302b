/*
 * What the files of ingest share. Nobody else includes this.
 */
#ifndef DOMAIN_INGEST_PRIVATE_H
#define DOMAIN_INGEST_PRIVATE_H

#include <stdbool.h>

#include "domain/click_batch.h"
#include "domain/click_store.h"
#include "domain/ingest.h"
#include "domain/spool_files.h"

enum {
	INGEST_REFUSED_MAX = 100,  /* clicks set aside one after the other */
	INGEST_BUFFER = 256 << 10, /* bytes read at once */
	INGEST_DAYS = 64           /* whose partitions are remembered */
};

struct ingest {
	struct ingest_settings settings;
	struct spool_files files;
	struct click_batch *batch;
	char *buffer;                        /* INGEST_BUFFER bytes for reading */
	int lock;                            /* of the directory, -1 without */
	uint64_t lock_due;                   /* clock_monotonic() */
	unsigned limit;                      /* clicks a transaction may have now */
	unsigned damaged;                    /* lines of the batch that are no record */
	unsigned refused;                    /* clicks set aside since one was not */
	int64_t last_segment, last_position; /* of the last click of the batch */

	bool kept_listed; /* the files of kept/ are all in the table */
	bool offsets_known;
	int session;          /* of PostgreSQL that told them */
	uint64_t offsets_due; /* clock_monotonic() */
	int64_t server_ahead; /* seconds from our clock to that of PostgreSQL, at that moment */
	int64_t run_committed;

	bool in_round;
	bool unclean;            /* this round could not see or read all that there is */
	uint64_t round_began;    /* clock_monotonic() */
	uint64_t spooled_before; /* the counter, before the files were looked at */

	/* See ingest_upkeep.c. */
	int64_t clock_shift;    /* milliseconds from clock_monotonic() to the time of day */
	uint64_t clock_trusted; /* from when on: a while after it jumped */
	uint64_t tend_due, days_again, days_due, forget_due, pack_due;
	int32_t days_made[INGEST_DAYS];
	unsigned days_made_count;
	int32_t pack_day; /* how far it is with what it packs */
	int64_t pack_link;
};

/* What errno says of a file that cannot be read; one that is gone is in order. */
void ingest_note_unread(struct ingest *ingest, struct spool_file *file);

/* Reads what this round wants, until the batch is full, and seals it; false: no memory. */
bool ingest_read(struct ingest *ingest);

/*
 * Sets aside the only click of the batch; what is left of it only moves the offsets. False if that
 * cannot be done, or there were too many of them: then it is not the clicks that are at fault.
 */
bool ingest_refuse(struct ingest *ingest);

/* Partitions for the days of the batch, where they are expected. Without one its clicks have a place
 * in the partition for all other days. */
void ingest_prepare_days(struct ingest *ingest, struct db *db);

/* Moves segments that are done to kept/. */
void ingest_retire(struct ingest *ingest);

/* Once a second: makes room, says what there is. Without PostgreSQL. */
void ingest_tend(struct ingest *ingest);

/* At most one thing that is due now and then; whether there was one. */
bool ingest_upkeep(struct ingest *ingest, struct db *db);

#endif
