/*
 * apikey - keys of the form ls_<id>_<secret>: id is a number, secret 64 hex digits (256 random
 * bits). The database holds SHA-256 of the secret's text only; comparison takes constant time.
 * A key is a secret: it is never logged and never part of an error text.
 */
#ifndef DOMAIN_APIKEY_H
#define DOMAIN_APIKEY_H

#include <stdint.h>

#include "db/db.h"

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

struct apikey {
	int64_t id;
	int64_t owner; /* users.id, 0 for nobody */
	unsigned scopes;
};

__attribute__((warn_unused_result)) enum apikey_result apikey_check(
	struct db *db, const char *token, struct apikey *key);

#endif
