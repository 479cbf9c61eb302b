/*
 * Threads that leave hints, ring and wait while one takes them. A hint may be lost, never torn, and
 * the last one of each thread, which nobody overtakes, arrives.
 */
#include "base/hints.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bell.h"

enum { THREADS = 6, ROUNDS = 20000, ROOM = 64, PATIENCE_MS = 10 };

static _Atomic unsigned writing = THREADS;
static int failed;

static void say(const char *what, bool good)
{
	printf("%s - %s\n", good ? "ok" : "not ok", what);
	failed |= !good;
}

/* 64 times the same letter, so that half of one hint and half of another show. */
static void *leave(void *argument)
{
	char text[HINT_MAX + 1] = "";
	memset(text, 'a' + *(int *)argument, HINT_MAX);
	for (int i = 0; i < ROUNDS; i++) {
		hints_add(text);
		bell_ring(BELL_LINKS_WANTED);
	}
	writing--;
	return NULL;
}

static bool is_whole(const char *text)
{
	char letters[2] = { text[0], '\0' };
	return strspn(text, letters) == HINT_MAX && text[0] >= 'a' && text[0] < 'a' + THREADS;
}

int main(void)
{
	static char texts[ROOM][HINT_MAX + 1];
	char path[64];
	pthread_t threads[THREADS];
	int numbers[THREADS];
	unsigned long taken = 0, torn = 0;
	bool lost = false;
	snprintf(path, sizeof(path), "/dev/shm/linkshrink-stress-hints-%d", (int)getpid());
	say("the segment opens", segment_open(path));
	for (int i = 0; i < THREADS; i++) {
		numbers[i] = i;
		pthread_create(&threads[i], NULL, leave, &numbers[i]);
	}
	for (bool last = false; !last;) {
		uint32_t count = bell_count(BELL_LINKS_WANTED);
		last = writing == 0;
		unsigned got;
		while ((got = hints_take(texts, ROOM, &lost)) > 0)
			for (unsigned i = 0; i < got; i++, taken++)
				torn += !is_whole(texts[i]);
		if (!last)
			bell_wait(BELL_LINKS_WANTED, count, PATIENCE_MS);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	say("no hint is torn", torn == 0);
	say("hints arrive while others are left", taken > HINT_CELLS);
	hints_add("the-last");
	lost = false;
	say("the last one arrives",
		hints_take(texts, ROOM, &lost) == 1 && strcmp(texts[0], "the-last") == 0);
	unlink(segment_path());
	segment_close();
	return failed;
}
