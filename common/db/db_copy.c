#include <poll.h>

#include "db/db_private.h"

enum { PART = 65536 };

/* Sends what is queued and takes in what the server says meanwhile. */
static enum db_wait flush(struct db *db)
{
	PGconn *session = db->connection->session;
	int unsent;

	while ((unsent = PQflush(session)) > 0) {
		enum db_wait ready = db_wait_for(db, POLLIN | POLLOUT);

		if (ready != DB_ARRIVED)
			return ready;
		if (!PQconsumeInput(session))
			return DB_LOST;
	}
	return unsent < 0 ? DB_LOST : DB_ARRIVED;
}

/* DB_ARRIVED with *answer still NULL: the server waits for the rows. */
static enum db_wait await_invitation(struct db *db, PGresult **answer)
{
	PGconn *session = db->connection->session;
	enum db_wait end = flush(db);

	while (end == DB_ARRIVED && PQisBusy(session)) {
		end = db_wait_for(db, POLLIN);
		if (end == DB_ARRIVED && !PQconsumeInput(session))
			end = DB_LOST;
	}
	if (end != DB_ARRIVED)
		return end;
	*answer = PQgetResult(session);
	if (PQresultStatus(*answer) == PGRES_COPY_IN) {
		PQclear(*answer);
		*answer = NULL;
	}
	return end;
}

enum db_wait db_send_rows(struct db *db, const char *rows, size_t len, PGresult **answer)
{
	PGconn *session = db->connection->session;
	enum db_wait end = await_invitation(db, answer);
	int taken = 1;

	while (end == DB_ARRIVED && !*answer && len > 0 && taken >= 0) {
		int part = len < PART ? (int)len : PART;

		/* Less than 0: the server refused a row, and db_await() has its answer. */
		taken = PQputCopyData(session, rows, part);
		if (taken > 0) {
			rows += part;
			len -= (size_t)part;
		}
		end = flush(db);
	}
	if (end == DB_ARRIVED && !*answer && taken >= 0)
		(void)PQputCopyEnd(session, NULL);
	return end;
}

enum db_result db_copy(struct db *db, enum db_statement statement, const char *rows, size_t len)
{
	const struct db_call call = {
		.statement = statement, .plain = true, .rows = rows, .rows_len = len
	};

	return db_call_only(db, &call);
}
