/*
 * load - what people do to a stack, by clients that remember every answer.
 *
 *   load run PORT CLIENTS RATE SEED DIRECTORY [PATIENCE [CREATES]]
 *   load verify PORT CLIENTS <links              asks for each "<code> <target>" by HEAD
 *
 * run: RATE requests a second from the next whole second on, until SIGTERM. CREATES in a hundred (10)
 * create a link; the rest follows links that were acknowledged: old ones, a few popular ones, and
 * those made a moment ago. Some ask by HEAD, some for what does not exist. What it learns is written
 * by score.h. It ends with 0 if all of it could be written.
 *
 * The load is open: each request is due at its time, whatever became of those before, as people don't
 * wait for each other. Whoever of the clients is free takes the next one. If none is for PATIENCE ms
 * (10000), its user has given up and nothing is sent. CLIENTS of RATE * PATIENCE, and by CREATES more
 * since who creates a link then follows it, have somebody free at any time. What is asked late is
 * waited for PATIENCE from then, for the books, but the score counts from when it was due.
 *
 * verify prints each link that does not lead to its target within some tries, which none of them
 * counts as a click. It ends with 0 if all of them do, and was not stopped before.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "torture/client.h"
#include "torture/score.h"

enum {
	CLIENTS_MAX = 512,
	PATIENCE_MS = 10000, /* longer than lighttpd waits for a program */
	CREATES_PERCENT = 10,
	POPULAR = 32,     /* links that get much of the attention */
	CUSTOM_EVERY = 8, /* of the links made, one in that many has a code of its maker's choice */
	STRANGER_EVERY = 30, /* of the rest, one in that many asks for what never existed */
	HEAD_EVERY = 32,     /* of the others, one in that many asks by HEAD */
	VERIFY_TRIES = 40,   /* with a pause between them */
	VERIFY_PAUSE_MS = 250
};

static struct {
	int port;
	long clients, seed;
	uint32_t mark;            /* in codes of its own choice: others may load the same stack */
	struct schedule schedule; /* and all above: nobody writes once there are threads */
	/* What one thread learns from another by these is their value alone, so any order would do. */
	atomic_long taken; /* requests of the schedule; the next one's number */
	atomic_long created, strangers;
	atomic_bool failed;
	/* Until it is posted nothing stops. Written before that, and read after. */
	sem_t stopping;
	_Atomic uint64_t end; /* clock_monotonic(); what is due later nobody asks */
} run;

struct person {
	pthread_t thread;
	struct client *client;
	long number;    /* of its request in the schedule */
	uint64_t state; /* of the random choices for that */
};

/* Whether it is to stop; waits for that until then. Each who hears of it tells the next one. */
static bool stopped_before(uint64_t then)
{
	const struct timespec until = { .tv_sec = (time_t)(then / CLOCK_S),
		.tv_nsec = (long)(then % CLOCK_S) };
	int waited;
	do
		waited = sem_clockwait(&run.stopping, CLOCK_MONOTONIC, &until);
	while (waited != 0 && errno == EINTR);
	if (waited == 0)
		sem_post(&run.stopping);
	return waited == 0;
}

static bool stopped(void)
{
	return stopped_before(0);
}

/* The scrambler of Steele, Lea and Flood's SplitMix64. */
static uint64_t scramble(uint64_t state)
{
	state = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9;
	state = (state ^ (state >> 27)) * 0x94d049bb133111eb;
	return state ^ (state >> 31);
}

static unsigned choose(struct person *person, unsigned bound)
{
	person->state += 0x9e3779b97f4a7c15;
	return (unsigned)(scramble(person->state) >> 32) % bound;
}

/* Its own errors have a detail, those of the programs that look like them do not. What has no body
 * cannot be told apart, so it gets the benefit of the doubt. */
static enum score_from who_answered(const struct client *client, int status)
{
	const char *end = strstr(client->answer, "\r\n\r\n");
	if (status < 500 || end == NULL)
		return SCORE_PROGRAM;
	if (end[4] == '\0')
		return status == 503 ? SCORE_PROGRAM : SCORE_EDGE;
	return strstr(end, "\"detail\":") != NULL ? SCORE_EDGE : SCORE_PROGRAM;
}

