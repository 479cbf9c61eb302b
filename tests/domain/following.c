#include "domain/following.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SQL_MAX = 512 };

struct follow *follow;
struct db *db;
char directory[FOLLOWING_PATH_MAX];

void forget_links(void)
{
	database_do(OWNER, "TRUNCATE links");
}

void following_begin(void)
{
	forget_links();
	snprintf(directory, sizeof(directory), "%s/../replica.XXXXXX",
		getenv("LINKSHRINK_TEST_PGDATA"));
	cr_assert(mkdtemp(directory) != NULL);
	db = db_new(database_url(WEB), "replicate");
	follow = follow_new(directory, REPLICA_BYTES, 1);
	cr_assert(db != NULL && follow != NULL);
}

void following_end(void)
{
	follow_free(follow);
	db_free(db);
}

void turn(void)
{
	if (follow_turn(follow, db, NULL, 0) > 0)
		usleep(2000);
}

enum label_state state(void)
{
	return atomic_load(&segment_get()->replica.state);
}

void turn_some(void)
{
	for (int i = 0; i < 4; i++)
		turn();
}

bool is_following(void)
{
	return state() == LABEL_state_FOLLOWING &&
	       follow->looked - atomic_load(&segment_get()->replica.seen) < CLOCK_S;
}

bool finds(const char *code, struct replica_record *record)
{
	return replica_writer_find(follow->writer, code, record) == REPLICA_OK;
}

bool has(const char *code)
{
	struct replica_record record;
	return finds(code, &record);
}

bool leads_to(const char *code, const char *target)
{
	struct replica_record record;
	return finds(code, &record) && strcmp(record.link.target, target) == 0;
}

void create_old(const char *prefix, int count)
{
	char sql[SQL_MAX];
	snprintf(sql, sizeof(sql),
		"INSERT INTO links (code, target, updated_at, created_at) "
		"SELECT '%s' || i, 'https://old.example/' || i, now() - interval '1 h', "
		"now() - interval '1 h' FROM generate_series(1, %d) AS i",
		prefix, count);
	database_do(OWNER, sql);
}

void create(const char *code)
{
	char sql[SQL_MAX];
	snprintf(sql, sizeof(sql),
		"INSERT INTO links (code, target) VALUES ('%s', 'https://new.example/')", code);
	database_do(OWNER, sql);
}

void end_sessions(void)
{
	database_do(ADMIN, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
			   "WHERE usename = 'linkshrink_web'");
}

int64_t metric(enum metric metric)
{
	return (int64_t)metrics_value(metric, 0, 0);
}
