#include "db/db_private.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"

enum {
	BACK_OFF_FIRST_MS = 50,
	BACK_OFF_MAX_MS = 1000,
	IDLE_MESSAGES = 8, /* what a server may say unasked before we call it broken */
	OPTIONS_MAX = 1024,
	REASON_MAX = 160
};

/* What libpq has to say reaches us as results; nothing of it belongs on standard error. */
static void ignore_notice(void *unused, const PGresult *notice)
{
	(void)unused;
	(void)notice;
}

/* DB_ARRIVED when the socket is ready for one of the events. */
static enum db_wait wait_for(const struct db *db, short events)
{
	struct pollfd socket = { .fd = PQsocket(db->connection), .events = events };

	for (;;) {
		uint64_t now = clock_monotonic();
		int ready;

		if (now >= db->deadline)
			return DB_LATE;
		ready = poll(&socket, 1, (int)((db->deadline - now) / CLOCK_MS) + 1);
		if (ready > 0)
			return DB_ARRIVED;
		if (ready < 0 && errno != EINTR)
			return DB_LOST;
	}
}

/* Takes one result that is complete; false when it was the last one. Keeps the first. */
static bool take_result(PGconn *connection, PGresult **answer)
{
	PGresult *next = PQgetResult(connection);

	if (!next)
		return false;
	if (*answer)
		PQclear(next);
	else
		*answer = next;
	return true;
}

static enum db_wait lost(struct db *db, PGresult **answer)
{
	/* The reason, such as 57P01, may have come before the end; a dead connection cannot block. */
	take_result(db->connection, answer);
	return DB_LOST;
}

enum db_wait db_await(struct db *db, PGresult **answer)
{
	*answer = NULL;
	for (;;) {
		int unsent = PQflush(db->connection);
		enum db_wait ready;

		if (unsent < 0)
			return lost(db, answer);
		if (unsent == 0 && !PQisBusy(db->connection)) {
			if (take_result(db->connection, answer))
				continue;
			return PQstatus(db->connection) == CONNECTION_OK ? DB_ARRIVED : DB_LOST;
		}
		ready = wait_for(db, unsent ? POLLIN | POLLOUT : POLLIN);
		if (ready != DB_ARRIVED)
			return ready;
		if (!PQconsumeInput(db->connection))
			return lost(db, answer);
	}
}

bool db_backs_off(const struct db *db)
{
	return !db->connection && clock_monotonic() < db->retry_at;
}

void db_drop(struct db *db)
{
	PQfinish(db->connection);
	db->connection = NULL;
	memset(db->prepared, 0, sizeof(db->prepared));
}

void db_back_off(struct db *db)
{
	unsigned doublings = db->failures < 5 ? db->failures : 5;
	uint32_t delay = BACK_OFF_FIRST_MS << doublings;

	if (delay > BACK_OFF_MAX_MS)
		delay = BACK_OFF_MAX_MS;
	db_drop(db);
	db->failures++;
	/* Half of it is chance, so that the threads do not all come back in the same moment. */
	db->retry_at = clock_monotonic() + (delay / 2 + random_below(delay / 2 + 1)) * CLOCK_MS;
}

static bool has_ended(PGconn *connection)
{
	struct pollfd socket = { .fd = PQsocket(connection), .events = POLLIN | POLLRDHUP };

	for (int i = 0; i < IDLE_MESSAGES; i++) {
		if (poll(&socket, 1, 0) == 0)
			return false;
		if (socket.revents & ~POLLIN || !PQconsumeInput(connection))
			return true;
	}
	return true;
}

void db_drop_if_ended(struct db *db)
{
	if (db->connection && has_ended(db->connection))
		db_drop(db);
}

/*
 * The reason alone: what libpq puts before "failed: " names the host, and in a mistyped URL part of
 * the password stands in the place of the host.
 */
static void read_reason(const PGconn *connection, char sqlstate[DB_SQLSTATE + 1], char *reason)
{
	const char *message = strstr(PQerrorMessage(connection), "failed: ");
	const char *state;
	size_t len;

	if (!message)
		return;
	message += strlen("failed: ");
	len = strcspn(message, "\n");
	if (len >= REASON_MAX)
		len = REASON_MAX - 1;
	memcpy(reason, message, len);
	reason[len] = '\0';
	state = strstr(reason, "FATAL:  ");
	if (state)
		(void)text_copy(sqlstate, DB_SQLSTATE + 1, state + strlen("FATAL:  "));
}

static enum db_result connect_failed(struct db *db, enum db_wait end)
{
	char sqlstate[DB_SQLSTATE + 1] = "";
	char reason[REASON_MAX] = "no connection";

	if (end == DB_LATE)
		(void)text_copy(reason, sizeof(reason), "no answer in time");
	else
		read_reason(db->connection, sqlstate, reason);
	db_log_down(sqlstate, reason);
	db_back_off(db);
	return db_result_from(sqlstate);
}

/*
 * Timeouts of the server end what we no longer wait for. They come a little before our own, so that
 * a lock or a slow statement is DB_BUSY and costs no connection.
 */
static void write_options(const struct db *db, struct text *options)
{
	text_addf(options,
		"%s -c statement_timeout=%lld -c lock_timeout=%lld"
		" -c idle_in_transaction_session_timeout=%lld",
		db->options, (long long)(db->budget_ms * 7 / 8 + 1),
		(long long)(db->budget_ms * 3 / 4 + 1), (long long)(db->budget_ms * 2));
}

static PGconn *start(const struct db *db)
{
	char options_memory[OPTIONS_MAX];
	struct text options = text_fixed(options_memory, sizeof(options_memory));
	/* A later word wins over an earlier one: the URL may ask for GSS, which can block. */
	const char *keywords[] = { "gssencmode", "dbname", "options", "application_name",
		"client_encoding", NULL };
	const char *values[] = { "disable", db->url, options.data, db->name, "UTF8", NULL };

	write_options(db, &options);
	return PQconnectStartParams(keywords, values, 1);
}

static enum db_wait finish_connecting(struct db *db)
{
	PostgresPollingStatusType turn = PGRES_POLLING_WRITING;

	while (turn != PGRES_POLLING_OK) {
		enum db_wait ready = wait_for(db, turn == PGRES_POLLING_READING ? POLLIN : POLLOUT);

		if (ready != DB_ARRIVED)
			return ready;
		turn = PQconnectPoll(db->connection);
		if (turn == PGRES_POLLING_FAILED)
			return DB_LOST;
	}
	return PQsetnonblocking(db->connection, 1) == 0 ? DB_ARRIVED : DB_LOST;
}

enum db_result db_connect(struct db *db)
{
	enum db_wait end;

	if (db->connection)
		return DB_OK;
	if (clock_monotonic() >= db->deadline)
		return DB_DOWN;
	metrics_add(METRIC_db_connects, db->program, 0, 1);
	db->connection = start(db);
	if (!db->connection || PQstatus(db->connection) == CONNECTION_BAD)
		return connect_failed(db, DB_LOST);
	/* libpq tells the SQLSTATE of a refused connection only in the text, and only if asked. */
	PQsetErrorVerbosity(db->connection, PQERRORS_SQLSTATE);
	PQsetNoticeReceiver(db->connection, ignore_notice, NULL);
	end = finish_connecting(db);
	return end == DB_ARRIVED ? DB_OK : connect_failed(db, end);
}