static int ask(struct client *client, const char *method, const char *code)
{
	char request[256];
	int len = snprintf(request, sizeof(request), "%s /%s HTTP/1.1\r\nHost: localhost\r\n\r\n",
		method, code);
	return client_ask(client, request, (size_t)len);
}

/* NULL when it is what it should be, or a 503 that a program gave; else the kind of event. */
static const char *judge(const struct client *client, int status, const char *target)
{
	switch (status) {
	case 302: return client_has_header(client, "Location", target) ? NULL : "wrong-location";
	case CLIENT_UNKNOWN: return "no-answer";
	case CLIENT_NOT_SENT: return NULL;
	case 404:
	case 410: return "lost-link";
	}
	if (who_answered(client, status) == SCORE_EDGE)
		return "edge";
	if (status == 503)
		return NULL;
	return status >= 500 ? "program-error" : "odd-status";
}

/* A program's 503 redirects nobody; whatever else broke may have done so before. */
static void count_click(struct score_link *link, const struct client *client, int status)
{
	if (status == 302)
		atomic_fetch_add(&link->acknowledged, 1);
	else if (status == CLIENT_UNKNOWN ||
		 (status >= 500 && (status != 503 || who_answered(client, status) == SCORE_EDGE)))
		atomic_fetch_add(&link->unknown, 1);
}

static enum seconds_score follow(
	struct person *person, enum score_asked asked, struct score_link *link)
{
	char target[SCORE_TARGET_MAX + 1], age[32];
	score_target(target, link->number);
	snprintf(age, sizeof(age), "age=%ldms",
		(long)((clock_monotonic() - link->since) / CLOCK_MS));
	int status = ask(person->client, asked == SCORE_HEAD ? "HEAD" : "GET", link->code);
	const char *kind = judge(person->client, status, target);
	const bool good = status == 302 && kind == NULL;
	if (asked != SCORE_HEAD)
		count_click(link, person->client, status);
	if (good)
		score_good_redirect();
	if (kind != NULL)
		score_event(kind, asked, link->code, status, age);
	score_answer(asked, who_answered(person->client, status), status);
	return good ? SECONDS_GOOD : SECONDS_BAD;
}

/* What never existed is 404, or 503 while nobody can say that. */
static enum seconds_score ask_for_stranger(struct person *person)
{
	char code[SCORE_CODE_MAX + 1];
	snprintf(code, sizeof(code), "stranger-%ld", atomic_fetch_add(&run.strangers, 1));
	int status = ask(person->client, "GET", code);
	enum score_from from = who_answered(person->client, status);
	if (status >= 100 && status != 404 && status != 503 && from == SCORE_PROGRAM)
		score_event("odd-status", SCORE_STRANGER, code, status, "-");
	score_answer(SCORE_STRANGER, from, status);
	if (status == 503)
		return SECONDS_NEITHER;
	return status == 404 || status == 410 ? SECONDS_GOOD : SECONDS_BAD;
}

static enum score_asked choose_method(struct person *person)
{
	return choose(person, HEAD_EVERY) == 0 ? SCORE_HEAD : SCORE_GET;
}

/* The request, and in wanted the code that it asks for, "" for any. */
static size_t build_wish(char *request, size_t room, long number, char wanted[SCORE_CODE_MAX + 1])
{
	char target[SCORE_TARGET_MAX + 1], body[256];
	score_target(target, number);
	wanted[0] = '\0';
	int len = snprintf(body, sizeof(body), "{\"url\":\"%s\"}", target);
	if (number % CUSTOM_EVERY == 0) {
		snprintf(wanted, SCORE_CODE_MAX + 1, "own-%08x-%ld", run.mark, number);
		len = snprintf(body, sizeof(body), "{\"url\":\"%s\",\"short_code\":\"%s\"}", target,
			wanted);
	}
	return (size_t)snprintf(request, room,
		"POST /shorten HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
		"Content-Length: %d\r\n\r\n%s",
		len, body);
}

/* The link, if it was acknowledged. */
static struct score_link *keep(const struct client *client, long number, const char *wanted)
{
	char code[SCORE_CODE_MAX + 2];
	client_json_text(client, "short_code", code, sizeof(code));
	if (code[0] == '\0' || (wanted[0] != '\0' && strcmp(code, wanted) != 0)) {
		score_event("wrong-code", SCORE_CREATE, wanted, 201, code);
		return NULL;
	}
	struct score_link *link = score_add_link(code, number);
	if (link == NULL)
		atomic_store(&run.failed, true);
	return link;
}

