#include "domain/apikey.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <string.h>

#include "base/text.h"

enum {
	SECRET_LEN = 64, /* hex digits */
	HASH = 32,       /* bytes of SHA-256 */
	ID_MAX = 19,     /* digits */
	SCOPE_NAME_MAX = 32
};

static const struct {
	const char *name;
	unsigned bit;
} scopes[] = {
#define SCOPE(id, bit, name) { name, SCOPE_##id },
#include "domain/scopes.def"
};

/* Splits ls_<id>_<secret>; *secret points into token. */
static bool parse(const char *token, char id[ID_MAX + 1], const char **secret)
{
	int64_t number;
	size_t len;

	if (!text_starts_with(token, "ls_"))
		return false;
	token += strlen("ls_");
	len = strcspn(token, "_");
	if (len == 0 || len > ID_MAX || token[len] != '_')
		return false;
	memcpy(id, token, len);
	id[len] = '\0';
	*secret = token + len + 1;
	return text_to_number(id, 1, INT64_MAX, &number) && strlen(*secret) == SECRET_LEN &&
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

static bool has_hash(const char *secret, const char *stored)
{
	char hex[2 * HASH + 1];

	return strlen(stored) == 2 * HASH && hash_hex(secret, hex) &&
	       CRYPTO_memcmp(hex, stored, 2 * HASH) == 0;
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

enum apikey_result apikey_check(struct db *db, const char *token, struct apikey *key)
{
	char id[ID_MAX + 1];
	const char *const parameters[] = { id };
	const char *secret;
	struct db_rows *rows;
	enum db_result result;
	bool good;

	if (!parse(token, id, &secret))
		return APIKEY_REFUSED;
	result = db_query(db, STATEMENT_apikey_find, parameters, 1, &rows);
	if (result != DB_OK)
		return result == DB_NOT_FOUND ? APIKEY_REFUSED : APIKEY_DOWN;
	good = has_hash(secret, db_text(rows, 0, 0));
	if (good) {
		key->owner = db_number(rows, 0, 1);
		key->scopes = scopes_from(db_text(rows, 0, 2));
		(void)text_to_number(id, 1, INT64_MAX, &key->id);
	}
	db_rows_free(rows);
	return good ? APIKEY_OK : APIKEY_REFUSED;
}
