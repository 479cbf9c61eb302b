#include "domain/apikey.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/text.h"
#include "domain/database.h"

#define SECRET "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static char secret[65]; /* of the last key that was made */

/* A key with a secret of its own; columns and values go into the row as they are. */
static int64_t make_key(const char *columns, const char *values)
{
	char memory[512];
	struct text sql = text_fixed(memory, sizeof(memory));

	random_hex(secret, 32);
	text_addf(&sql,
		"INSERT INTO api_keys (name, hash%s) VALUES ('test', sha256('%s')%s) RETURNING id",
		columns, secret, values);
	return database_number(memory);
}

static enum apikey_result check(int64_t id, const char *with, struct apikey *key)
{
	char token[256];
	struct text text = text_fixed(token, sizeof(token));
	struct db *db = database_open();
	enum apikey_result result;

	text_addf(&text, "ls_%lld_%s", (long long)id, with);
	result = apikey_check(db, token, key);
	db_free(db);
	return result;
}

Test(apikey, that_is_good_tells_its_owner_and_scopes)
{
	int64_t owner = database_number("INSERT INTO users (username, email) VALUES ('keys', "
					"'keys@example.com') RETURNING id");
	char values[128];
	struct text text = text_fixed(values, sizeof(values));
	struct apikey key;
	int64_t id;

	text_addf(&text, ", '{links:write,ops:read}', %lld, now() + interval '1 h'",
		(long long)owner);
	id = make_key(", scopes, owner, expires_at", values);
	cr_assert(check(id, secret, &key) == APIKEY_OK);
	cr_assert(eq(i64, key.id, id));
	cr_assert(eq(i64, key.owner, owner));
	cr_assert(eq(uint, key.scopes, SCOPE_LINKS_WRITE | SCOPE_OPS_READ));
}

Test(apikey, with_a_wrong_secret_or_id_is_refused)
{
	int64_t id = make_key(", scopes", ", '{links:read}'");
	struct apikey key;

	cr_assert(check(id, SECRET, &key) == APIKEY_REFUSED);
	cr_assert(check(id + 1000, secret, &key) == APIKEY_REFUSED);
	cr_assert(check(INT64_MAX, secret, &key) == APIKEY_REFUSED);
	cr_assert(check(id, secret, &key) == APIKEY_OK);
}

Test(apikey, that_has_expired_is_refused)
{
	struct apikey key;

	cr_assert(check(make_key(", scopes, expires_at", ", '{links:read}', now()"), secret,
			  &key) == APIKEY_REFUSED);
}

Test(apikey, that_was_revoked_is_refused)
{
	struct apikey key;

	cr_assert(check(make_key(", scopes, revoked_at", ", '{links:read}', now()"), secret,
			  &key) == APIKEY_REFUSED);
}

static const char *const malformed[] = { "", "ls", "ls_", "ls__", "ls_1", "ls_1_", "ls__" SECRET,
	"1_" SECRET, "LS_1_" SECRET, "ls_-1_" SECRET, "ls_+1_" SECRET, "ls_ 1_" SECRET,
	"ls_0_" SECRET, "ls_1x_" SECRET, "ls_1_" SECRET "0", "ls_1_" SECRET " ", " ls_1_" SECRET,
	"ls_1__" SECRET, "ls_9223372036854775808_" SECRET, "ls_11111111111111111111_" SECRET,
	"ls_1_0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
	"ls_1_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde",
	"ls_1' OR true --_" SECRET };

/* Nothing malformed costs a statement: there is no server behind this connection. */
Test(apikey, that_is_malformed_is_refused_without_asking_the_database)
{
	struct db *db = db_new("host=/nonexistent", "redirect");
	struct apikey key;

	db_set_deadline(db, DEADLINE_MS);
	for (size_t i = 0; i < sizeof(malformed) / sizeof(*malformed); i++)
		cr_expect(
			apikey_check(db, malformed[i], &key) == APIKEY_REFUSED, "%s", malformed[i]);
	cr_assert(apikey_check(db, "ls_1_" SECRET, &key) == APIKEY_DOWN);
	db_free(db);
}

static unsigned all_scopes(void)
{
	return 0
#define SCOPE(id, bit, name) | SCOPE_##id
#include "domain/scopes.def"
		;
}

static void print_key(const char *arguments, char *to, int room)
{
	char memory[256];
	struct text command = text_fixed(memory, sizeof(memory));
	FILE *output;

	cr_assert(setenv("DATABASE_OWNER_URL", database_url(OWNER), 1) == 0);
	text_addf(&command, "scripts/admin-key %s 2>&1", arguments);
	output = popen(memory, "r");
	cr_assert(output != NULL && fgets(to, room, output) != NULL);
	cr_assert(fgetc(output) == EOF, "one line and no more");
	pclose(output);
	to[strcspn(to, "\n")] = '\0';
}

Test(admin_key, prints_keys_that_are_good)
{
	struct db *db = database_open();
	struct apikey key;
	char token[256];

	print_key("", token, sizeof(token));
	cr_assert(apikey_check(db, token, &key) == APIKEY_OK, "%s", token);
	cr_assert(eq(uint, key.scopes, all_scopes()));
	cr_assert(eq(i64, key.owner, 0));
	print_key("--name \"o'x\" --scopes ops:read,stats:read --days 1", token, sizeof(token));
	cr_assert(apikey_check(db, token, &key) == APIKEY_OK, "%s", token);
	cr_assert(eq(uint, key.scopes, SCOPE_OPS_READ | SCOPE_STATS_READ));
	db_free(db);
}

Test(admin_key, refuses_a_scope_that_does_not_exist_in_one_sentence)
{
	char output[512];

	print_key("--scopes links:write,root", output, sizeof(output));
	cr_assert(strstr(output, "there is no scope 'root'") != NULL, "%s", output);
}