static void note_create(const struct client *client, int status, const char *wanted)
{
	enum score_from from = who_answered(client, status);
	score_answer(SCORE_CREATE, from, status);
	if (status == 201 || status == CLIENT_NOT_SENT)
		return;
	if (status == CLIENT_UNKNOWN || from == SCORE_EDGE)
		score_event(status > 0 ? "edge" : "no-answer", SCORE_CREATE, "-", status, "-");
	else if (status != 503)
		score_event(status >= 500 ? "program-error" : "odd-status", SCORE_CREATE, "-",
			status, wanted);
}

static void create(struct person *person)
{
	char request[512], wanted[SCORE_CODE_MAX + 1];
	struct score_link *link = NULL;
	const long number = atomic_fetch_add(&run.created, 1);
	size_t len = build_wish(request, sizeof(request), number, wanted);
	int status = client_ask(person->client, request, len);
	note_create(person->client, status, wanted);
	if (status == 201)
		link = keep(person->client, number, wanted);
	seconds_score(person->number, SECONDS_CREATE, link != NULL ? SECONDS_GOOD : SECONDS_BAD);
	if (link != NULL) {
		/* Its maker follows it at once. That was not due, so it is in no second. */
		score_maker_follow();
		follow(person, choose_method(person), link);
	}
}

/* Any of them, a popular one, or one of the newest. */
static struct score_link *choose_link(struct person *person, unsigned links)
{
	const unsigned few = links < POPULAR ? links : POPULAR;
	switch (choose(person, 4)) {
	case 0: return score_link(choose(person, few));
	case 1: return score_link((long)links - 1 - choose(person, few));
	default: return score_link(choose(person, links));
	}
}

/* What is to be asked, the same for the same seed, whoever does it. */
static enum score_asked choose_request(struct person *person)
{
	person->state = scramble((uint64_t)run.seed + 1) + scramble((uint64_t)person->number + 1);
	if (schedule_kind(&run.schedule, person->number) == SECONDS_CREATE)
		return SCORE_CREATE;
	return choose(person, STRANGER_EVERY) == 0 ? SCORE_STRANGER : choose_method(person);
}

static enum seconds_kind kind_of(enum score_asked asked)
{
	return asked == SCORE_CREATE ? SECONDS_CREATE : SECONDS_REDIRECT;
}

/* Without a link there is none to follow, and not for ever is there room for more. */
static enum score_asked make_possible(struct person *person, enum score_asked asked)
{
	const long links = score_links();
	enum score_asked possible = asked;
	if (links == 0)
		possible = SCORE_CREATE;
	else if (asked == SCORE_CREATE && links >= SCORE_LINKS - CLIENTS_MAX)
		possible = choose_method(person);
	if (kind_of(possible) != kind_of(asked))
		seconds_change(person->number, kind_of(asked), kind_of(possible));
	return possible;
}

static void serve(struct person *person)
{
	enum score_asked asked = choose_request(person);
	enum seconds_score score = SECONDS_BAD;
	if (clock_monotonic() > schedule_until(&run.schedule, person->number)) {
		score_not_served(asked);
		seconds_score(person->number, kind_of(asked), SECONDS_BAD);
		return;
	}
	asked = make_possible(person, asked);
	switch (asked) {
	case SCORE_CREATE: create(person); return;
	case SCORE_STRANGER: score = ask_for_stranger(person); break;
	case SCORE_GET:
	case SCORE_HEAD:
		score = follow(person, asked, choose_link(person, (unsigned)score_links()));
		break;
	case SCORE_ASKED_COUNT: return;
	}
	seconds_score(person->number, SECONDS_REDIRECT, score);
}

/* All that was due before the end is served, so that no second is in part. */
static void *live(void *argument)
{
	struct person *person = argument;
	for (;;) {
		person->number = atomic_fetch_add(&run.taken, 1);
		const uint64_t due = schedule_due(&run.schedule, person->number);
		if (stopped_before(due) && due > atomic_load(&run.end))
			return NULL;
		serve(person);
	}
}

/* ---- verify */

static pthread_mutex_t reading = PTHREAD_MUTEX_INITIALIZER;

