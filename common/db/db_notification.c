#include <poll.h>

#include "base/text.h"
#include "db/db_private.h"

static bool take_notification(PGconn *session, char *payload, size_t room)
{
	PGnotify *notification = PQnotifies(session);

	if (!notification)
		return false;
	(void)text_copy(payload, room, notification->extra);
	PQfreemem(notification);
	return true;
}

/* DB_DOWN when the connection ended meanwhile. */
static enum db_result await_notification(struct db *db, char *payload, size_t room)
{
	PGconn *session = db->connection->session;

	while (!take_notification(session, payload, room)) {
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
	if (result == DB_OK)
		db_keep(db);
	else
		db_drop(db);
	return result;
}

enum db_result db_wait_notification(struct db *db, int64_t ms, char *payload, size_t room)
{
	enum db_result result = DB_DOWN;

	*payload = '\0';
	db_set_deadline(db, ms);
	if (db->connection)
		result = await_notification(db, payload, room);
	if (result != DB_DOWN)
		return result;
	db_drop(db);
	return listen(db);
}
