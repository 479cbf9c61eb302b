/*
 * keyring - the keys that open the operations pages (scope ops:read), known without PostgreSQL:
 * whoever is on call needs these pages most while it is away.
 *
 * `system` copies them into the shared segment each second. So a revoked key goes within that time,
 * or, while PostgreSQL is away, as soon as it is back; one that expires goes by this machine's clock.
 * At most KEYRING_CELLS are known, the newest ones.
 */
#ifndef DOMAIN_KEYRING_H
#define DOMAIN_KEYRING_H

#include <stdbool.h>

#include "domain/apikey.h"

/* Copies them anew. False: PostgreSQL did not answer, and those that are known stay so. */
bool keyring_refresh(struct db *db);

/* As apikey_check(), but never APIKEY_DOWN. */
__attribute__((warn_unused_result)) enum apikey_result keyring_check(
	const char *token, struct apikey *key);

#endif
