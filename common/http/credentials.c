#include "http/credentials.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

enum { PAIR_MAX = 510 /* bytes of name and password, a multiple of 3 */ };

static const char *after_scheme(const char *authorization, const char *scheme)
{
	size_t len = strlen(scheme);
	return strncasecmp(authorization, scheme, len) == 0 ? authorization + len : NULL;
}

const char *credentials_bearer(const char *authorization)
{
	return after_scheme(authorization, "Bearer ");
}

bool credentials_password(const char *authorization, char *password, size_t room)
{
	char pair[PAIR_MAX + 1];
	const char *encoded = after_scheme(authorization, "Basic ");
	size_t len = encoded != NULL ? strlen(encoded) : 0;
	if (len == 0 || len % 4 != 0 || len / 4 * 3 > PAIR_MAX)
		return false;
	int bytes =
		EVP_DecodeBlock((unsigned char *)pair, (const unsigned char *)encoded, (int)len);
	if (bytes < 0)
		return false;
	/* Padding became zero bytes, which end the text as this one does. */
	pair[bytes] = '\0';
	const char *colon = strchr(pair, ':');
	bool good = colon != NULL && text_copy(password, room, colon + 1);
	OPENSSL_cleanse(pair, sizeof(pair));
	return good;
}
