/*
 * replica_scratch - a replica of its own for one test, with faults survived as main.c survives them.
 * What cannot be set up fails the test.
 */
#ifndef UNIT_REPLICA_SCRATCH_H
#define UNIT_REPLICA_SCRATCH_H

#include "domain/replica.h"
#include "domain/replica_writer.h"

/* An empty directory and a shared segment in it; and its end, for a TestSuite. */
void replica_scratch_make(void);
void replica_scratch_remove(void);

const char *replica_scratch_directory(void);

/* The path of the current file. */
const char *replica_scratch_file(void);

/* A writer of that directory; not opened. */
struct replica_writer *replica_scratch_writer(void);

/* Link number n: its code, and all of it. The target ends with the code. */
const char *replica_scratch_code(unsigned n);
struct replica_record replica_scratch_record(unsigned n);

/* Builds and publishes links 0 … count-1. */
void replica_scratch_build(struct replica_writer *writer, unsigned count);

/* The same by a process that has ended since: no lock is held, nothing is open here. */
void replica_scratch_build_apart(unsigned count);

/* Puts one record in a transaction of its own. */
void replica_scratch_put(struct replica_writer *writer, const struct replica_record *record);

/* What replicate says of itself, now. */
void replica_scratch_say(enum label_state state);

/* Looks a link up; fails if another one is found. */
enum link_result replica_scratch_find(struct replica *replica, unsigned n);

#endif
