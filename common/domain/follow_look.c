#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "domain/follow_private.h"

enum {
	COLUMNS = 4, /* of the links that must be there */
	ARRAY_MAX = REPLICA_KNOWN * (CODE_MAX + DB_NUMBER) + 8,
	COMPLAIN_S = 60,
	ACCEPTANCE_S = 300, /* what an operator said is good for so long */
	ACCEPTANCE_MAX = 16 + DB_NUMBER + 128
};

/* The links that must be there, as the statement wants them; how many. */
static int64_t list_known(const struct follow *follow, char memory[COLUMNS][ARRAY_MAX])
{
	struct text arrays[COLUMNS];
	int64_t count = 0;
	for (unsigned i = 0; i < COLUMNS; i++) {
		arrays[i] = text_fixed(memory[i], ARRAY_MAX);
		text_add_char(&arrays[i], '{');
	}
	for (unsigned i = 0; i < REPLICA_KNOWN; i++) {
		const struct replica_known *known = &follow->meta.known[i];
		const int64_t numbers[] = { known->id, known->version, known->created_us };
		const char *comma = count > 0 ? "," : "";
		if (*known->code == '\0')
			continue;
		text_addf(&arrays[0], "%s\"%s\"", comma, known->code);
		for (unsigned column = 1; column < COLUMNS; column++)
			text_addf(&arrays[column], "%s%lld", comma, (long long)numbers[column - 1]);
		count++;
	}
	for (unsigned i = 0; i < COLUMNS; i++)
		text_add_char(&arrays[i], '}');
	return count;
}

/*
 * Identity, time, and how many of the links that must be there are missing, in one statement: so
 * nothing can happen in between. The session is known from now on.
 */
static bool ask(struct follow *follow, int64_t *missing)
{
	char memory[COLUMNS][ARRAY_MAX];
	const char *const parameters[COLUMNS] = { memory[0], memory[1], memory[2], memory[3] };
	struct db_rows *rows;
	int64_t wanted = list_known(follow, memory);
	follow->looked = clock_monotonic();
	db_set_deadline(follow->db, FOLLOW_STATEMENT_MS);
	bool known =
		db_query(follow->db, STATEMENT_follow_look, parameters, COLUMNS, &rows) == DB_OK;
	if (known && strcmp(follow->database, db_text(rows, 0, 0)) != 0) {
		follow->note_due = 0; /* scripts/reconcile waits for that */
		known = text_copy(follow->database, sizeof(follow->database), db_text(rows, 0, 0));
	}
	if (known) {
		follow->now_us = db_number(rows, 0, 1);
		*missing = wanted - db_number(rows, 0, 2);
	}
	db_rows_free(rows);
	return known;
}

/* Why it must not be copied, or NULL. */
static const char *judge(const struct follow *follow, int64_t missing)
{
	if (*follow->meta.identity == '\0')
		return NULL;
	if (strcmp(follow->meta.identity, follow->database) != 0)
		return "it is another database than the one that the links came from";
	return missing > 0 ? "it lacks links that it had, or has others or older versions in "
			     "their place"
			   : NULL;
}

static void complain(struct follow *follow)
{
	struct log_line line;
	uint64_t now = clock_monotonic();
	if (now < follow->complain_due)
		return;
	follow->complain_due = now + COMPLAIN_S * CLOCK_S;
	log_begin(&line, LOG_ERROR, "replica_refuses");
	log_field(&line, "error", follow->wrong);
	log_field(&line, "database", follow->database);
	log_field(&line, "wanted", follow->meta.identity);
	log_field(&line, "advice", "links are served from the replica; see scripts/reconcile");
	log_end(&line);
}

