#include "domain/replica_env.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/segment.h"
#include "base/text.h"
#include "domain/replica.h"

enum {
	READERS = 512,
	DATABASES = 3,
	/* LMDB's two first pages, of this machine's page size: where what it trusts blindly is. */
	META_AT = 16,
	META_MAGIC_AT = META_AT,
	META_VERSION_AT = META_AT + 4,
	META_MAPSIZE_AT = META_AT + 16,
	META_PAGE_SIZE_AT = META_AT + 24,
	META_FLAGS_AT = META_AT + 28,
	META_LAST_PAGE_AT = META_AT + 120,
	META_END = META_AT + 136
};

#define META_MAGIC   UINT32_C(0xbeefc0de)
#define META_VERSION UINT32_C(1)
#define META_FLAGS   (MDB_INTEGERKEY | MDB_NOSUBDIR)
#define MAP_MAX      (UINT64_C(1) << 46)

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* of all that follows */
static struct replica_env *opened;

static _Thread_local sigjmp_buf *volatile landing; /* where a fault of this thread ends */
static _Thread_local MDB_cursor *volatile cursor;  /* that this thread has open, or NULL */

int replica_env_cursor(MDB_txn *txn, unsigned database, MDB_cursor **opened_one)
{
	MDB_stat stat;
	/* Reads the root of the database, which else mdb_cursor_open() did: a fault would lose its memory. */
	int error = mdb_stat(txn, database, &stat);
	if (error == 0)
		error = mdb_cursor_open(txn, database, opened_one);
	if (error == 0)
		cursor = *opened_one;
	return error;
}

void replica_env_cursor_close(void)
{
	if (cursor != NULL)
		mdb_cursor_close(cursor);
	cursor = NULL;
}

bool replica_env_guard(void (*work)(void *), void *context)
{
	sigjmp_buf here;
	sigjmp_buf *outer = landing;
	/* Without the signal mask, which would be a system call for every lookup. */
	if (sigsetjmp(here, 0) != 0) {
		landing = outer;
		replica_env_cursor_close();
		return false;
	}
	landing = &here;
	work(context);
	landing = outer;
	return true;
}

void replica_rescue(const void *address)
{
	sigset_t faults;
	if (landing == NULL || segment_contains(address))
		return;
	sigemptyset(&faults);
	sigaddset(&faults, SIGBUS);
	sigaddset(&faults, SIGSEGV);
	pthread_sigmask(SIG_UNBLOCK, &faults, NULL);
	siglongjmp(*landing, 1);
}

/* LMDB found what cannot be; without a guard it is a fault of ours. */
static void on_assertion(MDB_env *lmdb, const char *said)
{
	(void)lmdb;
	(void)said;
	if (landing != NULL)
		siglongjmp(*landing, 1);
	abort();
}

static void abort_transaction(void *context)
{
	mdb_txn_abort(context);
}

bool replica_env_drop(MDB_txn **txn)
{
	MDB_txn *dropped = *txn;
	*txn = NULL;
	return dropped == NULL || replica_env_guard(abort_transaction, dropped);
}

void replica_env_path(char path[REPLICA_PATH_MAX], const char *directory, uint64_t generation)
{
	snprintf(path, REPLICA_PATH_MAX, "%s/links-%016llx.mdb", directory,
		(unsigned long long)generation);
}

uint64_t replica_env_generation(const char *name)
{
	char expected[64];
	unsigned long long generation = 0;
	if (sscanf(name, "links-%16llx", &generation) != 1)
		return 0;
	snprintf(expected, sizeof(expected), "links-%016llx.mdb", generation);
	size_t len = strlen(expected);
	if (strncmp(name, expected, len) != 0)
		return 0;
	return name[len] == '\0' || strcmp(name + len, "-lock") == 0 ? generation : 0;
}

uint64_t replica_env_current(const char *directory)
{
	char path[REPLICA_PATH_MAX], name[64];
	snprintf(path, sizeof(path), "%s/current", directory);
	ssize_t len = readlink(path, name, sizeof(name) - 1);
	if (len <= 0)
		return 0;
	name[len] = '\0';
	return replica_env_generation(name);
}

bool replica_env_sync(const char *directory)
{
	int descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool good = descriptor >= 0 && fsync(descriptor) == 0;
	int error = errno;
	if (descriptor >= 0)
		close(descriptor);
	errno = error;
	return good;
}

bool replica_env_set_current(const char *directory, uint64_t generation)
{
	char file[REPLICA_PATH_MAX], made[REPLICA_PATH_MAX], current[REPLICA_PATH_MAX];
	replica_env_path(file, directory, generation);
	snprintf(made, sizeof(made), "%s/current.new", directory);
	snprintf(current, sizeof(current), "%s/current", directory);
	unlink(made);
	return symlink(strrchr(file, '/') + 1, made) == 0 && rename(made, current) == 0 &&
	       replica_env_sync(directory);
}

