/*
 * main - every program's life: settings, parent, log, segment, threads; then a look around once a
 * second until a signal ends it. In order of what can fail and must fail before it listens.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/log.h"
#include "base/random.h"
#include "base/segment.h"
#include "base/workers.h"
#include "domain/blocklist.h"
#include "domain/replica.h"
#include "domain/target_url.h"
#include "service/fcgi.h"
#include "service/parent.h"
#include "service/route_list.h"
#include "service/turns.h"

enum {
	STOP_WAIT_MS = 5000,
	RELIEF_S = 3,   /* what lighttpd needs at most to have a successor serving */
	PRIVATE_S = 30, /* how long a process makes do without the shared segment */
	PARENT_S = 5 /* what scripts/stack, which looks as well, is given more than a stall takes */
};

extern const struct service SERVICE;

/* What the signals did before: the default, or the report of a sanitizer. */
static struct sigaction former[2];
static const int faults[2] = { SIGBUS, SIGSEGV };

/*
 * Mapped files may be cut short under our feet. In the replica that is the lookup's own affair. Of
 * the segment say so and make way: a successor makes a new one. Any other fault is ours: let it
 * happen again, as it would have.
 */
static void on_fault(int number, siginfo_t *fault, void *context)
{
	static const char said[] = "the shared segment was cut short; ending for a successor\n";
	(void)context;
	replica_rescue(fault->si_addr);
	if (number == SIGBUS && segment_contains(fault->si_addr)) {
		(void)!write(STDERR_FILENO, said, sizeof(said) - 1);
		_exit(EXIT_FAILURE);
	}
	for (int i = 0; i < 2; i++)
		if (faults[i] == number)
			sigaction(number, &former[i], NULL);
}

static void block_signals(sigset_t *handled)
{
	const struct sigaction caught = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
	sigset_t all;
	sigfillset(&all);
	/* A fault of our own must still end the process, here and in every thread. */
	sigdelset(&all, SIGSEGV);
	sigdelset(&all, SIGBUS);
	sigdelset(&all, SIGILL);
	sigdelset(&all, SIGFPE);
	sigdelset(&all, SIGABRT);
	sigprocmask(SIG_SETMASK, &all, NULL);
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < 2; i++)
		sigaction(faults[i], &caught, &former[i]);
	sigemptyset(handled);
	sigaddset(handled, SIGTERM);
	sigaddset(handled, SIGINT);
	sigaddset(handled, SIGHUP);
	sigaddset(handled, SIGUSR2);
}

/* What only those who use a setting can judge; NULL, or what is wrong. */
static const char *apply_settings(void)
{
	const struct config *config = config_get();
	const char *fault =
		target_url_init(config->base_url, config->own_hosts, config->private_targets);
	if (fault != NULL || (SERVICE.needs & NEEDS_DATABASE) == 0)
		return fault;
	struct db *db = db_new(config->database_url, SERVICE.name);
	bool good = db != NULL;
	db_free(db);
	/* Not what it is: it may hold a password. */
	return good ? NULL : "LINKSHRINK_DATABASE_URL: not a connection string or URL of libpq";
}

static bool load_settings(void)
{
	char memory[4096];
	struct text error = text_fixed(memory, sizeof(memory));
	if (config_load(&error)) {
		const char *fault = apply_settings();
		if (fault == NULL)
			return true;
		text_addf(&error, "%s\n", fault);
	}
	fprintf(stderr, "%s: the settings are wrong:\n%s", SERVICE.name, memory);
	return false;
}

/* A reference table of the docs, or a list for tests. */
static int show_table(void (*describe)(struct text *markdown))
{
	struct text table = text_growing(64 << 10);
	describe(&table);
	if (table.len > 0) /* a program without routes has nothing to list */
		fputs(table.data, stdout);
	text_free(&table);
	return EXIT_SUCCESS;
}

static void describe_routes(struct text *lines)
{
	route_list(&SERVICE, lines);
}

/* Sessions of PostgreSQL that a process takes at most: those that its threads share, or one each. */
static unsigned most_connections(void)
{
	unsigned each = SERVICE.threads;
	if ((SERVICE.needs & NEEDS_DATABASE) == 0)
		return 0;
	for (unsigned i = 0; i < SERVICE_TURNS; i++)
		each += SERVICE.turns[i] != NULL;
	return SERVICE.connections != 0 ? SERVICE.connections : each;
}

static void open_log(void)
{
	const struct config *config = config_get();
	if (!log_open(SERVICE.name, config->log_file, log_level_from(config->log_level)))
		log_event(LOG_ERROR, "log_not_opened", strerrordesc_np(errno));
}

static struct worker_slot *join_segment(void)
{
	if (!segment_open(config_get()->segment))
		log_event(LOG_ERROR, "segment_not_opened", strerrordesc_np(errno));
	if (SERVICE.prepare != NULL)
		SERVICE.prepare();
	struct worker_slot *slot = workers_join(metrics_program(SERVICE.name));
	if (slot == NULL)
		log_event(LOG_ERROR, "no_worker_slot", "nobody watches over this process");
	return slot;
}

/*
 * A database that is away may come later; one that is older than this program never fits. What it
 * took to ask goes into the pool and stays there: a process that has a session can do its work while
 * the server gives out no more of them.
 */
