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

static void deliver(struct wish *wish, enum link_result result, int session_pid)
{
	if (wish->state == ABANDONED) {
		free_wish(wish);
		return;
	}
	wish->result = result;
	wish->session_pid = session_pid;
	wish->state = DONE;
	pthread_cond_signal(&wish->changed);
}

/* Lets go of the lock while it stores. */
static void lead(struct wish *own, link_group_store store)
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
	for (unsigned i = 0; i < count; i++)
		deliver(wishes[i], results[i], db_session_pid(own->db));
}

/* Until it is stored or to be stored by this thread; false when the deadline came first. */
static bool wait_in_turn(struct wish *wish)
{
	uint64_t deadline = db_deadline(wish->db);
	const struct timespec until = { .tv_sec = (time_t)(deadline / CLOCK_S),
		.tv_nsec = (long)(deadline % CLOCK_S) };

	while (wish->state == WAITING || wish->state == TAKEN)
		if (pthread_cond_timedwait(&wish->changed, &lock, &until) != 0)
			break;
	return wish->state == DONE || (wish->state == LEADING && clock_monotonic() < deadline);
}

/* It is too late. False when a leader has the wish and shall free it. */
static bool withdraw(struct wish *wish)
{
	if (wish->state == TAKEN) {
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

enum link_result link_group_create(struct db *db, struct link *link, link_group_store store)
{
	struct wish *wish = make_wish(db, link);
	enum link_result result = LINK_DOWN;
	uint64_t begin = clock_monotonic();
	bool in_time, own = true;

	if (!wish)
		return LINK_DOWN;
	pthread_mutex_lock(&lock);
	enqueue(wish);
	if (needs_leader())
		set_state(wish, LEADING);
	in_time = wait_in_turn(wish);
	db_charge(db, clock_monotonic() - begin, wish->session_pid);
	if (!in_time)
		own = withdraw(wish);
	else if (wish->state == LEADING)
		lead(wish, store);
	pthread_mutex_unlock(&lock);
	if (!own)
		return LINK_DOWN;
	result = wish->result;
	if (result == LINK_OK)
		*link = wish->link;
	free_wish(wish);
	return result;
}