enum replica_result replica_env_result(int error)
{
	switch (error) {
	case 0: return REPLICA_OK;
	case MDB_NOTFOUND:
	case ENOENT: return REPLICA_MISSING;
	case MDB_MAP_FULL:
	case ENOSPC:
	case EDQUOT: return REPLICA_FULL;
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_INVALID:
	case MDB_VERSION_MISMATCH:
	case MDB_INCOMPATIBLE:
	case MDB_CURSOR_FULL:
	case MDB_PAGE_FULL: return REPLICA_DAMAGED;
	}
	return REPLICA_ERROR;
}

const char *replica_env_words(int error)
{
	/* LMDB's own texts are constants; the system's might not be. */
	return error < 0 ? mdb_strerror(error) : strerrordesc_np(error);
}

static uint32_t number_at(const unsigned char *page, size_t at)
{
	uint32_t number;
	memcpy(&number, page + at, sizeof(number));
	return number;
}

static uint64_t long_at(const unsigned char *page, size_t at)
{
	uint64_t number;
	memcpy(&number, page + at, sizeof(number));
	return number;
}

/* One of LMDB's two first pages; pages: how many the file has. */
static bool is_sound_page(const unsigned char *page, uint64_t pages)
{
	return number_at(page, META_MAGIC_AT) == META_MAGIC &&
	       number_at(page, META_VERSION_AT) == META_VERSION &&
	       number_at(page, META_PAGE_SIZE_AT) == (uint32_t)getpagesize() &&
	       (number_at(page, META_FLAGS_AT) & UINT16_MAX) == META_FLAGS &&
	       long_at(page, META_MAPSIZE_AT) < MAP_MAX && long_at(page, META_LAST_PAGE_AT) < pages;
}

/*
 * LMDB divides by a page size and maps a length that it reads from the file, while it holds a lock
 * that other processes wait for. So look first.
 */
static int look_at_header(const char *path)
{
	unsigned char page[META_END];
	struct stat file;
	const off_t page_size = getpagesize();
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (descriptor < 0)
		return errno == ELOOP ? MDB_INVALID : errno;
	bool sound = fstat(descriptor, &file) == 0 && S_ISREG(file.st_mode);
	for (int i = 0; i < 2 && sound; i++)
		sound = pread(descriptor, page, sizeof(page), i * page_size) == sizeof(page) &&
			is_sound_page(page, (uint64_t)(file.st_size / page_size));
	close(descriptor);
	return sound ? 0 : MDB_INVALID;
}

static ino_t lock_inode(const struct replica_env *env)
{
	char path[REPLICA_PATH_MAX + 8];
	struct stat file;
	snprintf(path, sizeof(path), "%s-lock", env->path);
	return stat(path, &file) == 0 ? file.st_ino : 0;
}

const char *replica_env_fault(const struct replica_env *env)
{
	struct stat ours, named;
	MDB_envinfo info;
	int descriptor;
	if (mdb_env_get_fd(env->lmdb, &descriptor) != 0 || fstat(descriptor, &ours) != 0)
		return "its file cannot be looked at";
	if (stat(env->path, &named) != 0 || named.st_ino != ours.st_ino ||
		named.st_dev != ours.st_dev)
		return "its file was removed or replaced";
	if (lock_inode(env) != env->lock_inode)
		return "its lock file was removed or replaced";
	if (mdb_env_info(env->lmdb, &info) != 0 ||
		(uint64_t)ours.st_size / (uint64_t)getpagesize() <= info.me_last_pgno)
		return "its file was cut short";
	return NULL;
}

struct opening {
	struct replica_env *env;
	enum replica_mode mode;
	int64_t max_bytes;
	MDB_txn *txn; /* the one that is open */
	int error;
};

static int open_databases(struct opening *opening)
{
	struct replica_env *env = opening->env;
	const unsigned create = opening->mode == REPLICA_CREATE ? MDB_CREATE : 0;
	int error = mdb_txn_begin(env->lmdb, NULL, create ? 0 : MDB_RDONLY, &opening->txn);
	if (error != 0)
		return error;
	error = mdb_dbi_open(opening->txn, "links", create, &env->links);
	if (error == 0)
		error = mdb_dbi_open(opening->txn, "ids", create | MDB_INTEGERKEY, &env->ids);
	if (error == 0)
		error = mdb_dbi_open(opening->txn, "meta", create, &env->meta);
	if (error != 0)
		return error == MDB_NOTFOUND ? MDB_INVALID : error;
	error = mdb_txn_commit(opening->txn);
	opening->txn = NULL;
	return error;
}

