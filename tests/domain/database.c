#include "domain/database.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"

enum { PATIENCE_MS = 10000, COMMAND_MAX = 1024 };

struct crowd_member {
	pthread_t thread;
	unsigned number;
	void (*work)(struct db *db, unsigned number);
};

const char *database_url(enum database_role role)
{
	static const char *const names[] = { [WEB] = "LINKSHRINK_DATABASE_URL",
		[INGEST] = "LINKSHRINK_TEST_INGEST_URL",
		[OWNER] = "LINKSHRINK_TEST_OWNER_URL",
		[ADMIN] = "LINKSHRINK_TEST_ADMIN_URL" };
	const char *url = getenv(names[role]);

	cr_assert(url, "run me as: tests/domain/with-cluster.sh <program>");
	return url;
}

struct db *database_open(void)
{
	struct db *db = db_new(database_url(WEB), "redirect");

	cr_assert(db);
	db_set_deadline(db, DEADLINE_MS);
	return db;
}

enum db_result database_store(struct db *db, const char *target)
{
	char code[17];
	const char *const parameters[] = { code, target, "", "0", "302", "false", "0", "0", "0",
		"" };
	struct db_rows *rows;

	random_hex(code, sizeof(code) / 2);
	enum db_result result = db_query(db, STATEMENT_link_create, parameters, 10, &rows);
	db_rows_free(rows);
	return result;
}

PGconn *database_session(enum database_role role)
{
	PGconn *session = PQconnectdb(database_url(role));

	cr_assert(PQstatus(session) == CONNECTION_OK, "%s", PQerrorMessage(session));
	return session;
}

static bool worked(const PGresult *answer)
{
	return PQresultStatus(answer) == PGRES_COMMAND_OK ||
	       PQresultStatus(answer) == PGRES_TUPLES_OK;
}

void database_in(PGconn *session, const char *sql)
{
	PGresult *answer = PQexec(session, sql);

	cr_assert(worked(answer), "%s: %s", sql, PQerrorMessage(session));
	PQclear(answer);
}

void database_do(enum database_role role, const char *sql)
{
	PGconn *session = database_session(role);

	database_in(session, sql);
	PQfinish(session);
}

int64_t database_number(const char *sql)
{
	PGconn *session = database_session(ADMIN);
	PGresult *answer = PQexec(session, sql);
	int64_t number;

	cr_assert(worked(answer) && PQntuples(answer) == 1, "%s: %s", sql, PQerrorMessage(session));
	cr_assert(text_to_number(PQgetvalue(answer, 0, 0), INT64_MIN, INT64_MAX, &number));
	PQclear(answer);
	PQfinish(session);
	return number;
}

const char *database_refusal(enum database_role role, const char *sql)
{
	static char sqlstate[6];
	PGconn *session = database_session(role);
	PGresult *answer = PQexec(session, sql);
	const char *found = PQresultErrorField(answer, PG_DIAG_SQLSTATE);

	cr_assert(text_copy(sqlstate, sizeof(sqlstate), found ? found : ""));
	PQclear(answer);
	PQfinish(session);
	return sqlstate;
}

void database_control(const char *arguments)
{
	char memory[COMMAND_MAX];
	struct text command = text_fixed(memory, sizeof(memory));

	text_addf(&command, "$LINKSHRINK_TEST_CONTROL %s >/dev/null", arguments);
	cr_assert(system(memory) == 0, "%s", memory);
}

int database_postmaster(void)
{
	char memory[COMMAND_MAX];
	struct text path = text_fixed(memory, sizeof(memory));
	FILE *file;
	char line[DB_NUMBER];
	int64_t pid = 0;

	text_addf(&path, "%s/postmaster.pid", getenv("LINKSHRINK_TEST_PGDATA"));
	file = fopen(memory, "r");
	cr_assert(file && fgets(line, sizeof(line), file));
	fclose(file);
	line[strcspn(line, "\n")] = '\0';
	cr_assert(text_to_number(line, 2, INT32_MAX, &pid));
	return (int)pid;
}

void database_wait_until(const char *sql)
{
	uint64_t begin = clock_monotonic();

	while (database_number(sql) != 1) {
		cr_assert(database_ms_since(begin) < PATIENCE_MS, "never true: %s", sql);
		poll(NULL, 0, 5);
	}
}

static void *join_crowd(void *argument)
{
	struct crowd_member *member = argument;
	struct db *db = database_open();

	db_set_deadline(db, PATIENCE_MS);
	member->work(db, member->number);
	db_free(db);
	return NULL;
}

void database_crowd(void (*work)(struct db *db, unsigned number))
{
	struct crowd_member members[THREADS];

	for (unsigned i = 0; i < THREADS; i++) {
		members[i] = (struct crowd_member){ .number = i, .work = work };
		cr_assert(pthread_create(&members[i].thread, NULL, join_crowd, &members[i]) == 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(members[i].thread, NULL);
}

uint64_t database_ms_since(uint64_t begin)
{
	return (clock_monotonic() - begin) / CLOCK_MS;
}
