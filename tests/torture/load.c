/*
 * load - what people do to a stack, by clients that remember every answer.
 *
 *   load run PORT CLIENTS RATE SEED DIRECTORY    RATE requests a second, until SIGTERM
 *   load verify PORT CLIENTS <links              asks for each "<code> <target>" by HEAD
 *
 * run: one request in ten creates a link; the rest follows links that were acknowledged: old ones,
 * a few popular ones, and those made a moment ago. Some ask by HEAD, some for what does not exist.
 * What it learns is written by score.h. It ends with 0 if all of it could be written.
 *
 * verify prints each link that does not lead to its target within some tries, which none of them
 * counts as a click. It ends with 0 if all of them do, and was not stopped before.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "torture/client.h"
#include "torture/score.h"

enum {
	CLIENTS_MAX = 256,
	POPULAR = 32,     /* links that get much of the attention */
	CUSTOM_EVERY = 8, /* of the links made, one in that many has a code of its maker's choice */
	VERIFY_TRIES = 40, /* with a pause between them */
	VERIFY_PAUSE_MS = 250,
	REFUSED_PAUSE_MS = 20
};

static struct {
	int port;
	long clients, rate, seed;
	atomic_long created, strangers;
	atomic_bool stop, failed;
} run;

struct person {
	pthread_t thread;
	struct client *client;
	uint64_t state; /* of its random choices */
	uint64_t next;  /* clock_monotonic() of its next request */
};

/* Marsaglia's xorshift: the same choices for the same seed. */
static unsigned choose(struct person *person, unsigned bound)
{
	person->state ^= person->state << 13;
	person->state ^= person->state >> 7;
	person->state ^= person->state << 17;
	return (unsigned)(person->state >> 32) % bound;
}