static void turn_wrong(struct follow *follow, const char *why)
{
	bool was_right = follow->wrong == NULL;
	follow->wrong = why;
	follow->look_due = clock_monotonic() + FOLLOW_LOOK_AGAIN_S * CLOCK_S;
	if (was_right) {
		follow->complain_due = follow->note_due = 0;
		follow->front_due = 0;
		follow->walked[0] = '\0';        /* of what was built some is gone */
		follow_start_comparison(follow); /* counts what is lost, and changes nothing */
		replica_writer_prove(follow->writer);
	}
	complain(follow);
}

static void turn_right(struct follow *follow)
{
	if (follow->wrong == NULL)
		return;
	log_event(LOG_INFO, "replica_accepts", NULL);
	follow->wrong = NULL;
	follow->note_due = 0;
	follow->catching_up = true;
	follow_start_comparison(follow);
}

enum follow_result follow_look(struct follow *follow)
{
	int64_t missing = 0;
	follow->session = 0;
	if (!ask(follow, &missing))
		return FOLLOW_AWAY;
	follow->session = db_session_pid(follow->db);
	const char *why = judge(follow, missing);
	if (why != NULL) {
		turn_wrong(follow, why);
		return FOLLOW_WRONG;
	}
	turn_right(follow);
	return FOLLOW_DONE;
}

void follow_miss(
	struct follow *follow, const struct replica_known *missing, unsigned count, const char *why)
{
	memcpy(follow->meta.known, missing, count * sizeof(*missing));
	follow_keep_meta(follow);
	turn_wrong(follow, why);
}

/* The file "accept", which is gone then. False: there is none, or half of one. */
static bool take_file(const struct follow *follow, char text[ACCEPTANCE_MAX])
{
	char memory[PATH_MAX];
	struct text path = text_fixed(memory, sizeof(memory));
	text_addf(&path, "%s/accept", follow->directory);
	int file = open(memory, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (file < 0)
		return false;
	ssize_t len = read(file, text, ACCEPTANCE_MAX - 1);
	close(file);
	if (len <= 0 || text[len - 1] != '\n')
		return false;
	text[len - 1] = '\0';
	return unlink(memory) == 0;
}

/* <word> <seconds since 1970> <identity>: what it says about this database, and only just now. */
static const char *heed(const struct follow *follow, char *text)
{
	int64_t said;
	char *time = strchr(text, ' '), *identity = time != NULL ? strchr(time + 1, ' ') : NULL;
	if (identity == NULL)
		return NULL;
	*time++ = *identity++ = '\0';
	if (strcmp(identity, follow->database) != 0 || !text_to_number(time, 0, INT64_MAX, &said))
		return NULL;
	int64_t age = clock_wall_ms() / 1000 - said;
	return age >= -ACCEPTANCE_S && age <= ACCEPTANCE_S ? text : NULL;
}

/* A database that lacks known links stays wrong, unless they are to be forgotten. */
static void accept_database(struct follow *follow, bool forget)
{
	if (forget)
		memset(follow->meta.known, 0, sizeof(follow->meta.known));
	(void)text_copy(follow->meta.identity, sizeof(follow->meta.identity), follow->database);
	follow->wrong = NULL;
	follow->note_due = 0;
	follow->session = 0; /* judged before anything else */
	follow_remember(follow);
	log_event(LOG_WARNING, "replica_accepts", "because an operator says so");
}

void follow_take_acceptance(struct follow *follow)
{
	char text[ACCEPTANCE_MAX];
	if (*follow->database == '\0' || !take_file(follow, text))
		return;
	const char *word = heed(follow, text);
	if (word == NULL) {
		log_event(LOG_WARNING, "replica_acceptance_ignored",
			"it is old, or about another database than the one that answers");
		return;
	}
	bool rebuild = strcmp(word, "rebuild") == 0;
	accept_database(follow, rebuild);
	if (rebuild) {
		follow_start_build(follow);
	} else if (follow->phase == FOLLOW_FOLLOWING) {
		follow_keep_meta(follow);
		follow->catching_up = true;
		follow_start_comparison(follow);
	}
}
