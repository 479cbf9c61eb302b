/*
 * spool_list - the books of a spool as its files tell them, for scripts/audit and for people.
 */
#ifndef DOMAIN_SPOOL_LIST_H
#define DOMAIN_SPOOL_LIST_H

#include <stdbool.h>
#include <stdio.h>

/*
 * A line for each segment of a directory and of its folder kept/:
 *   number bytes records damaged state oldest
 * The number is decimal, as in PostgreSQL; the state is writing, pending or kept; oldest is the time
 * of the earliest click in milliseconds since 1970, or - without one. limits, unless NULL, has lines
 * "number bytes": of those segments only so many bytes are read, of others nothing. False and errno
 * if the directory, or one of the files, cannot be read.
 */
bool spool_list(const char *directory, FILE *limits, FILE *output);

#endif