static void pause_ms(long ms)
{
	const struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
	nanosleep(&time, NULL);
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

static int follow(struct person *person, struct score_link *link)
{
	char target[SCORE_TARGET_MAX + 1], age[32];
	const bool head = choose(person, 32) == 0;
	const enum score_asked asked = head ? SCORE_HEAD : SCORE_GET;
	score_target(target, link->number);
	snprintf(age, sizeof(age), "age=%ldms",
		(long)((clock_monotonic() - link->since) / CLOCK_MS));
	int status = ask(person->client, head ? "HEAD" : "GET", link->code);
	const char *kind = judge(person->client, status, target);
	if (!head)
		count_click(link, person->client, status);
	if (status == 302 && kind == NULL)
		score_good_redirect();
	if (kind != NULL)
		score_event(kind, asked, link->code, status, age);
	score_answer(asked, who_answered(person->client, status), status);
	return status;
}

/* What never existed is 404, or 503 while nobody can say that. */
static int ask_for_stranger(struct person *person)
{
	char code[SCORE_CODE_MAX + 1];
	snprintf(code, sizeof(code), "stranger-%ld", atomic_fetch_add(&run.strangers, 1));
	int status = ask(person->client, "GET", code);
	enum score_from from = who_answered(person->client, status);
	if (status >= 100 && status != 404 && status != 503 && from == SCORE_PROGRAM)
		score_event("odd-status", SCORE_STRANGER, code, status, "-");
	score_answer(SCORE_STRANGER, from, status);
	return status;
}

/* The request, and in wanted the code that it asks for, "" for any. */
static size_t build_wish(char *request, size_t room, long number, char wanted[SCORE_CODE_MAX + 1])
{
	char target[SCORE_TARGET_MAX + 1], body[256];
	score_target(target, number);
	wanted[0] = '\0';
	int len = snprintf(body, sizeof(body), "{\"url\":\"%s\"}", target);
	if (number % CUSTOM_EVERY == 0) {
		snprintf(wanted, SCORE_CODE_MAX + 1, "own-%ld", number);
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

static int create(struct person *person)
{
	char request[512], wanted[SCORE_CODE_MAX + 1];
	const long number = atomic_fetch_add(&run.created, 1);
	size_t len = build_wish(request, sizeof(request), number, wanted);
	int status = client_ask(person->client, request, len);
	enum score_from from = who_answered(person->client, status);
	score_answer(SCORE_CREATE, from, status);
	if (status == 201) {
		/* Its maker follows it at once. */
		struct score_link *link = keep(person->client, number, wanted);
		return link != NULL ? follow(person, link) : status;
	}
	if (status == CLIENT_UNKNOWN || from == SCORE_EDGE)
		score_event(status > 0 ? "edge" : "no-answer", SCORE_CREATE, "-", status, "-");
	else if (status != CLIENT_NOT_SENT && status != 503)
		score_event(status >= 500 ? "program-error" : "odd-status", SCORE_CREATE, "-",
			status, wanted);
	return status;
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

static int one_request(struct person *person)
{
	const unsigned links = (unsigned)score_links();
	const unsigned what = choose(person, 100);
	if (links == 0 || (what < 10 && links < SCORE_LINKS - CLIENTS_MAX))
		return create(person);
	if (what < 13)
		return ask_for_stranger(person);
	return follow(person, choose_link(person, links));
}

/* Everybody asks at the same distances; who was held up does not catch up. */
static void wait_turn(struct person *person)
{
	const uint64_t distance = (uint64_t)run.clients * CLOCK_S / (uint64_t)run.rate;
	const uint64_t now = clock_monotonic();
	person->next += distance;
	if (person->next < now)
		person->next = now;
	const struct timespec until = { .tv_sec = (time_t)(person->next / CLOCK_S),
		.tv_nsec = (long)(person->next % CLOCK_S) };
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

static void *live(void *argument)
{
	struct person *person = argument;
	person->next = clock_monotonic() + choose(person, CLOCK_MS * 10);
	while (!atomic_load(&run.stop)) {
		wait_turn(person);
		if (one_request(person) == CLIENT_NOT_SENT)
			pause_ms(REFUSED_PAUSE_MS);
	}
	return NULL;
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
	while (!atomic_load(&run.stop) && next_link(code, target)) {
		int status = 0;
		bool right = false;
		for (int i = 0; i < VERIFY_TRIES && !right && !atomic_load(&run.stop); i++) {
			if (i > 0)
				pause_ms(VERIFY_PAUSE_MS);
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
	atomic_store(&run.stop, true);
}

static bool everybody(void *(*does)(void *))
{
	static struct person persons[CLIENTS_MAX];
	for (long i = 0; i < run.clients; i++) {
		persons[i].client = client_new(run.port);
		persons[i].state = (uint64_t)(run.seed * CLIENTS_MAX + i + 1) * 0x9e3779b97f4a7c15;
		if (persons[i].client == NULL ||
			pthread_create(&persons[i].thread, NULL, does, &persons[i]) != 0)
			return false;
	}
	for (long i = 0; i < run.clients; i++) {
		pthread_join(persons[i].thread, NULL);
		client_free(persons[i].client);
	}
	return true;
}

static int usage(void)
{
	fputs("usage: load run PORT CLIENTS RATE SEED DIRECTORY\n"
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

int main(int argc, char **argv)
{
	long port;
	if (argc < 4 || !number(argv[2], 1, 65535, &port) ||
		!number(argv[3], 1, CLIENTS_MAX, &run.clients))
		return usage();
	run.port = (int)port;
	signal(SIGTERM, stop);
	if (argc == 4 && strcmp(argv[1], "verify") == 0)
		return everybody(verify) && !run.failed && !run.stop ? EXIT_SUCCESS : EXIT_FAILURE;
	if (argc != 7 || strcmp(argv[1], "run") != 0 || !number(argv[4], 1, 1000000, &run.rate) ||
		!number(argv[5], 0, INT32_MAX, &run.seed))
		return usage();
	if (!score_open(argv[6]) || !everybody(live))
		return EXIT_FAILURE;
	return score_close() && !run.failed ? EXIT_SUCCESS : EXIT_FAILURE;
}
