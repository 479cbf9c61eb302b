#include "db/db_private.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

enum {
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

enum db_wait db_wait_for(const struct db *db, short events)
{
	struct pollfd socket = { .fd = PQsocket(db->connection->session), .events = events };

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
static bool take_result(PGconn *session, PGresult **answer)
{
	PGresult *next = PQgetResult(session);

	if (!next)
		return false;
	if (*answer)
		PQclear(next);
	else
		*answer = next;
	return true;
}

static enum db_wait lost(PGconn *session, PGresult **answer)
{
	/* The reason, such as 57P01, may have come before the end; a dead connection cannot block. */
	take_result(session, answer);
	return DB_LOST;
}

enum db_wait db_await(struct db *db, PGresult **answer)
{
	PGconn *session = db->connection->session;

	for (;;) {
		int unsent = PQflush(session);
		enum db_wait ready;

		if (unsent < 0)
			return lost(session, answer);
		if (unsent == 0 && !PQisBusy(session)) {
			/* A COPY that has no rows to send would be an answer without an end. */
			if (take_result(session, answer) &&
				PQresultStatus(*answer) != PGRES_COPY_IN)
				continue;
			return PQstatus(session) == CONNECTION_OK &&
					       PQtransactionStatus(session) != PQTRANS_ACTIVE
				       ? DB_ARRIVED
				       : DB_LOST;
		}
		ready = db_wait_for(db, unsent ? POLLIN | POLLOUT : POLLIN);
		if (ready != DB_ARRIVED)
			return ready;
		if (!PQconsumeInput(session))
			return lost(session, answer);
	}
}

bool db_has_ended(PGconn *session)
{
	struct pollfd socket = { .fd = PQsocket(session), .events = POLLIN | POLLRDHUP };

	for (int i = 0; i < IDLE_MESSAGES; i++) {
		if (poll(&socket, 1, 0) == 0)
			return false;
		if (socket.revents & ~POLLIN || !PQconsumeInput(session))
			return true;
	}
	return true;
}

/*
 * The reason alone: what libpq puts before "failed: " names the host, and in a mistyped URL part of
 * the password stands in the place of the host.
 */
static void read_reason(const PGconn *session, char sqlstate[DB_SQLSTATE + 1], char *reason)
{
	const char *message = strstr(PQerrorMessage(session), "failed: ");
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

/* Where the process has other sessions, that it gets no more is no reason to fail. */
static enum db_result connect_failed(struct db *db, enum db_wait end, bool alone)
{
	char sqlstate[DB_SQLSTATE + 1] = "";
	char reason[REASON_MAX] = "no connection";

	if (end == DB_LATE)
		(void)text_copy(reason, sizeof(reason), "no answer in time");
	else
		read_reason(db->connection->session, sqlstate, reason);
	db_count_error(sqlstate);
	db_log_down(sqlstate, reason);
	if (!alone)
		return db_wait_for_others(db);
	if (end == DB_LATE)
		db_late(db);
	else
		db_back_off(db);
	return db_result_from(sqlstate);
}

/*
 * Timeouts of the server end what we no longer wait for. They come a little before our own, so that
 * a lock or a slow statement is DB_BUSY and costs no connection.
 */
struct db_timeouts db_timeouts_for(int64_t budget_ms)
{
	struct db_timeouts timeouts = { 0 };

	db_number_text(timeouts.statement, budget_ms * 7 / 8 + 1);
	db_number_text(timeouts.lock, budget_ms * 3 / 4 + 1);
	db_number_text(timeouts.idle, budget_ms * 2);
	return timeouts;
}

static PGconn *start(const struct db *db)
{
	char options_memory[OPTIONS_MAX];
	struct text options = text_fixed(options_memory, sizeof(options_memory));
	const struct db_timeouts timeouts = db_timeouts_for(db->budget_ms);
	/* A later word wins over an earlier one: the URL may ask for GSS, which can block. */
	const char *keywords[] = { "gssencmode", "dbname", "options", "application_name",
		"client_encoding", NULL };
	const char *values[] = { "disable", db_pool_url(db->pool), options.data,
		db_pool_name(db->pool), "UTF8", NULL };

	/*
	 * Plans are kept as long as a connection. One that was made while a table was small would go
	 * on reading the whole of it, so they use indexes from the start. What the URL says wins.
	 */
	text_addf(&options,
		"-c enable_seqscan=off -c jit=off %s -c statement_timeout=%s -c lock_timeout=%s"
		" -c idle_in_transaction_session_timeout=%s",
		db_pool_options(db->pool), timeouts.statement, timeouts.lock, timeouts.idle);
	return PQconnectStartParams(keywords, values, 1);
}

static enum db_wait finish_handshake(struct db *db)
{
	PostgresPollingStatusType turn = PGRES_POLLING_WRITING;

	while (turn != PGRES_POLLING_OK) {
		enum db_wait ready =
			db_wait_for(db, turn == PGRES_POLLING_READING ? POLLIN : POLLOUT);

		if (ready != DB_ARRIVED)
			return ready;
		turn = PQconnectPoll(db->connection->session);
		if (turn == PGRES_POLLING_FAILED)
			return DB_LOST;
	}
	return PQsetnonblocking(db->connection->session, 1) == 0 ? DB_ARRIVED : DB_LOST;
}

/* Half of what is left is for those that there are, if this one is not to be had. */
static enum db_wait finish_connecting(struct db *db, bool alone)
{
	const uint64_t deadline = db->deadline, now = clock_monotonic();
	enum db_wait end;

	if (!alone && deadline > now)
		db->deadline -= (deadline - now) / 2;
	end = finish_handshake(db);
	db->deadline = deadline;
	return end;
}

enum db_result db_connect(struct db *db)
{
	struct db_connection *connection = db->connection;
	bool alone;
	enum db_wait end;

	if (connection->session)
		return DB_OK;
	metrics_add(METRIC_db_connects, db->program, 0, 1);
	alone = db->trying || db_is_alone(db);
	connection->session = start(db);
	connection->budget_ms = db->budget_ms;
	connection->keeps = false;
	if (!connection->session || PQstatus(connection->session) == CONNECTION_BAD)
		return connect_failed(db, DB_LOST, alone);
	/* libpq tells the SQLSTATE of a refused connection only in the text, and only if asked. */
	PQsetErrorVerbosity(connection->session, PQERRORS_SQLSTATE);
	PQsetNoticeReceiver(connection->session, ignore_notice, NULL);
	end = finish_connecting(db, alone);
	return end == DB_ARRIVED ? DB_OK : connect_failed(db, end, alone);
}
