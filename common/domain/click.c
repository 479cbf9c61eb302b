#include "domain/click.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/bell.h"
#include "base/clock.h"
#include "base/crc32c.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/segment.h"
#include "base/text.h"
#include "domain/agent.h"
#include "domain/click_file.h"
#include "domain/click_space.h"
#include "domain/referrer.h"
#include "domain/visitor.h"

enum { DIRECTORY_MAX = 1024, CRC_LEN = 8, SYNC_MS = 100, LOOK_MS = 1000 };

struct click_writer {
	char directory[DIRECTORY_MAX];
	int64_t node;
	struct visitor_hasher *hasher;
	struct click_file *file; /* NULL until the first click */
	/*
	 * Why clicks are dropped now; LABEL_reason_COUNT: they are not. Set by the writer when it
	 * fails, so that a broken disk costs the next click nothing, and by each look for room,
	 * after which the writer tries again.
	 */
	_Atomic unsigned refused;
	bool failing; /* and that was logged */
	struct click_writer *next;
};

/* All writers of this process. Never taken by click_record(): looking for room waits for disks. */
static pthread_mutex_t registry = PTHREAD_MUTEX_INITIALIZER;
static struct click_writer *writers;

struct click_writer *click_writer_new(const char *directory, int64_t node)
{
	struct click_writer *writer = calloc(1, sizeof(*writer));
	if (writer == NULL)
		return NULL;
	writer->hasher = visitor_hasher_new();
	if (writer->hasher == NULL || !text_copy(writer->directory, DIRECTORY_MAX, directory)) {
		visitor_hasher_free(writer->hasher);
		free(writer);
		return NULL;
	}
	writer->node = node;
	atomic_init(&writer->refused, LABEL_reason_COUNT);
	pthread_mutex_lock(&registry);
	writer->next = writers;
	writers = writer;
	pthread_mutex_unlock(&registry);
	return writer;
}

void click_writer_free(struct click_writer *writer)
{
	if (writer == NULL)
		return;
	pthread_mutex_lock(&registry);
	struct click_writer **link = &writers;
	while (*link != writer)
		link = &(*link)->next;
	*link = writer->next;
	pthread_mutex_unlock(&registry);
	click_file_finish(writer->file);
	click_files_sync();
	visitor_hasher_free(writer->hasher);
	free(writer);
}

static enum click_result drop(unsigned reason)
{
	metrics_add(METRIC_clicks_dropped, reason, 0, 1);
	return CLICK_DROPPED;
}

static enum click_result lose(struct click_writer *writer, unsigned reason, const char *why)
{
	if (!writer->failing)
		log_event(LOG_ERROR, "clicks_dropped", why);
	writer->failing = true;
	return drop(reason);
}

static enum click_result fail(struct click_writer *writer, int error)
{
	bool full = error == ENOSPC || error == EDQUOT;
	unsigned reason = full ? LABEL_reason_DISK_FULL : LABEL_reason_ERROR;
	atomic_store_explicit(&writer->refused, reason, memory_order_relaxed);
	return lose(writer, reason, strerrordesc_np(error));
}

/* Where room is wanting the file ends: only one that nobody writes to can leave and make room. */
static enum click_result refuse(struct click_writer *writer, unsigned reason)
{
	if (reason == LABEL_reason_SPOOL_FULL || reason == LABEL_reason_RESERVE) {
		click_file_finish(writer->file);
		writer->file = NULL;
	}
	return drop(reason);
}

static enum click_result keep(struct click_writer *writer)
{
	metrics_add(METRIC_clicks_spooled, 0, 0, 1);
	if (writer->failing)
		log_event(LOG_INFO, "clicks_kept_again", NULL);
	writer->failing = false;
	return CLICK_KEPT;
}

/* The file to write to; NULL and errno if there is none. */
static struct click_file *file_for(struct click_writer *writer, int64_t now)
{
	struct click_file *file = writer->file;
	if (file != NULL && !click_file_is_due(file, now))
		return file;
	struct click_file *another = click_file_new(writer->directory, writer->node, now);
	if (another == NULL && file != NULL && !click_file_is_spoilt(file)) {
		click_file_prolong(file, now);
		return file;
	}
	/* A spoilt one is let go in any case: its reader waits for its lock. */
	click_file_finish(file);
	writer->file = another;
	return another;
}

static void add_referrer(struct text *line, const char *referrer)
{
	char host[REFERRER_MAX + 1];
	text_add(line, referrer_read(referrer, host) ? host : "\\N");
	text_add_char(line, '\t');
}

static void add_agent(struct text *line, const struct click *click)
{
	struct agent agent = agent_read(click->user_agent);
	bool prefetch = agent_prefetches(click->purpose);
	text_add(line, agent.browser);
	text_add_char(line, '\t');
	text_add(line, agent.os);
	text_add_char(line, '\t');
	if (agent.bot)
		text_add_char(line, 'b');
	if (prefetch)
		text_add_char(line, 'p');
	if (!agent.bot && !prefetch)
		text_add_char(line, '-');
	text_add_char(line, '\t');
}

