/*
 * replica_lock - who may write the replica of a directory, and how its writers fared.
 *
 * A lock of the kernel on <directory>/writer.lock, which goes with the process. The file's first
 * byte counts how often a writer opened the replica since one got something done: a file that
 * kills whoever writes it is found by that.
 */
#ifndef DOMAIN_REPLICA_LOCK_H
#define DOMAIN_REPLICA_LOCK_H

#include <stdbool.h>

enum { REPLICA_TRIES = 5 };

/*
 * Makes the directory and the file where they are missing. *lock is a descriptor, -1 before the
 * first call; if the file is another one by now, that one is locked instead. False and errno:
 * EWOULDBLOCK when another process has it; *lock is -1 then.
 */
__attribute__((warn_unused_result)) bool replica_lock_take(int *lock, const char *directory);
void replica_lock_release(int *lock);

/* How often it was tried since the last success; then once more, or 0 again. */
unsigned replica_lock_tries(int lock);
void replica_lock_count(int lock, unsigned tries);

#endif
