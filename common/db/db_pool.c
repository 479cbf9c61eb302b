#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "base/workers.h"
#include "db/db_private.h"

enum {
	LIMIT_INITIAL = 32,
	BACK_OFF_FIRST_MS = 50,
	BACK_OFF_MAX_MS = 1000,
	/* One part in so many of the budget is left for the statement: a lease that comes too late
	   for it would only cost the connection. */
	LAST_PART = 8
};

struct db_pool {
	char *url;
	char *options;
	char name[DB_NAME_MAX];
	unsigned members;     /* of struct db; under `pools_lock` */
	struct db_pool *next; /* likewise */
	pthread_mutex_t lock; /* of what follows; never held while somebody waits for the server */
	pthread_cond_t changed;
	struct db_connection *idle; /* the one used last comes first */
	unsigned count;             /* connections, idle and leased */
	unsigned kept;              /* of these, never to be idle again */
	atomic_uint failures; /* in a row; not 0: the database is away. Written under the lock */
	bool tried;           /* while it is away: somebody is trying */
	uint64_t retry_at;    /* clock_monotonic(): do not connect before */
};

static pthread_mutex_t pools_lock = PTHREAD_MUTEX_INITIALIZER;
static struct db_pool *pools;
static atomic_uint limit = LIMIT_INITIAL;

void db_pool_limit(unsigned connections)
{
	atomic_store(&limit, connections > 0 ? connections : 1);
}

/* The options that the url sets itself; NULL when it cannot be read. Owned by the caller. */
static char *options_of(const char *url)
{
	PQconninfoOption *settings = PQconninfoParse(url, NULL);
	char *options = NULL;

	if (!settings)
		return NULL;
	for (const PQconninfoOption *setting = settings; setting->keyword; setting++)
		if (strcmp(setting->keyword, "options") == 0)
			options = strdup(setting->val ? setting->val : "");
	PQconninfoFree(settings);
	return options;
}

static void free_pool(struct db_pool *pool)
{
	struct db_connection *connection;

	while ((connection = pool->idle)) {
		workers_connections(LABEL_connection_IDLE, -1);
		pool->idle = connection->next;
		PQfinish(connection->session);
		free(connection);
	}
	pthread_cond_destroy(&pool->changed);
	pthread_mutex_destroy(&pool->lock);
	free(pool->url);
	free(pool->options);
	free(pool);
}

static struct db_pool *make_pool(const char *url, const char *name)
{
	struct db_pool *pool = calloc(1, sizeof(*pool));
	pthread_condattr_t monotonic;

	if (!pool)
		return NULL;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&pool->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	(void)text_copy(pool->name, sizeof(pool->name), name);
	pool->url = strdup(url);
	pool->options = options_of(url);
	if (pool->url && pool->options)
		return pool;
	free_pool(pool);
	return NULL;
}

struct db_pool *db_pool_join(const char *url, const char *program)
{
	char memory[DB_NAME_MAX];
	struct text name = text_fixed(memory, sizeof(memory));
	struct db_pool *pool;

	text_addf(&name, "linkshrink-%s", program);
	pthread_mutex_lock(&pools_lock);
	for (pool = pools; pool; pool = pool->next)
		if (strcmp(pool->url, url) == 0 && strcmp(pool->name, memory) == 0)
			break;
	if (!pool && (pool = make_pool(url, memory))) {
		pool->next = pools;
		pools = pool;
	}
	if (pool)
		pool->members++;
	pthread_mutex_unlock(&pools_lock);
	return pool;
}

void db_pool_leave(struct db_pool *pool)
{
	struct db_pool **place = &pools;
	bool last;

	pthread_mutex_lock(&pools_lock);
	last = --pool->members == 0;
	if (last) {
		while (*place != pool)
			place = &(*place)->next;
		*place = pool->next;
	}
	pthread_mutex_unlock(&pools_lock);
	if (last)
		free_pool(pool);
}

const char *db_pool_url(const struct db_pool *pool)
{
	return pool->url;
}

const char *db_pool_options(const struct db_pool *pool)
{
	return pool->options;
}

const char *db_pool_name(const struct db_pool *pool)
{
	return pool->name;
}

/* Under the lock: takes a connection if there may be one. DB_BUSY: not before another returns. */
static enum db_result take(struct db_pool *pool, struct db *db)
{
	bool away = atomic_load(&pool->failures) > 0;
	bool too_early = clock_monotonic() < pool->retry_at;

	if (away && (pool->tried || (!pool->idle && too_early)))
		return DB_DOWN;
	if (pool->idle) {
		workers_connections(LABEL_connection_IDLE, -1);
		db->connection = pool->idle;
		pool->idle = pool->idle->next;
	} else if (pool->count == 0 || (pool->count < atomic_load(&limit) && !too_early)) {
		/* Too early: the server answers on others but wants no more of them. */
		db->connection = calloc(1, sizeof(*db->connection));
		if (!db->connection)
			return DB_DOWN;
		pool->count++;
	} else {
		return DB_BUSY;
	}
	workers_connections(LABEL_connection_BUSY, 1);
	db->trying = pool->tried = away;
	return DB_OK;
}

