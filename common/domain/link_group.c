#include "domain/link_group.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"

enum {
	/* While one waits for the disk of the database, the other's links are on their way … */
	LEADERS = 2,
	/* … but only where so many wait: a statement of few costs the database more for each. */
	ENOUGH = 16
};

enum wish_state {
	WAITING, /* in the queue */
	LEADING, /* likewise: its thread is to store what is in the queue */
	TAKEN,   /* a leader stores it, and owns it if it is abandoned meanwhile */
	STORED,  /* likewise, but that the result is known */
	DONE,
	ABANDONED
};

/* A copy of what one thread wants, which can outlive its patience. */
struct wish {
	struct link link;
	struct db *db; /* of its thread; only while that waits */
	enum wish_state state;
	enum link_result result;
	int session_pid; /* of the session that stored it */
	pthread_cond_t changed;
	struct wish *next; /* in the queue */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of all below and of what is in it */
static struct wish *queue;
static unsigned waiting; /* wishes in that state */
static unsigned leaders;

static struct wish *make_wish(struct db *db, const struct link *link)
{
	struct wish *wish = malloc(sizeof(*wish));
	pthread_condattr_t monotonic;

	if (!wish)
		return NULL;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&wish->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	wish->link = *link;
	wish->db = db;
	wish->state = WAITING;
	wish->result = LINK_DOWN;
	wish->session_pid = 0;
	wish->next = NULL;
	return wish;
}

static void free_wish(struct wish *wish)
{
	pthread_cond_destroy(&wish->changed);
	free(wish);
}

static void enqueue(struct wish *wish)
{
	struct wish **place = &queue;

	while (*place)
		place = &(*place)->next;
	*place = wish;
	waiting++;
}

static void dequeue(struct wish *wish)
{
	struct wish **place = &queue;

	while (*place != wish)
		place = &(*place)->next;
	*place = wish->next;
}

static void set_state(struct wish *wish, enum wish_state state)
{
	waiting -= wish->state == WAITING;
	leaders += state == LEADING;
	wish->state = state;
}

static bool needs_leader(void)
{
	return leaders == 0 ? waiting > 0 : leaders < LEADERS && waiting >= ENOUGH;
}

/* One leader less; the next one is who has the most time left. */
static void pass_on(void)
{
	struct wish *next = NULL;

	leaders--;
	if (!needs_leader())
		return;
	for (struct wish *wish = queue; wish; wish = wish->next)
		if (wish->state == WAITING &&
			(!next || db_deadline(wish->db) > db_deadline(next->db)))
			next = wish;
	set_state(next, LEADING);
	pthread_cond_signal(&next->changed);
}

static unsigned take(struct wish *own, struct wish *wishes[LINK_GROUP_MAX])
{
	struct wish **place = &queue;
	unsigned count = 1;

	dequeue(own);
	wishes[0] = own;
	while (*place && count < LINK_GROUP_MAX) {
		struct wish *wish = *place;

		if (wish->state == WAITING && db_same(wish->db, own->db)) {
			*place = wish->next;
			set_state(wish, TAKEN);
			wishes[count++] = wish;
		} else {
			place = &wish->next;
		}
	}
	return count;
}

static void deliver(struct wish *wish)
{
	if (wish->state == ABANDONED) {
		free_wish(wish);
		return;
	}
	wish->state = DONE;
	pthread_cond_signal(&wish->changed);
}

static void settle_all(struct wish *const wishes[], unsigned count, link_settle settle)
{
	const char *codes[LINK_GROUP_MAX];
	unsigned stored = 0;

	for (unsigned i = 0; i < count; i++)
		if (wishes[i]->result == LINK_OK)
			codes[stored++] = wishes[i]->link.code;
	if (settle && stored > 0)
		settle(codes, stored);
}

/* Lets go of the lock while it stores, and while it settles. */
static void lead(struct wish *own, link_group_store store, link_settle settle)
{
	struct wish *wishes[LINK_GROUP_MAX];
	struct link *links[LINK_GROUP_MAX];
	enum link_result results[LINK_GROUP_MAX];
	unsigned count = take(own, wishes);

	for (unsigned i = 0; i < count; i++)
		links[i] = &wishes[i]->link;
	pthread_mutex_unlock(&lock);
	store(own->db, links, results, count);
	pthread_mutex_lock(&lock);
	pass_on();
	for (unsigned i = 0; i < count; i++) {
		wishes[i]->result = results[i];
		wishes[i]->session_pid = db_session_pid(own->db);
		if (wishes[i]->state == TAKEN)
			wishes[i]->state = STORED;
	}
	pthread_mutex_unlock(&lock);
	settle_all(wishes, count, settle);
	pthread_mutex_lock(&lock);
	for (unsigned i = 0; i < count; i++)
		deliver(wishes[i]);
}

/*
 * Until it is stored and settled, or to be stored by this thread; false when the deadline came
 * before it was stored.
 */
static bool wait_in_turn(struct wish *wish)
{
	uint64_t deadline = db_deadline(wish->db);
	const struct timespec until = { .tv_sec = (time_t)(deadline / CLOCK_S),
		.tv_nsec = (long)(deadline % CLOCK_S) };

	while (wish->state == WAITING || wish->state == TAKEN || wish->state == STORED)
		if (pthread_cond_timedwait(&wish->changed, &lock, &until) != 0)
			break;
	return wish->state == DONE || wish->state == STORED ||
	       (wish->state == LEADING && clock_monotonic() < deadline);
}

/* It is too late. False when a leader has the wish and shall free it. */
static bool withdraw(struct wish *wish)
{
	if (wish->state == TAKEN || wish->state == STORED) {
		wish->state = ABANDONED;
		return false;
	}
	dequeue(wish);
	if (wish->state == LEADING)
		pass_on();
	else
		waiting--;
	return true;
}

/* What this thread gets to know; the wish is its own again unless a leader still has it. */
static enum link_result take_result(struct wish *wish, struct link *link, bool *own)
{
	enum link_result result = wish->result;

	if (result == LINK_OK)
		*link = wish->link;
	*own = wish->state == DONE || withdraw(wish);
	return result;
}

enum link_result link_group_create(
	struct db *db, struct link *link, link_group_store store, link_settle settle)
{
	struct wish *wish = make_wish(db, link);
	enum link_result result = LINK_DOWN;
	uint64_t begin = clock_monotonic();
	bool own;

	if (!wish)
		return LINK_DOWN;
	pthread_mutex_lock(&lock);
	enqueue(wish);
	if (needs_leader())
		set_state(wish, LEADING);
	bool in_time = wait_in_turn(wish);
	db_charge(db, clock_monotonic() - begin, wish->session_pid);
	if (in_time && wish->state == LEADING)
		lead(wish, store, settle);
	result = take_result(wish, link, &own);
	pthread_mutex_unlock(&lock);
	if (own)
		free_wish(wish);
	return result;
}
