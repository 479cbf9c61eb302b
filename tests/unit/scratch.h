/*
 * scratch - a directory of its own for one test, on the tmpfs that the shared segment lives on.
 * Paths are valid until the next scratch_path().
 */
#ifndef UNIT_SCRATCH_H
#define UNIT_SCRATCH_H

#include <stddef.h>
#include <sys/types.h>

void scratch_make(void);
void scratch_remove(void);
const char *scratch_path(const char *name);

/* The whole file with a zero at its end, at most room - 1 bytes of it; its length. */
size_t scratch_read(const char *name, char *bytes, size_t room);

/* How many files lie in it. */
unsigned scratch_count(void);

/* Runs work in a process of its own, which then waits to be killed; returns when work is done. */
pid_t scratch_fork(void (*work)(void));

/* Kills it with SIGKILL and waits for its end. */
void scratch_kill(pid_t child);

#endif
