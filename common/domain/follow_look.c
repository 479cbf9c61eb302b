#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "domain/follow_private.h"

enum { ARRAY_MAX = REPLICA_KNOWN * (CODE_MAX + 4) + 8, COMPLAIN_S = 60, ACCEPTANCE_MAX = 16 + 128 };

/* Identity and time. The session is known from now on. */
static bool ask_name(struct follow *follow)
{
	struct db_rows *rows;
	follow->looked = clock_monotonic();
	db_set_deadline(follow->db, FOLLOW_STATEMENT_MS);
	bool known = db_query(follow->db, STATEMENT_follow_look, NULL, 0, &rows) == DB_OK &&
		     text_copy(follow->database, sizeof(follow->database), db_text(rows, 0, 0));
	if (known)
		follow->now_us = db_number(rows, 0, 1);
	db_rows_free(rows);
	return known;
}

/* How many of the links that must be there are missing, or older than they were. */
static enum follow_result count_missing(struct follow *follow, int64_t *missing)
{
	char codes_memory[ARRAY_MAX], versions_memory[ARRAY_MAX];
	struct text codes = text_fixed(codes_memory, sizeof(codes_memory));
	struct text versions = text_fixed(versions_memory, sizeof(versions_memory));
	const char *const parameters[] = { codes_memory, versions_memory };
	const char *comma = "";
	int64_t wanted = 0;
	text_add_char(&codes, '{');
	text_add_char(&versions, '{');
	for (unsigned i = 0; i < REPLICA_KNOWN; i++) {
		const struct replica_known *known = &follow->meta.known[i];
		if (*known->code == '\0')
			continue;
		text_addf(&codes, "%s\"%s\"", comma, known->code);
		text_addf(&versions, "%s%lld", comma, (long long)known->version);
		comma = ",";
		wanted++;
	}
	text_add_char(&codes, '}');
	text_add_char(&versions, '}');
	*missing = 0;
	enum follow_result result =
		follow_ask(follow, STATEMENT_follow_known, parameters, 2, &follow->rows);
	if (result == FOLLOW_DONE)
		*missing = wanted - db_number(follow->rows, 0, 0);
	db_rows_free(follow->rows);
	return result;
}

static enum follow_result judge(struct follow *follow)
{
	int64_t missing;
	follow->wrong_now = NULL;
	if (*follow->meta.identity == '\0')
		return FOLLOW_DONE;
	if (strcmp(follow->meta.identity, follow->database) != 0) {
		follow->wrong_now = "it is another database than the one that the links came from";
		return FOLLOW_WRONG;
	}
	enum follow_result result = count_missing(follow, &missing);
	if (result != FOLLOW_DONE || missing == 0)
		return result;
	follow->wrong_now = "it lacks links that it had, or has older versions of them";
	return FOLLOW_WRONG;
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

static void turn_wrong(struct follow *follow)
{
	if (follow->wrong == NULL) {
		follow->complain_due = follow->note_due = 0;
		follow->front_due = 0;
		follow_start_comparison(follow); /* counts what is lost, and changes nothing */
	}
	follow->wrong = follow->wrong_now;
	follow->look_due = clock_monotonic() + FOLLOW_LOOK_AGAIN_S * CLOCK_S;
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
	int before = follow->session;
	follow->session = 0;
	if (!ask_name(follow))
		return FOLLOW_AWAY;
	follow->session = db_session_pid(follow->db);
	if (follow->session == before && follow->wrong == NULL)
		return FOLLOW_DONE;
	enum follow_result result = judge(follow);
	if (result == FOLLOW_WRONG)
		turn_wrong(follow);
	if (result == FOLLOW_DONE)
		turn_right(follow);
	return result;
}

void follow_miss(struct follow *follow, const struct replica_known *missing, unsigned count)
{
	memcpy(follow->meta.known, missing, count * sizeof(*missing));
	follow->wrong_now = "it lacks more than one of a hundred links";
	follow_keep_meta(follow);
	turn_wrong(follow);
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

static void forget(struct follow *follow)
{
	memset(follow->meta.known, 0, sizeof(follow->meta.known));
	(void)text_copy(follow->meta.identity, sizeof(follow->meta.identity), follow->database);
	follow->wrong = NULL;
	follow->note_due = 0;
	log_event(LOG_WARNING, "replica_accepts", "because an operator says so");
}

void follow_take_acceptance(struct follow *follow)
{
	char text[ACCEPTANCE_MAX];
	if (*follow->database == '\0' || !take_file(follow, text))
		return;
	const char *identity = strchr(text, ' ');
	if (identity == NULL || strcmp(identity + 1, follow->database) != 0) {
		log_event(LOG_WARNING, "replica_acceptance_ignored",
			"it is about another database than the one that answers");
		return;
	}
	forget(follow);
	if (text_starts_with(text, "rebuild ")) {
		follow_start_build(follow);
	} else if (follow->phase == FOLLOW_FOLLOWING) {
		follow_keep_meta(follow);
		follow->catching_up = true;
		follow_start_comparison(follow);
	}
}
