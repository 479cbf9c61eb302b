#include <criterion/criterion.h>
#include <string.h>

#include "http/credentials.h"

Test(credentials, takes_the_key_behind_bearer)
{
	cr_assert_str_eq(credentials_bearer("Bearer abc"), "abc");
	cr_assert_str_eq(credentials_bearer("bEARER abc"), "abc");
	cr_assert_null(credentials_bearer("Bearer"));
	cr_assert_null(credentials_bearer("Basic OmFiYw=="));
	cr_assert_null(credentials_bearer(""));
}

Test(credentials, takes_the_password_that_a_browser_sends)
{
	static const struct {
		const char *authorization, *password; /* NULL: refused */
	} rows[] = {
		{ "Basic OmFiYw==", "abc" },         /* :abc */
		{ "basic b25jYWxsOmFiYw==", "abc" }, /* oncall:abc */
		{ "Basic OmE6Yg==", "a:b" },         /* :a:b */
		{ "Basic Og==", "" },                /* : */
		{ "Basic YWJj", NULL },              /* abc, without a colon */
		{ "Basic OmFiYw=", NULL },           /* not whole groups of four */
		{ "Basic OmFi*w==", NULL },          /* no base64 */
		{ "Basic OmFiY2RlZmdoaWo=", NULL },  /* :abcdefghij, longer than the room here */
		{ "Basic ", NULL },
		{ "Basic", NULL },
		{ "Bearer OmFiYw==", NULL },
		{ "", NULL },
	};
	char password[8];
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		bool good = credentials_password(rows[i].authorization, password, sizeof(password));
		cr_expect_eq(good, rows[i].password != NULL, "%s", rows[i].authorization);
		if (good && rows[i].password != NULL)
			cr_expect_str_eq(password, rows[i].password);
	}
}

Test(credentials, refuses_more_than_anybody_would_send)
{
	char value[6 + 800 + 1] = "Basic ", password[600];
	memset(value + 6, 'A', 800);
	cr_assert_not(credentials_password(value, password, sizeof(password)));
}
