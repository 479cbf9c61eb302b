/* Who may see the operations pages over HTTPS: what lighttpd asks of `system` as an authorizer. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "domain/keyring.h"
#include "service/api_call.h"

extern const struct service system_service, redirect_service;

static void begin(void)
{
	api_begin();
	setenv("LINKSHRINK_RATE_AUTH_FAIL", "0", 1);
}

TestSuite(gate, .init = begin, .fini = api_end);

/* What one look of `system` at the keys makes known. */
static void refresh(void)
{
	struct db *db = db_new(getenv("LINKSHRINK_DATABASE_URL"), "test");
	db_set_deadline(db, 1500);
	cr_assert(keyring_refresh(db));
	db_free(db);
}

static int ask(const struct service *service, const char *authorization, const char *query)
{
	static struct exchange *exchange;
	exchange = exchange_new(HTTP_GET, "/prometheus/graph");
	exchange->req.authorizer = true;
	exchange->req.authorization = authorization;
	exchange->req.query = query;
	int status = exchange_run(exchange, service);
	const char *challenge = exchange_header(exchange, "WWW-Authenticate");
	if (status == 401)
		cr_expect(challenge != NULL && strncmp(challenge, "Basic realm=", 12) == 0);
	exchange_free(exchange);
	return status;
}

static int pass(const char *authorization)
{
	return ask(&system_service, authorization, "");
}

Test(gate, opens_to_a_key_for_operations_and_to_nobody_else)
{
	const char *good = api_key(0, "ops:read"), *other = api_key(0, "links:read,stats:read");
	char wrong[128];
	refresh();
	cr_expect_eq(pass(good), 200);
	cr_expect_eq(pass(""), 401);
	cr_expect_eq(pass(other), 401);
	strcpy(wrong, good);
	wrong[strlen(wrong) - 1] ^= 1;
	cr_expect_eq(pass(wrong), 401);
	strcpy(wrong, good);
	wrong[strlen("Bearer ls_")] ^= 1; /* the secret of another id */
	cr_expect_eq(pass(wrong), 401);
	cr_expect_eq(pass("Basic OmFiYw=="), 401);
	cr_expect_eq(ask(&system_service, good, "key=ls_1_x"), 400);
}

Test(gate, opens_also_while_postgresql_is_away)
{
	const char *good = api_key(0, "ops:read");
	refresh();
	setenv("LINKSHRINK_DATABASE_URL", "postgresql://x@127.0.0.1:9/x", 1);
	cr_expect_eq(pass(good), 200);
}

Test(gate, closes_to_a_key_that_is_revoked_or_expired)
{
	const char *revoked = api_key(0, "ops:read"), *expired = api_key(0, "ops:read");
	refresh();
	cr_expect_eq(pass(revoked), 200);
	api_sql("UPDATE api_keys SET revoked_at = now() WHERE id = %lld", atoll(revoked + 10));
	api_sql("UPDATE api_keys SET expires_at = now() + interval '0.2 s' WHERE id = %lld",
		atoll(expired + 10));
	refresh();
	cr_expect_eq(pass(revoked), 401);
	struct timespec pause = { .tv_nsec = 10000000 };
	for (int i = 0; i < 1000 && pass(expired) == 200; i++)
		nanosleep(&pause, NULL);
	cr_expect_eq(pass(expired), 401);
}

Test(gate, is_closed_where_a_program_has_none)
{
	const char *good = api_key(0, "ops:read");
	refresh();
	cr_expect_eq(ask(&redirect_service, good, ""), 404);
}
