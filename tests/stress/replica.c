/*
 * Threads that look links up, each by a reader of its own, beside a writer that commits and
 * publishes one generation after the other. No link may be missing or wrong, nor may a total be one
 * that no commit had, and ThreadSanitizer may find nothing.
 */
#include "domain/replica.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/segment.h"
#include "domain/replica_writer.h"

enum { THREADS = 6, LINKS = 300, GENERATIONS = 40, COMMITS = 5, A_READER = 500 };

static char directory[] = "/dev/shm/linkshrink-stress-replica.XXXXXX";
static atomic_bool done;
static atomic_uint found, missing, wrong, failed_writes, told, mistold;

static void set_link(struct replica_record *record, unsigned n, int64_t version)
{
	memset(record, 0, sizeof(*record));
	snprintf(record->link.code, sizeof(record->link.code), "link%04u", n);
	snprintf(record->link.target, sizeof(record->link.target), "https://example.com/%04u", n);
	record->link.id = n + 1;
	record->link.redirect_status = 302;
	record->link.version = version;
	record->link.owner = 1 + version % 2; /* all go from one to the other in each commit */
}

static void look_at_total(struct replica *replica)
{
	struct replica_total all, one;
	if (replica_total(replica, -1, &all)) {
		told++;
		if (all.active != LINKS)
			mistold++;
	}
	if (replica_total(replica, 1, &one) && one.active != 0 && one.active != LINKS)
		mistold++;
}

static void *look_up(void *argument)
{
	static _Thread_local struct replica_record wanted;
	unsigned n = *(unsigned *)argument;
	struct replica *replica = NULL;
	for (unsigned i = 0; !atomic_load(&done); i++) {
		struct link link;
		if (i % A_READER == 0) {
			replica_free(replica);
			replica = replica_new(directory);
		}
		n = (n * 31 + 7) % LINKS;
		set_link(&wanted, n, 1);
		enum link_result result =
			i % 2 ? replica_find(replica, NULL, wanted.link.code, &link)
			      : replica_find_id(replica, NULL, n + 1, &link);
		if (result != LINK_OK)
			missing++;
		else if (strcmp(link.target, wanted.link.target) != 0)
			wrong++;
		else
			found++;
		look_at_total(replica);
	}
	replica_free(replica);
	return NULL;
}

static void put_all(struct replica_writer *writer, int64_t version)
{
	static struct replica_record record;
	bool good = replica_writer_begin(writer) == REPLICA_OK;
	for (unsigned n = 0; n < LINKS && good; n++) {
		set_link(&record, n, version);
		good = replica_writer_put(writer, &record, NULL) == REPLICA_OK;
	}
	if (!good || replica_writer_commit(writer) != REPLICA_OK)
		failed_writes++;
}

static void build(struct replica_writer *writer)
{
	if (replica_writer_build(writer) != REPLICA_OK)
		failed_writes++;
	put_all(writer, 1);
	if (replica_writer_publish(writer) != REPLICA_OK)
		failed_writes++;
}

static void write_on(struct replica_writer *writer)
{
	for (unsigned generation = 0; generation < GENERATIONS; generation++) {
		unsigned before = found;
		build(writer);
		for (int64_t version = 2; version < 2 + COMMITS; version++)
			put_all(writer, version);
		if (replica_writer_check(writer) != REPLICA_OK)
			failed_writes++;
		while (found + missing + wrong < before + LINKS)
			usleep(100);
	}
}

static void clean_up(void)
{
	char path[128];
	snprintf(path, sizeof(path), "rm -rf %s", directory);
	if (system(path) != 0)
		printf("not ok - the directory is left\n");
}

static int say(const char *what, bool good)
{
	printf("%s - %s\n", good ? "ok" : "not ok", what);
	return !good;
}

int main(void)
{
	pthread_t threads[THREADS];
	unsigned seeds[THREADS];
	if (mkdtemp(directory) == NULL || !log_open("stress", "", LOG_ERROR))
		return 1;
	atomic_store(&segment_get()->replica.state, LABEL_state_FOLLOWING);
	atomic_store(&segment_get()->replica.seen, UINT64_MAX / 2); /* never silent */
	struct replica_writer *writer = replica_writer_new(directory, 16 << 20);
	build(writer);
	for (unsigned i = 0; i < THREADS; i++) {
		seeds[i] = i;
		pthread_create(&threads[i], NULL, look_up, &seeds[i]);
	}
	write_on(writer);
	atomic_store(&done, true);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	replica_writer_free(writer);
	clean_up();
	int failed = say("links were found all the time", found > 0 && missing == 0);
	failed |= say("each was the one that was looked for", wrong == 0);
	failed |= say("every change was written", failed_writes == 0);
	failed |= say("totals were told, and each was right", told > 0 && mistold == 0);
	return failed;
}