static int open_file(struct opening *opening)
{
	struct replica_env *env = opening->env;
	static const unsigned flags[] = { [REPLICA_READ] = MDB_RDONLY,
		[REPLICA_WRITE] = MDB_NOMETASYNC,
		[REPLICA_CREATE] = MDB_NOMETASYNC | MDB_NOSYNC };
	int error = mdb_env_create(&env->lmdb);
	if (error != 0)
		return error;
	mdb_env_set_assert(env->lmdb, on_assertion);
	mdb_env_set_maxreaders(env->lmdb, READERS);
	mdb_env_set_maxdbs(env->lmdb, DATABASES);
	if (opening->max_bytes > 0)
		mdb_env_set_mapsize(env->lmdb, (size_t)opening->max_bytes);
	error = mdb_env_open(env->lmdb, env->path, flags[opening->mode] | MDB_NOSUBDIR | MDB_NOTLS,
		S_IRUSR | S_IWUSR);
	if (error != 0)
		return error;
	env->lock_inode = lock_inode(env);
	if (opening->mode != REPLICA_CREATE && replica_env_fault(env) != NULL)
		return MDB_INVALID;
	return open_databases(opening);
}

static void open_guarded(void *context)
{
	struct opening *opening = context;
	opening->error = open_file(opening);
}

static void close_guarded(void *context)
{
	mdb_env_close(context);
}

static void close_env(struct replica_env *env)
{
	if (env->lmdb != NULL)
		(void)!replica_env_guard(close_guarded, env->lmdb);
	free(env);
}

static struct replica_env *open_new(const char *path, uint64_t generation, enum replica_mode mode,
	int64_t max_bytes, int *error)
{
	struct replica_env *env = calloc(1, sizeof(*env));
	struct opening opening = { env, mode, max_bytes, NULL, MDB_CORRUPTED };
	*error = ENOMEM;
	if (env == NULL)
		return NULL;
	env->process = getpid();
	env->generation = generation;
	env->writable = mode != REPLICA_READ;
	snprintf(env->path, sizeof(env->path), "%s", path);
	*error = mode == REPLICA_CREATE ? 0 : look_at_header(path);
	if (*error == 0) {
		if (!replica_env_guard(open_guarded, &opening))
			opening.error = MDB_CORRUPTED;
		if (!replica_env_drop(&opening.txn))
			opening.error = MDB_CORRUPTED;
		*error = opening.error;
	}
	if (*error == 0)
		return env;
	close_env(env);
	return NULL;
}

static struct replica_env *find_opened(const char *path)
{
	struct replica_env *env = opened;
	while (env != NULL && (env->process != getpid() || strcmp(env->path, path) != 0))
		env = env->next;
	return env;
}

static enum replica_result join(
	struct replica_env *env, enum replica_mode mode, struct replica_env **joined)
{
	if (mode != REPLICA_READ && env->lost)
		return REPLICA_DAMAGED;
	if (mode != REPLICA_READ && (!env->writable || env->written))
		return REPLICA_BUSY;
	env->users++;
	env->written = env->written || mode != REPLICA_READ;
	*joined = env;
	return REPLICA_OK;
}

enum replica_result replica_env_open(const char *directory, uint64_t generation,
	enum replica_mode mode, int64_t max_bytes, struct replica_env **env, const char **why)
{
	char path[REPLICA_PATH_MAX];
	int error = 0;
	enum replica_result result = REPLICA_BUSY;
	replica_env_path(path, directory, generation);
	pthread_mutex_lock(&mutex);
	struct replica_env *found = find_opened(path);
	if (found == NULL) {
		found = open_new(path, generation, mode, max_bytes, &error);
		if (found != NULL) {
			found->next = opened;
			opened = found;
		}
	}
	result = found != NULL ? join(found, mode, env) : replica_env_result(error);
	pthread_mutex_unlock(&mutex);
	*why = error != 0 ? replica_env_words(error) : "open in this process already";
	return result;
}

void replica_env_leave(struct replica_env **left, enum replica_mode mode)
{
	struct replica_env *env = *left;
	*left = NULL;
	if (env == NULL)
		return;
	pthread_mutex_lock(&mutex);
	if (mode != REPLICA_READ)
		env->written = false;
	if (--env->users == 0) {
		struct replica_env **at = &opened;
		while (*at != env)
			at = &(*at)->next;
		*at = env->next;
		close_env(env);
	}
	pthread_mutex_unlock(&mutex);
}

void replica_env_lose(struct replica_env **env)
{
	pthread_mutex_lock(&mutex);
	(*env)->lost = true;
	pthread_mutex_unlock(&mutex);
	*env = NULL;
}

/* mdb_txn_begin() reads one of them; after a fault there what it has allocated is lost. */
static bool has_first_pages(const struct replica_env *env)
{
	struct stat file;
	int descriptor;
	return mdb_env_get_fd(env->lmdb, &descriptor) == 0 && fstat(descriptor, &file) == 0 &&
	       file.st_size >= 2 * (off_t)getpagesize();
}

int replica_env_begin(struct replica_env *env, MDB_txn **txn)
{
	if (*txn != NULL && mdb_txn_renew(*txn) == 0)
		return 0;
	if (*txn != NULL)
		mdb_txn_abort(*txn);
	*txn = NULL;
	if (!has_first_pages(env))
		return MDB_CORRUPTED;
	return mdb_txn_begin(env->lmdb, NULL, MDB_RDONLY, txn);
}
