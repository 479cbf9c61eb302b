#include <string.h>

#include "base/clock.h"
#include "db/db_private.h"

/* What is sent around statements needs no preparation. */
static enum db_result say(struct db *db, enum db_statement statement, PGresult **answer)
{
	const struct db_call call = { .statement = statement, .plain = true };

	return db_call(db, &call, answer);
}

static void end_transaction(struct db *db)
{
	db->transaction = DB_NONE;
	db->pinned = false;
	if (db->connection)
		db_return(db);
}

enum db_result db_begin(struct db *db)
{
	PGresult *answer;
	enum db_result result;

	if (db->transaction != DB_NONE)
		return DB_DOWN;
	db->pinned = true;
	result = say(db, STATEMENT_begin, &answer);
	PQclear(answer);
	if (result == DB_OK)
		db->transaction = DB_OPEN;
	else
		end_transaction(db);
	return result;
}

enum db_result db_commit(struct db *db)
{
	PGresult *answer;
	enum db_result result;

	if (db->transaction != DB_OPEN || clock_monotonic() >= db->deadline) {
		db_rollback(db);
		return DB_BUSY;
	}
	result = say(db, STATEMENT_commit, &answer);
	/* The server's answer to the COMMIT of a transaction that it had ended itself. */
	if (result == DB_OK && strcmp(PQcmdStatus(answer), "COMMIT") != 0)
		result = DB_BUSY;
	PQclear(answer);
	end_transaction(db);
	return result;
}

void db_rollback(struct db *db)
{
	PGresult *answer;

	if (db->transaction == DB_NONE)
		return;
	if (db->connection) {
		db->transaction = DB_OPEN;
		if (say(db, STATEMENT_rollback, &answer) != DB_OK)
			db_drop(db);
		PQclear(answer);
	}
	end_transaction(db);
}

bool db_in_transaction(const struct db *db)
{
	return db->transaction != DB_NONE;
}
