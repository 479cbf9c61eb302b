/*
 * Threads that ask for hosts while the file changes all the time, by a new one in its place, and is
 * gone now and then. What is on every list is always blocked, what is on none never.
 */
#include "domain/blocklist.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/metrics.h"
#include "base/segment.h"

enum { THREADS = 4, CHANGES = 400, HOSTS = 200 };

static atomic_bool changing = true;
static _Atomic unsigned long asked, missed, wrong;
static char file[96], fresh[96];
static int failed;

static void say(const char *what, bool good)
{
	printf("%s - %s\n", good ? "ok" : "not ok", what);
	failed |= !good;
}

static bool blocks(const char *name)
{
	struct target_host host;
	return target_host_read(name, strlen(name), &host) == NULL && blocklist_holds(&host);
}

static void *ask(void *argument)
{
	(void)argument;
	while (changing) {
		missed += !blocks("always.example") + !blocks("www.always.example");
		wrong += blocks("never.example");
		asked++;
	}
	return NULL;
}

/* All lists have another length, as the lists of real life. */
static void change(int number)
{
	FILE *to = fopen(fresh, "w");
	for (int i = 0; to != NULL && i < HOSTS + number; i++)
		fprintf(to, "host-%d.of-%d.example\n", i, number);
	if (to != NULL) {
		fprintf(to, "always.example\nonly-%d.example\n", number);
		fclose(to);
	}
	rename(fresh, file);
	blocklist_look(file);
}

static void vanish(void)
{
	unlink(file);
	blocklist_look(file);
}

int main(void)
{
	pthread_t threads[THREADS];
	char path[64], last[64], former[64];
	snprintf(path, sizeof(path), "/dev/shm/linkshrink-stress-blocklist-%d", (int)getpid());
	snprintf(file, sizeof(file), "%s.hosts", path);
	snprintf(fresh, sizeof(fresh), "%s.fresh", path);
	snprintf(last, sizeof(last), "only-%d.example", CHANGES - 1);
	snprintf(former, sizeof(former), "only-%d.example", CHANGES - 2);
	log_open("stress", "/dev/null", LOG_ERROR);
	say("the segment opens", segment_open(path));
	change(0);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, ask, NULL);
	for (int i = 1; i < CHANGES; i++) {
		change(i);
		if (i % 10 == 0)
			vanish();
	}
	changing = false;
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	say("threads asked all the time", asked > CHANGES);
	say("what is on every list is always blocked", missed == 0);
	say("what is on none never is", wrong == 0);
	say("the last list holds", blocks(last) && !blocks(former));
	say("the gauge says how long it is",
		metrics_value(METRIC_blocklist_hosts, 0, 0) == HOSTS + CHANGES - 1 + 2);
	blocklist_look("");
	say("without a file nothing is blocked", !blocks("always.example"));
	unlink(file);
	unlink(segment_path());
	segment_close();
	return failed;
}
