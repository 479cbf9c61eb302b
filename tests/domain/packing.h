/*
 * packing - what is counted of past days, packed as ingest packs it.
 */
#ifndef DOMAIN_PACKING_H
#define DOMAIN_PACKING_H

struct db;

/* Whatever is counted of days before yesterday. */
void pack_past_days(void);

/* The same; nothing may be left unpacked. */
void pack_days(void);

/* The same by a connection of ingest; what others count meanwhile may stay. */
void pack_days_with(struct db *ingest);

#endif