static bool fits_schema(struct db **db)
{
	if ((SERVICE.needs & NEEDS_DATABASE) == 0)
		return true;
	*db = db_new(config_get()->database_url, SERVICE.name);
	if (*db == NULL) {
		log_event(LOG_ERROR, "not_started", "no memory");
		return false;
	}
	db_set_deadline(*db, config_get()->database_deadline_ms);
	bool fits = db_schema(*db) != DB_SCHEMA_OLDER;
	if (!fits)
		log_event(LOG_ERROR, "schema_too_old", "run db/migrate.sh");
	return fits;
}

/*
 * When to leave because the segment is not the one that others share, so that a successor joins
 * them; 0 while all is well. Siblings take turns, or nobody would be left to serve meanwhile: in the
 * order that they had while all were well, for the first may be gone when the second one notices.
 */
static uint64_t time_to_leave(const struct worker_slot *slot, unsigned *rank)
{
	uint64_t now = clock_monotonic();
	if (segment_descriptor() < 0)
		return now + (PRIVATE_S + random_below(PRIVATE_S)) * CLOCK_S;
	if (!segment_shared())
		return now + *rank * RELIEF_S * CLOCK_S;
	*rank = workers_rank(slot);
	return 0;
}

/* Looks around once a second, until it is told to stop or has to be replaced. */
static const char *look_around(const sigset_t *handled, struct worker_slot *slot)
{
	const struct timespec second = { .tv_sec = 1 };
	const uint64_t stall_ns = (uint64_t)config_get()->stall_ms * CLOCK_MS;
	unsigned rank = workers_rank(slot);
	uint64_t leave_at = 0;
	while (leave_at == 0 || clock_monotonic() < leave_at) {
		int got = sigtimedwait(handled, NULL, &second);
		if (got == SIGTERM || got == SIGINT)
			return NULL;
		if (got == SIGUSR2)
			fcgi_say_goodbye();
		workers_watch(slot, stall_ns);
		parent_look((unsigned)(stall_ns / CLOCK_S) + PARENT_S);
		log_reopen_if_moved();
		if (leave_at == 0)
			leave_at = time_to_leave(slot, &rank);
	}
	return "the shared segment is another one now; a successor will join it";
}

static int live(void)
{
	sigset_t handled;
	block_signals(&handled);
	umask(027);
	open_log();
	/* Before anybody watches: a long list takes longer than a main thread may be away. */
	if ((SERVICE.needs & NEEDS_BLOCKLIST) != 0)
		blocklist_look(config_get()->blocklist);
	struct worker_slot *slot = join_segment();
	struct db *db = NULL;
	if (!fits_schema(&db)) {
		db_free(db);
		workers_leave(slot);
		return EXIT_FAILURE;
	}
	if (!turns_start(&SERVICE, slot) || !fcgi_start(&SERVICE, slot)) {
		log_event(LOG_ERROR, "not_started", "no memory or no threads");
		_exit(EXIT_FAILURE);
	}
	log_event(LOG_INFO, "started", NULL);
	const char *reason = look_around(&handled, slot);
	workers_stopping(slot);
	/* Turns last: what the last requests leave to them still gets done. */
	bool drained = fcgi_stop(STOP_WAIT_MS) && turns_stop(STOP_WAIT_MS);
	log_event(drained ? LOG_INFO : LOG_WARNING, "stopped",
		drained ? reason : "what was in progress was cut off");
	workers_leave(slot);
	/* Threads that were not joined may still use what exit() would tear down. */
	if (!drained)
		_exit(EXIT_FAILURE);
	db_free(db);
	segment_close();
	log_close();
	return EXIT_SUCCESS;
}

/* Everything that it may refuse, short of what others would see: the segment, and requests. */
static bool try_start(void)
{
	struct worker worker = { 0 };
	struct db *db = NULL;
	(void)log_open(SERVICE.name, "", LOG_WARNING);
	bool good = fits_schema(&db) && service_equip(&SERVICE, &worker);
	service_strip(&worker);
	db_free(db);
	return good;
}

/* Whoever typed it reads what goes wrong, not the log. */
static int obey(int argc, char **argv)
{
	(void)log_open(SERVICE.name, "", LOG_WARNING);
	return SERVICE.command(argc, argv);
}

/* What a program is asked on a terminal rather than by lighttpd. */
static int answer_argument(int argc, char **argv)
{
	const char *argument = argv[1];
	if (strcmp(argument, "--version") == 0)
		return puts(LINKSHRINK_VERSION) < 0;
	if (strcmp(argument, "--settings") == 0)
		return show_table(config_describe);
	if (strcmp(argument, "--metrics") == 0)
		return show_table(metrics_describe);
	if (strcmp(argument, "--routes") == 0)
		return show_table(describe_routes);
	if (strcmp(argument, "--connections") == 0)
		return printf("%u\n", most_connections()) < 0;
	if (strcmp(argument, "--check-config") == 0)
		return load_settings() ? EXIT_SUCCESS : EXIT_FAILURE;
	if (strcmp(argument, "--check-start") == 0)
		return load_settings() && try_start() ? EXIT_SUCCESS : EXIT_FAILURE;
	if (SERVICE.command != NULL)
		return load_settings() ? obey(argc, argv) : EXIT_FAILURE;
	fprintf(stderr,
		"%s: a program of Link-Shrink, started by lighttpd; by hand it knows --version, "
		"--settings, --metrics, --routes, --connections, --check-config and "
		"--check-start\n",
		SERVICE.name);
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return answer_argument(argc, argv);
	if (SERVICE.connections != 0)
		db_pool_limit(SERVICE.connections);
	if (!load_settings())
		return EXIT_FAILURE;
	if (!parent_follow())
		return EXIT_FAILURE;
	return live();
}
