#include "domain/blocklist.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "domain/blocklist_private.h"

enum { SETTLED_MS = 100 /* more than two ticks of the clock that files get their times from */ };

/* What tells one state of the file from another. */
struct stamp {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec changed;
};

/* Replaced by the thread that looks. Others hold the lock as they read it, so that it stays. */
static struct blocklist *current;
/* Who replaces it goes first: there may always be somebody who asks. */
static pthread_rwlock_t lock = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;

/* Of the thread that looks: the file that was read last, and what was wrong with it. */
static struct stamp seen;
static const char *seen_fault;
static bool failing;

bool blocklist_holds(const struct target_host *host)
{
	pthread_rwlock_rdlock(&lock);
	bool held = current != NULL && blocklist_covers(current, host);
	pthread_rwlock_unlock(&lock);
	return held;
}

static void publish(struct blocklist *list)
{
	struct blocklist *former = current;
	pthread_rwlock_wrlock(&lock);
	current = list;
	pthread_rwlock_unlock(&lock);
	blocklist_free(former);
}

static void say_loaded(const struct blocklist *list)
{
	struct log_line said;
	log_begin(&said, LOG_INFO, "blocklist_loaded");
	log_field_number(&said, "hosts", (int64_t)list->count);
	log_field_number(&said, "bad_lines", (int64_t)list->bad_lines);
	log_end(&said);
}

/* NULL, or why the list stays as it was. */
static const char *load(FILE *file)
{
	struct blocklist *list = blocklist_new();
	const char *fault = list == NULL ? "no memory" : blocklist_read(list, file);
	if (fault != NULL) {
		blocklist_free(list);
		return fault;
	}
	blocklist_complete(list);
	say_loaded(list);
	publish(list);
	return NULL;
}

static bool is_same(const struct stamp *left, const struct stamp *right)
{
	return left->device == right->device && left->inode == right->inode &&
	       left->size == right->size && left->changed.tv_sec == right->changed.tv_sec &&
	       left->changed.tv_nsec == right->changed.tv_nsec;
}

/* A file that changed just now may change again and still bear the same time. */
static bool is_settled(const struct stamp *stamp)
{
	int64_t changed = stamp->changed.tv_sec * INT64_C(1000) + stamp->changed.tv_nsec / 1000000;
	int64_t age = clock_wall_ms() - changed;
	return age > SETTLED_MS || age < -SETTLED_MS;
}

/* NULL, or why the file is not to be read. */
static const char *take_stamp(int descriptor, struct stamp *stamp)
{
	struct stat status;
	if (fstat(descriptor, &status) != 0)
		return strerrordesc_np(errno);
	if (!S_ISREG(status.st_mode))
		return "it is not a file";
	*stamp = (struct stamp){ .device = status.st_dev,
		.inode = status.st_ino,
		.size = status.st_size,
		.changed = status.st_mtim };
	return NULL;
}

/* NULL, or what keeps the list from being what the file says. */
static const char *look_into(FILE *file)
{
	struct stamp stamp;
	const char *fault = take_stamp(fileno(file), &stamp);
	if (fault != NULL)
		return fault;
	if (!is_same(&stamp, &seen)) {
		seen_fault = load(file);
		seen = is_settled(&stamp) ? stamp : (struct stamp){ 0 };
	}
	return seen_fault;
}

static const char *look(const char *path)
{
	/* Nobody is to hang in a pipe. */
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (descriptor < 0)
		return strerrordesc_np(errno);
	FILE *file = fdopen(descriptor, "r");
	if (file == NULL) {
		close(descriptor);
		return "no memory";
	}
	const char *fault = look_into(file);
	fclose(file);
	return fault;
}

static void forget(void)
{
	seen = (struct stamp){ 0 };
	if (current != NULL)
		publish(NULL);
}

static void say_fault(const char *path, const char *fault)
{
	struct log_line said;
	if (failing == (fault != NULL))
		return;
	failing = fault != NULL;
	log_begin(&said, failing ? LOG_ERROR : LOG_INFO,
		failing ? "blocklist_not_read" : "blocklist_read_again");
	log_field(&said, "path", path);
	log_field(&said, "error", fault);
	log_end(&said);
}

/* Each time, not only after a change: the segment may be a new one. */
static void set_gauges(const char *fault)
{
	metrics_set(METRIC_blocklist_unreadable, 0, 0, fault != NULL);
	if (fault != NULL && current == NULL)
		return; /* a sibling may have a list from before */
	metrics_set(METRIC_blocklist_hosts, 0, 0, current == NULL ? 0 : (int64_t)current->count);
	metrics_set(METRIC_blocklist_bad_lines, 0, 0,
		current == NULL ? 0 : (int64_t)current->bad_lines);
}

void blocklist_look(const char *path)
{
	const char *fault = NULL;
	if (*path == '\0')
		forget();
	else
		fault = look(path);
	say_fault(path, fault);
	set_gauges(fault);
}
