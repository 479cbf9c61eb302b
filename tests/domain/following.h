/*
 * following - what the tests of follow share: a replica of their own, and replicate's turns taken
 * by hand. A test that cannot be set up fails; nothing here returns an error.
 */
#ifndef DOMAIN_FOLLOWING_H
#define DOMAIN_FOLLOWING_H

#include <criterion/criterion.h>

#include "base/metrics.h"
#include "domain/database.h"
#include "domain/follow_private.h"

enum {
	FOLLOWING_PATIENCE_MS = 20000,
	FOLLOWING_PATH_MAX = 256,
	LINKS = 300,
	REPLICA_BYTES = 1 << 28
};

extern struct follow *follow;
extern struct db *db;
extern char directory[FOLLOWING_PATH_MAX]; /* of the replica; goes with the cluster */

/* An empty table of links, a directory and a follower; and their end. */
void following_begin(void);
void following_end(void);

/* As replicate's thread does it, but that pauses are short; and several of them. */
void turn(void);
void turn_some(void);

/* Turns until it is so. */
#define TURN_UNTIL(condition)                                                                      \
	for (uint64_t since_ = clock_monotonic(); !(condition); turn())                            \
	cr_assert(database_ms_since(since_) < FOLLOWING_PATIENCE_MS, "never true: %s", #condition)

enum label_state state(void);
bool is_following(void);
int64_t metric(enum metric metric);

/* What the replica has. */
bool finds(const char *code, struct replica_record *record);
bool has(const char *code);
bool leads_to(const char *code, const char *target);

/* In PostgreSQL: a new link; links that are an hour old, so that a comparison takes them seriously. */
void create(const char *code);
void create_old(const char *prefix, int count);
void forget_links(void);
void end_sessions(void);

#endif
