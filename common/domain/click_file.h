/*
 * click_file - a segment of the spool in the hands of the thread that writes it; see click.h.
 *
 * One thread appends and finishes; another syncs, whenever it likes. Neither waits for the other:
 * a file is closed and freed by click_files_sync() alone.
 */
#ifndef DOMAIN_CLICK_FILE_H
#define DOMAIN_CLICK_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct click_file;

/*
 * A new segment in a directory, locked. directory: borrowed until click_files_sync() has freed the
 * file. now: milliseconds since 1970. NULL and errno if it cannot be made.
 */
struct click_file *click_file_new(const char *directory, int64_t node, int64_t now);

/*
 * Appends a line by one system call. If not all of it could be written nothing of it is left, or
 * the file is spoilt; errno then.
 */
bool click_file_append(struct click_file *file, const char *line, size_t len);

/* Old or large enough for another one to take its place. */
bool click_file_is_due(const struct click_file *file, int64_t now);

/* Not yet due after all, for a while: no other one could be made. */
void click_file_prolong(struct click_file *file, int64_t now);

/*
 * Not to be written any more: it was deleted, its directory is not the one at that path any more,
 * it has lost bytes, or it ends in half a line.
 */
bool click_file_is_spoilt(const struct click_file *file);

/* Unlocks it: nothing will be added. Never use it again. NULL is fine. */
void click_file_finish(struct click_file *file);

/*
 * Looks for files that are spoilt, gives the disk what was appended to any file of this process,
 * and frees those that are finished. Takes as long as the disk does. Any thread may call it.
 */
void click_files_sync(void);

/*
 * Waits as a new segment would, and leaves none: a frozen disk answers every question, but takes
 * nothing. Any thread may call it.
 */
void click_files_probe(const char *directory);

/* To be called every CLICK_LOOK_MS, by a thread that waits for no disk. */
void click_files_look(void);

/* Whether a sync or a probe was waiting for one disk at more than ten looks in a row: for a second
 * of this process's own. Never waits. */
bool click_files_hang(void);

#endif