static void add_network(struct text *line, const char *client)
{
	char network[INET6_ADDRSTRLEN];
	address_truncate(client, network);
	text_add(line, network[0] != '\0' ? network : "\\N");
	if (network[0] != '\0')
		text_add(line, strchr(network, ':') != NULL ? "/48" : "/24");
	text_add_char(line, '\t');
}

static void add_number(struct text *line, int64_t number, char after)
{
	text_add_number(line, number);
	text_add_char(line, after);
}

static void add_checksum(struct text *line)
{
	static const char digits[] = "0123456789abcdef";
	const size_t begin = CRC_LEN + 1, newline = 1;
	uint32_t sum = crc32c(line->data + begin, line->len - begin - newline);
	for (unsigned i = 0; i < CRC_LEN; i++)
		line->data[i] = digits[sum >> (4 * (CRC_LEN - 1 - i)) & 15];
}

static void write_line(struct text *line, const struct click *click, struct visitor_hasher *hasher)
{
	text_add(line, "????????\t"); /* the checksum comes last */
	add_number(line, click->at, '\t');
	add_number(line, click->link, '\t');
	add_number(line, click->status, '\t');
	add_referrer(line, click->referrer);
	add_agent(line, click);
	add_network(line, click->client);
	add_number(line, visitor_number(hasher, click->at, click->client, click->user_agent), '\n');
	add_checksum(line);
}

/*
 * Killed before the write, the click is neither answered nor counted; after it, counted although
 * it is not answered: it was in flight. The metric comes after the write, so it never says more
 * than the spool holds.
 */
enum click_result click_record(struct click_writer *writer, const struct click *click)
{
	char memory[CLICK_LINE_MAX + 1];
	struct text line = text_fixed(memory, sizeof(memory));
	unsigned refused = atomic_load_explicit(&writer->refused, memory_order_relaxed);
	if (refused != LABEL_reason_COUNT)
		return refuse(writer, refused);
	if (click_files_hang())
		return lose(writer, LABEL_reason_ERROR, "the disk of the spool does not answer");
	struct click_file *file = file_for(writer, click->at);
	if (file == NULL)
		return fail(writer, errno);
	write_line(&line, click, writer->hasher);
	if (!click_file_append(file, line.data, line.len))
		return fail(writer, errno);
	return keep(writer);
}

static void say_room(enum label_reason reason)
{
	switch (reason) {
	case LABEL_reason_RESERVE:
		log_event(LOG_ERROR, "clicks_dropped", "the disk is down to its reserve");
		return;
	case LABEL_reason_SPOOL_FULL:
		log_event(LOG_ERROR, "clicks_dropped", "the spool is as large as it may be");
		return;
	default: log_event(LOG_INFO, "clicks_kept_again", NULL);
	}
}

/* For each directory of this process; in practice all writers share one. Whether room is low. */
static bool look_for_room(void)
{
	static enum label_reason said = LABEL_reason_COUNT;
	enum label_reason reason = LABEL_reason_COUNT;
	const char *directory = "";
	bool low = false;
	pthread_mutex_lock(&registry);
	for (struct click_writer *writer = writers; writer != NULL; writer = writer->next) {
		bool soon = false;
		if (strcmp(directory, writer->directory) != 0) {
			click_files_probe(writer->directory);
			reason = click_space(writer->directory, &soon);
		}
		directory = writer->directory;
		atomic_store_explicit(&writer->refused, reason, memory_order_relaxed);
		low = low || soon;
	}
	if (reason != said)
		say_room(reason);
	said = reason;
	pthread_mutex_unlock(&registry);
	return low;
}

unsigned click_sync(void)
{
	static _Atomic uint64_t look_at;
	uint64_t now = clock_monotonic();
	click_files_sync();
	if (now >= atomic_load_explicit(&look_at, memory_order_relaxed)) {
		bool low = look_for_room();
		atomic_store_explicit(
			&look_at, low ? 0 : now + LOOK_MS * CLOCK_MS, memory_order_relaxed);
		visitor_forget(clock_wall_ms());
	}
	return SYNC_MS;
}

unsigned click_look(void)
{
	click_files_look();
	return CLICK_LOOK_MS;
}

/* A click is counted before it is answered: none is missing while the last round found them all. */
static bool is_committed(uint64_t since)
{
	const struct segment *segment = segment_get();
	uint64_t until =
		atomic_load_explicit(&segment->clicks_committed_until, memory_order_acquire);
	uint64_t of = atomic_load_explicit(&segment->clicks_committed_of, memory_order_acquire);
	return until >= since || of == metrics_value(METRIC_clicks_spooled, 0, 0) + 1;
}

bool click_wait_committed(uint64_t since, unsigned ms)
{
	uint64_t end = clock_monotonic() + ms * CLOCK_MS;
	for (;;) {
		uint32_t rung = bell_count(BELL_CLICKS_COMMITTED);
		if (is_committed(since))
			return true;
		uint64_t now = clock_monotonic();
		if (now >= end)
			return false;
		bell_wait(BELL_CLICKS_COMMITTED, rung, (unsigned)((end - now) / CLOCK_MS + 1));
	}
}
