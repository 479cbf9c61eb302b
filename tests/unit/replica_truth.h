/*
 * replica_truth - what the totals of a replica must be, by looking at every record, and how they
 * come to be missing. What cannot be set up fails the test.
 */
#ifndef UNIT_REPLICA_TRUTH_H
#define UNIT_REPLICA_TRUTH_H

#include "domain/replica_private.h"

enum { REPLICA_TRUTH_OWNERS = 8 /* at most, and no link has another one */ };

/* Whether the writer says of each owner from 0 on, of so many, and of all, what a walk finds. */
bool replica_truth_is_told(struct replica_writer *writer, int64_t owners);

/* Whether it says that it does not know, of each. */
bool replica_truth_is_unknown(struct replica_writer *writer, int64_t owners);

/* As a program leaves the file that knows nothing of totals: it never had any. */
void replica_truth_remove(struct replica_writer *writer);

/*
 * The byte so far behind the begin of their key is another one from now on, wherever that lies in
 * the current file.
 */
void replica_truth_damage(int64_t owner, size_t at);

#endif