static enum db_result wait_and_take(struct db_pool *pool, struct db *db)
{
	uint64_t end = db->deadline - (uint64_t)db->budget_ms * CLOCK_MS / LAST_PART;
	const struct timespec until = { .tv_sec = (time_t)(end / CLOCK_S),
		.tv_nsec = (long)(end % CLOCK_S) };
	enum db_result result;
	bool late = false;

	pthread_mutex_lock(&pool->lock);
	while ((result = take(pool, db)) == DB_BUSY && !late)
		late = pthread_cond_timedwait(&pool->changed, &pool->lock, &until) != 0;
	pthread_mutex_unlock(&pool->lock);
	return result;
}

enum db_result db_lease(struct db *db)
{
	enum db_result result = DB_OK;

	while (!db->connection && result == DB_OK) {
		result = wait_and_take(db->pool, db);
		if (result == DB_OK && db->connection->session &&
			db_has_ended(db->connection->session))
			db_drop(db);
	}
	return result;
}

static void stop_trying(struct db_pool *pool, struct db *db)
{
	if (db->trying)
		pool->tried = false;
	db->trying = false;
}

void db_return(struct db *db)
{
	struct db_pool *pool = db->pool;

	workers_connections(LABEL_connection_BUSY, -1);
	workers_connections(LABEL_connection_IDLE, 1);
	pthread_mutex_lock(&pool->lock);
	stop_trying(pool, db);
	db->connection->next = pool->idle;
	pool->idle = db->connection;
	db->connection = NULL;
	pthread_cond_signal(&pool->changed);
	pthread_mutex_unlock(&pool->lock);
}

void db_heard(struct db *db)
{
	struct db_pool *pool = db->pool;

	if (atomic_load(&pool->failures) == 0)
		return;
	pthread_mutex_lock(&pool->lock);
	atomic_store(&pool->failures, 0);
	workers_circuit(0);
	stop_trying(pool, db);
	pthread_mutex_unlock(&pool->lock);
}

static void put_off(struct db_pool *pool, const struct db *db)
{
	unsigned failures = atomic_load(&pool->failures);
	uint32_t delay = BACK_OFF_FIRST_MS << (failures < 5 ? failures : 5);

	/* Those who were under way when the first one failed say nothing new. */
	if (failures > 0 && !db->trying)
		return;
	if (delay > BACK_OFF_MAX_MS)
		delay = BACK_OFF_MAX_MS;
	atomic_store(&pool->failures, failures + 1);
	/* Half of it is chance, so that the processes do not all come back in the same moment. */
	pool->retry_at = clock_monotonic() + (delay / 2 + random_below(delay / 2 + 1)) * CLOCK_MS;
	/* As long as that, and while somebody tries again; if nobody wants to, nobody is refused. */
	workers_circuit(pool->retry_at + (uint64_t)db->budget_ms * CLOCK_MS);
}

bool db_is_alone(const struct db *db)
{
	struct db_pool *pool = db->pool;
	bool alone;

	pthread_mutex_lock(&pool->lock);
	alone = pool->count - pool->kept == 1;
	pthread_mutex_unlock(&pool->lock);
	return alone;
}

void db_keep(struct db *db)
{
	pthread_mutex_lock(&db->pool->lock);
	db->kept = true;
	db->pool->kept++;
	pthread_mutex_unlock(&db->pool->lock);
}

static void let_go(struct db *db, bool is_away)
{
	struct db_pool *pool = db->pool;

	if (!db->connection)
		return;
	workers_connections(LABEL_connection_BUSY, -1);
	PQfinish(db->connection->session);
	free(db->connection);
	db->connection = NULL;
	db->session_pid = 0;
	pthread_mutex_lock(&pool->lock);
	if (is_away)
		put_off(pool, db);
	stop_trying(pool, db);
	pool->count--;
	pool->kept -= db->kept;
	db->kept = false;
	pthread_cond_broadcast(&pool->changed);
	pthread_mutex_unlock(&pool->lock);
}

void db_drop(struct db *db)
{
	let_go(db, false);
}

void db_back_off(struct db *db)
{
	let_go(db, true);
}

void db_late(struct db *db)
{
	uint64_t took = clock_monotonic() - db->begun;

	let_go(db, db->trying || took >= (uint64_t)db->budget_ms * CLOCK_MS / 2);
}

enum db_result db_wait_for_others(struct db *db)
{
	struct db_pool *pool = db->pool;
	enum db_result result;

	pthread_mutex_lock(&pool->lock);
	pool->retry_at = clock_monotonic() + BACK_OFF_MAX_MS * CLOCK_MS;
	pthread_mutex_unlock(&pool->lock);
	db_drop(db);
	result = db_lease(db);
	db->begun = clock_monotonic();
	return result == DB_OK ? db_connect(db) : result;
}
