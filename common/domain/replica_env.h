/*
 * replica_env - a file of the replica that is open in this process; for replica.c and
 * replica_writer.c alone.
 *
 * LMDB forbids to open a file twice in a process, so all threads share one struct replica_env a
 * file, the writer's too. The names of files and the symbolic link "current" are known here, and
 * what becomes of a fault in the map: a file that is cut short raises SIGBUS, rubbish in it may
 * lead LMDB anywhere.
 */
#ifndef DOMAIN_REPLICA_ENV_H
#define DOMAIN_REPLICA_ENV_H

#include <sys/types.h>

#include "domain/replica_writer.h"

enum { REPLICA_PATH_MAX = 1200 };

struct MDB_cursor;
struct MDB_env;
struct MDB_txn;

struct replica_env {
	struct MDB_env *lmdb;
	unsigned links, ids, meta; /* the databases in the file */
	uint64_t generation;
	bool writable;
	bool written; /* the writer has it */
	bool lost; /* a fault left a lock of it taken: it stays open, and nobody writes it again */
	unsigned users;
	pid_t process;    /* after a fork() the child opens the file itself */
	ino_t lock_inode; /* of LMDB's lock file */
	char path[REPLICA_PATH_MAX];
	struct replica_env *next;
};

enum replica_mode { REPLICA_READ, REPLICA_WRITE, REPLICA_CREATE };

/*
 * max_bytes: how large the map is to be; 0: as the writer made it. OK: *env is the caller's until
 * replica_env_leave(). Logs nothing; *why is a short text then, borrowed for ever.
 */
__attribute__((warn_unused_result)) enum replica_result replica_env_open(const char *directory,
	uint64_t generation, enum replica_mode mode, int64_t max_bytes, struct replica_env **env,
	const char **why);

/* Its transactions are over. The last user closes the file. */
void replica_env_leave(struct replica_env **env, enum replica_mode mode);

/* The path of a generation's file. */
void replica_env_path(char path[REPLICA_PATH_MAX], const char *directory, uint64_t generation);

/* What a directory's entry is a file of, LMDB's lock files included; 0: none. */
uint64_t replica_env_generation(const char *name);

/* The generation that "current" names, 0 for none; and sets it, on the disk, false and errno. */
uint64_t replica_env_current(const char *directory);
__attribute__((warn_unused_result)) bool replica_env_set_current(
	const char *directory, uint64_t generation);

/* What was renamed in it is on the disk; false and errno. */
__attribute__((warn_unused_result)) bool replica_env_sync(const char *directory);

/* NULL, or in words why its file is not what it was when it was opened. Call it under the guard. */
const char *replica_env_fault(const struct replica_env *env);

/* What an error of LMDB or the system means, 0 included. */
enum replica_result replica_env_result(int error);
const char *replica_env_words(int error);

/* Begins what ends with mdb_txn_abort() or mdb_txn_reset(); a transaction that was reset goes on. */
int replica_env_begin(struct replica_env *env, struct MDB_txn **txn);

/*
 * A cursor, the only one of this thread; where a fault comes between, the guard closes it. The
 * result is an error of LMDB.
 */
int replica_env_cursor(struct MDB_txn *txn, unsigned database, struct MDB_cursor **cursor);
void replica_env_cursor_close(void);

/*
 * Runs work(context). False when a fault ended it in the middle: what it held is held for ever, and
 * what it was changing in memory must not be used again.
 */
__attribute__((warn_unused_result)) bool replica_env_guard(void (*work)(void *), void *context);

/*
 * Ends a transaction, whatever happened to it; false: that faulted, too, and what it held is lost.
 * NULL is fine.
 */
bool replica_env_drop(struct MDB_txn **txn);

/*
 * In place of replica_env_leave() after a fault that may have left a lock of LMDB's taken: unmapping
 * such a lock would crash the thread later.
 */
void replica_env_lose(struct replica_env **env);

#endif
