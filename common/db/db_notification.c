#include <poll.h>

#include "db/db_private.h"

static bool take_notifications(PGconn *session)
{
	PGnotify *notification;
	bool came = false;

	while ((notification = PQnotifies(session))) {
		PQfreemem(notification);
		came = true;
	}
	return came;
}

/* DB_DOWN when the connection ended meanwhile. */
static enum db_result await_notification(struct db *db)
{
	PGconn *session = db->connection->session;

	while (!take_notifications(session)) {
		enum db_wait ready = db_wait_for(db, POLLIN);

		if (ready == DB_LATE)
			return DB_NOT_FOUND;
		if (ready == DB_LOST || !PQconsumeInput(session))
			return DB_DOWN;
	}
	return DB_OK;
}

static enum db_result listen(struct db *db)
{
	const struct db_call call = { .statement = STATEMENT_listen, .plain = true };
	enum db_result result;

	db->pinned = true;
	result = db_call_only(db, &call);
	if (result != DB_OK)
		db_drop(db);
	return result;
}

enum db_result db_wait_notification(struct db *db, int64_t ms)
{
	enum db_result result = DB_DOWN;

	db_set_deadline(db, ms);
	if (db->connection)
		result = await_notification(db);
	if (result != DB_DOWN)
		return result;
	db_drop(db);
	return listen(db);
}