static bool next_link(char code[SCORE_CODE_MAX + 1], char target[SCORE_TARGET_MAX + 1])
{
	_Static_assert(SCORE_CODE_MAX == 23 && SCORE_TARGET_MAX == 63, "as scanf has them");
	pthread_mutex_lock(&reading);
	bool read = scanf("%23s %63s", code, target) == 2;
	pthread_mutex_unlock(&reading);
	return read;
}

static void *verify(void *argument)
{
	struct person *person = argument;
	char code[SCORE_CODE_MAX + 1], target[SCORE_TARGET_MAX + 1];
	while (!stopped() && next_link(code, target)) {
		int status = 0;
		bool right = false;
		for (int i = 0; i < VERIFY_TRIES && !right; i++) {
			if (i > 0 && stopped_before(clock_monotonic() + VERIFY_PAUSE_MS * CLOCK_MS))
				break;
			status = ask(person->client, "HEAD", code);
			right = status == 302 &&
				client_has_header(person->client, "Location", target);
		}
		if (!right) {
			printf("%s %s %d\n", code, target, status);
			atomic_store(&run.failed, true);
		}
	}
	return NULL;
}

/* ---- The program */

static void stop(int signal)
{
	(void)signal;
	uint64_t none = 0;
	atomic_compare_exchange_strong(&run.end, &none, clock_monotonic());
	sem_post(&run.stopping);
}

static struct person persons[CLIENTS_MAX];

static bool begin(void *(*does)(void *))
{
	for (long i = 0; i < run.clients; i++) {
		persons[i].client = client_new(run.port, run.schedule.patience);
		if (persons[i].client == NULL ||
			pthread_create(&persons[i].thread, NULL, does, &persons[i]) != 0)
			return false;
	}
	return true;
}

static void join(void)
{
	for (long i = 0; i < run.clients; i++) {
		pthread_join(persons[i].thread, NULL);
		client_free(persons[i].client);
	}
}

static bool run_load(const char *directory)
{
	schedule_begin(&run.schedule);
	run.mark = (uint32_t)scramble(run.schedule.begin + (uint64_t)getpid());
	if (!score_open(directory, &run.schedule) || !begin(live))
		return false;
	while (!stopped_before(seconds_write())) {
		/* What was due in that second is scored, or too late. */
	}
	seconds_end(atomic_load(&run.end));
	join();
	return score_close() && !run.failed;
}

static bool run_verify(void)
{
	if (!begin(verify))
		return false;
	join();
	return !run.failed && !stopped();
}

static int usage(void)
{
	fputs("usage: load run PORT CLIENTS RATE SEED DIRECTORY [PATIENCE [CREATES]]\n"
	      "       load verify PORT CLIENTS <links\n",
		stderr);
	return 2;
}

static bool number(const char *from, long least, long most, long *to)
{
	int64_t read;
	bool good = text_to_number(from, least, most, &read);
	if (good)
		*to = (long)read;
	return good;
}

static bool read_arguments(int argc, char **argv, long *port, long *patience)
{
	const bool verifies = argc == 4 && strcmp(argv[1], "verify") == 0;
	struct schedule *schedule = &run.schedule;
	if (!verifies && (argc < 7 || argc > 9 || strcmp(argv[1], "run") != 0))
		return false;
	if (!number(argv[2], 1, 65535, port) || !number(argv[3], 1, CLIENTS_MAX, &run.clients))
		return false;
	return verifies ||
	       (number(argv[4], 1, 1000000, &schedule->rate) &&
		       number(argv[5], 0, INT32_MAX, &run.seed) &&
		       (argc < 8 || number(argv[7], 100, SECONDS_PATIENCE_MAX_MS, patience)) &&
		       (argc < 9 || number(argv[8], 0, 100, &schedule->creates)));
}

int main(int argc, char **argv)
{
	long port, patience = PATIENCE_MS;
	run.schedule.creates = CREATES_PERCENT;
	if (!read_arguments(argc, argv, &port, &patience))
		return usage();
	run.port = (int)port;
	run.schedule.patience = (uint64_t)patience * CLOCK_MS;
	sem_init(&run.stopping, 0, 0);
	signal(SIGTERM, stop);
	return (argc == 4 ? run_verify() : run_load(argv[6])) ? EXIT_SUCCESS : EXIT_FAILURE;
}
