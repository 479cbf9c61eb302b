/*
 * spool_files - the segments of a spool directory, and of its folder kept/, as ingest sees them.
 *
 * It owns the table; the files are their writers' until these let go of their locks. Nothing is
 * opened for longer than a look.
 */
#ifndef DOMAIN_SPOOL_FILES_H
#define DOMAIN_SPOOL_FILES_H

#include <stdbool.h>
#include <stdint.h>

enum { SPOOL_PATH_MAX = 1024 + 64 };

#define SPOOL_KEPT    "kept"
#define SPOOL_REFUSED "refused"

struct spool_file {
	int64_t number;
	uint64_t run;      /* see spool_read_head() */
	int64_t size;      /* when it was looked at last, in bytes */
	int64_t changed;   /* when it was last changed, or kept: seconds since 1970 */
	int64_t committed; /* what PostgreSQL has of it, in bytes */
	int64_t read;      /* what the batch at hand has of it */
	int64_t target;    /* what this round reads of it */
	int64_t end;       /* of what can be read of a finished one; -1: not known yet */
	bool kept;         /* lies in kept/ */
	bool finished;     /* its writer let go of it: it will not grow */
	bool looked;       /* size, run and so on are known */
	bool torn;         /* a finished one ends within a line */
	bool foreign;      /* of another version: left alone */
	bool ahead;        /* PostgreSQL has more of it than there is */
	bool failed;       /* could not be read at the last try, which was said */
	bool unmoved;      /* likewise, to kept/ */
	bool listed;
};

struct spool_files {
	char directory[SPOOL_PATH_MAX];
	struct spool_file *files; /* by number */
	unsigned count, room;
};

/* False when the directory's name is too long. */
bool spool_files_init(struct spool_files *files, const char *directory);
void spool_files_free(struct spool_files *files);

/* Empties the table. */
void spool_files_clear(struct spool_files *files);

/* Writes the path of something in the directory and returns path. */
const char *spool_files_path(
	const struct spool_files *files, const char *name, char path[SPOOL_PATH_MAX]);

/* Reads the directory: new files come into the table, those that are gone leave it. False and errno
 * if it cannot be read. */
bool spool_files_list(struct spool_files *files, bool kept);

/* Size, lock and first line as they are now; false and errno if it cannot be looked at. */
bool spool_files_look(const struct spool_files *files, struct spool_file *file);

/* For reading, -1 and errno if it cannot be opened; the caller closes it. */
int spool_files_open(const struct spool_files *files, const struct spool_file *file);

/* Moves a finished one to kept/, dated now. */
bool spool_files_keep(const struct spool_files *files, struct spool_file *file);

bool spool_files_remove(const struct spool_files *files, const struct spool_file *file);

/* Takes it out of the table. */
void spool_files_drop(struct spool_files *files, struct spool_file *file);

/* Whether all of it that can be read is in PostgreSQL. */
bool spool_file_is_done(const struct spool_file *file);

#endif
