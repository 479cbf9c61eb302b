/*
 * apikey - keys of the form ls_<id>_<secret>: id is a number, secret 64 hex digits (256 random
 * bits). The database holds SHA-256 of the secret's text only; comparison takes constant time.
 * A key is a secret: it is never logged and never part of an error text.
 */
#ifndef DOMAIN_APIKEY_H
#define DOMAIN_APIKEY_H

#include <stdint.h>

#include "domain/filter.h"

enum {
	APIKEY_NAME_MAX = 255,
	APIKEY_TOKEN = 3 + 19 + 1 + 64 + 1, /* ls_<id>_<secret> and a zero */
	APIKEY_HASH = 2 * 32 + 1,           /* SHA-256 of a secret as hex digits, and a zero */
	APIKEY_SCOPES_MAX = 256             /* the names of all scopes, spaces between */
};

/* Scopes are bits; the names are those of the api_keys.scopes array and of the API. */
enum apikey_scope {
#define SCOPE(id, bit, name) SCOPE_##id = 1 << (bit),
#include "domain/scopes.def"
	SCOPE_NONE = 0
};

enum apikey_result {
	APIKEY_OK,
	APIKEY_REFUSED, /* malformed, unknown, wrong secret, expired or revoked: say no more */
	APIKEY_DOWN
};

/* What a request may do that came with the key. */
struct apikey {
	int64_t id;
	int64_t owner; /* users.id, 0 for nobody */
	unsigned scopes;
};

/* As the database keeps it; times are milliseconds since 1970, 0 for never. */
struct apikey_record {
	struct apikey key;
	char name[APIKEY_NAME_MAX + 1];
	int64_t created_at, expires_at, revoked_at;
};

struct apikey_filter {
	struct page page;
	int64_t owner;
};

/*
 * The key is looked up by the hash of its secret, and only then its id is compared: who tries keys
 * cannot tell an unknown id from a wrong secret, nor by how long it takes.
 */
__attribute__((warn_unused_result)) enum apikey_result apikey_check(
	struct db *db, const char *token, struct apikey *key);

/* The id and the hash of the secret of what looks like a key; false: it does not. */
bool apikey_read(const char *token, int64_t *id, char hash[APIKEY_HASH]);

/*
 * Makes a key with the record's name, scopes (at least one), owner and expires_at, and fills in the
 * rest. token is the only place where its secret ever is. DB_NOT_FOUND: there is no such owner.
 */
__attribute__((warn_unused_result)) enum db_result apikey_create(
	struct db *db, struct apikey_record *record, char token[APIKEY_TOKEN]);

/* From now on it is refused. owner: whose it has to be, 0 for whoever. DB_NOT_FOUND: none such. */
__attribute__((warn_unused_result)) enum db_result apikey_revoke(
	struct db *db, int64_t id, int64_t owner);

/* See filter_list() and filter_total(). */
__attribute__((warn_unused_result)) enum db_result apikey_list(
	struct db *db, const struct apikey_filter *filter, struct db_rows **rows);
__attribute__((warn_unused_result)) enum db_result apikey_list_total(
	struct db *db, const struct apikey_filter *filter, struct total *total);
bool apikey_from_row(const struct db_rows *rows, int row, struct apikey_record *record);

/* The bit of a scope's name; SCOPE_NONE for none that this build knows. */
unsigned apikey_scope(const char *name);

/* The name of the i-th scope, NULL after the last one, and its bit. */
const char *apikey_scope_name(unsigned i, unsigned *bit);

#endif
