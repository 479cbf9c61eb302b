#include "domain/apikey.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/random.h"
#include "base/text.h"

enum {
	SECRET_LEN = 64, /* hex digits */
	HASH = 32,       /* bytes of SHA-256 */
	ID_MAX = 19      /* digits */
};

static const struct filter_statements statements = { .newest = STATEMENT_apikeys_newest,
	.oldest = STATEMENT_apikeys_oldest,
	.count = STATEMENT_apikeys_count };

static const struct {
	const char *name;
	unsigned bit;
} scopes[] = {
#define SCOPE(id, bit, name) { name, SCOPE_##id },
#include "domain/scopes.def"
};

/* Splits ls_<id>_<secret>; *secret points into token. */
static bool parse(const char *token, int64_t *id, const char **secret)
{
	char digits[ID_MAX + 1];
	size_t len;

	if (!text_starts_with(token, "ls_"))
		return false;
	token += strlen("ls_");
	len = strcspn(token, "_");
	if (len == 0 || len > ID_MAX || token[len] != '_')
		return false;
	memcpy(digits, token, len);
	digits[len] = '\0';
	*secret = token + len + 1;
	return text_to_number(digits, 1, INT64_MAX, id) && strlen(*secret) == SECRET_LEN &&
	       strspn(*secret, "0123456789abcdef") == SECRET_LEN;
}

static bool hash_hex(const char *secret, char hex[2 * HASH + 1])
{
	unsigned char hash[HASH];
	struct text text = text_fixed(hex, 2 * HASH + 1);

	if (!EVP_Digest(secret, SECRET_LEN, hash, NULL, EVP_sha256(), NULL))
		return false;
	for (size_t i = 0; i < HASH; i++)
		text_addf(&text, "%02x", hash[i]);
	return true;
}

static bool same_hash(const char *hash, const char *stored)
{
	return strlen(stored) == 2 * HASH && CRYPTO_memcmp(hash, stored, 2 * HASH) == 0;
}

static unsigned scope_from(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(scopes) / sizeof(*scopes); i++)
		if (strlen(scopes[i].name) == len && memcmp(scopes[i].name, name, len) == 0)
			return scopes[i].bit;
	return SCOPE_NONE; /* one that a newer build gave: nothing here needs it */
}

/* Names separated by single spaces. */
static unsigned scopes_from(const char *names)
{
	unsigned bits = SCOPE_NONE;

	while (*names) {
		size_t len = strcspn(names, " ");

		bits |= scope_from(names, len);
		names += len + (names[len] == ' ');
	}
	return bits;
}

unsigned apikey_scope(const char *name)
{
	return scope_from(name, strlen(name));
}

const char *apikey_scope_name(unsigned i, unsigned *bit)
{
	if (i >= sizeof(scopes) / sizeof(*scopes))
		return NULL;
	*bit = scopes[i].bit;
	return scopes[i].name;
}

static void scopes_to(unsigned bits, char names[APIKEY_SCOPES_MAX])
{
	struct text text = text_fixed(names, APIKEY_SCOPES_MAX);

	for (size_t i = 0; i < sizeof(scopes) / sizeof(*scopes); i++)
		if ((bits & scopes[i].bit) != 0)
			text_addf(&text, "%s%s", text.len ? " " : "", scopes[i].name);
}

bool apikey_read(const char *token, int64_t *id, char hash[APIKEY_HASH])
{
	const char *secret;

	return parse(token, id, &secret) && hash_hex(secret, hash);
}

enum apikey_result apikey_check(struct db *db, const char *token, struct apikey *key)
{
	char hash[APIKEY_HASH];
	const char *const parameters[] = { hash };
	const char *secret;
	int64_t id;
	struct db_rows *rows;
	enum db_result result;
	bool good;

	if (!parse(token, &id, &secret))
		return APIKEY_REFUSED;
	if (!hash_hex(secret, hash))
		return APIKEY_DOWN;
	result = db_query(db, STATEMENT_apikey_find, parameters, 1, &rows);
	if (result != DB_OK)
		return result == DB_NOT_FOUND ? APIKEY_REFUSED : APIKEY_DOWN;
	good = same_hash(hash, db_text(rows, 0, 1)) && db_number(rows, 0, 0) == id;
	if (good) {
		key->id = id;
		key->owner = db_number(rows, 0, 2);
		key->scopes = scopes_from(db_text(rows, 0, 3));
	}
	db_rows_free(rows);
	return good ? APIKEY_OK : APIKEY_REFUSED;
}

bool apikey_from_row(const struct db_rows *rows, int row, struct apikey_record *record)
{
	record->key.id = db_number(rows, row, 0);
	record->key.scopes = scopes_from(db_text(rows, row, 2));
	record->key.owner = db_number(rows, row, 3);
	record->created_at = db_number(rows, row, 4);
	record->expires_at = db_number(rows, row, 5);
	record->revoked_at = db_number(rows, row, 6);
	return text_copy(record->name, sizeof(record->name), db_text(rows, row, 1));
}

enum db_result apikey_create(struct db *db, struct apikey_record *record, char token[APIKEY_TOKEN])
{
	char secret[SECRET_LEN + 1], hash[2 * HASH + 1], names[APIKEY_SCOPES_MAX], owner[DB_NUMBER],
		expires[DB_NUMBER];
	const char *const parameters[] = { record->name, hash, names,
		db_number_text(owner, record->key.owner),
		db_number_text(expires, record->expires_at) };
	struct text text = text_fixed(token, APIKEY_TOKEN);
	struct db_rows *rows;
	enum db_result result;

	random_hex(secret, SECRET_LEN / 2);
	scopes_to(record->key.scopes, names);
	if (!hash_hex(secret, hash))
		return DB_DOWN;
	result = db_query(db, STATEMENT_apikey_create, parameters, 5, &rows);
	if (result == DB_OK && !apikey_from_row(rows, 0, record))
		result = DB_DOWN;
	if (result == DB_OK)
		text_addf(&text, "ls_%lld_%s", (long long)record->key.id, secret);
	db_rows_free(rows);
	OPENSSL_cleanse(secret, sizeof(secret));
	return result;
}

enum db_result apikey_revoke(struct db *db, int64_t id, int64_t owner)
{
	char number[DB_NUMBER], whose[DB_NUMBER];
	const char *const parameters[] = { db_number_text(number, id),
		db_number_text(whose, owner) };

	return db_run(db, STATEMENT_apikey_revoke, parameters, 2);
}

enum db_result apikey_list(struct db *db, const struct apikey_filter *filter, struct db_rows **rows)
{
	char owner[DB_NUMBER];
	const char *condition = db_number_text(owner, filter->owner);

	return filter_list(db, &statements, &condition, 1, &filter->page, rows);
}

enum db_result apikey_list_total(
	struct db *db, const struct apikey_filter *filter, struct total *total)
{
	char owner[DB_NUMBER];
	const char *condition = db_number_text(owner, filter->owner);

	return filter_total(db, &statements, &condition, 1, total);
}
