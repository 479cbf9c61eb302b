#include "db/db_private.h"

#include <stdatomic.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"

/* The first prefix that fits counts; the last one fits all. */
static const struct {
	const char *prefix;
	enum db_result result;
} results[] = { { "23505", DB_CONFLICT }, /* unique_violation */
	{ "23P01", DB_CONFLICT },         /* exclusion_violation */
	{ "23503", DB_NOT_FOUND },        /* foreign_key_violation */
	{ "40001", DB_BUSY },             /* serialization_failure */
	{ "40P01", DB_BUSY },             /* deadlock_detected */
	{ "55P03", DB_BUSY },             /* lock_not_available */
	{ "57014", DB_BUSY },             /* query_canceled: its timeout */
	{ "53300", DB_BUSY },             /* too_many_connections */
	{ "", DB_DOWN } };

static const char *const statement_names[] = {
#define STATEMENT(id, sql) #id,
#include "db/statements.def"
};

static atomic_bool is_down;

enum db_result db_result_from(const char *sqlstate)
{
	size_t i = 0;

	while (!text_starts_with(sqlstate, results[i].prefix))
		i++;
	return results[i].result;
}

void db_count_error(const char *sqlstate)
{
	metrics_add(METRIC_db_errors, metrics_class(sqlstate), 0, 1);
}

/* Errors of the classes 22 and 23 quote what was sent: those messages stay with the server. */
static const char *loggable_message(const PGresult *answer, const char *sqlstate)
{
	if (text_starts_with(sqlstate, "22") || text_starts_with(sqlstate, "23"))
		return NULL;
	return PQresultErrorField(answer, PG_DIAG_MESSAGE_PRIMARY);
}

void db_log_failure(
	const struct db *db, enum db_statement statement, const PGresult *answer, enum db_wait end)
{
	const char *sqlstate = answer ? PQresultErrorField(answer, PG_DIAG_SQLSTATE) : NULL;
	struct log_line line;

	log_begin(&line, end == DB_LOST ? LOG_ERROR : LOG_WARNING, "database_error");
	log_field(&line, "statement", statement_names[statement]);
	log_field(&line, "sqlstate", sqlstate);
	if (sqlstate)
		log_field(&line, "error", loggable_message(answer, sqlstate));
	else
		log_field(&line, "error", end == DB_LOST ? "connection lost" : "not sent");
	if (end == DB_ARRIVED)
		log_field_number(&line, "db_pid", PQbackendPID(db->connection->session));
	log_end(&line);
}

void db_log_down(const char *sqlstate, const char *error)
{
	struct log_line line;

	if (atomic_exchange_explicit(&is_down, true, memory_order_relaxed))
		return;
	log_begin(&line, LOG_ERROR, "database_down");
	log_field(&line, "sqlstate", *sqlstate ? sqlstate : NULL);
	log_field(&line, "error", error);
	log_end(&line);
}

void db_log_up(void)
{
	struct log_line line;

	if (!atomic_load_explicit(&is_down, memory_order_relaxed) ||
		!atomic_exchange_explicit(&is_down, false, memory_order_relaxed))
		return;
	log_begin(&line, LOG_INFO, "database_up");
	log_end(&line);
}
