#include "domain/code.h"

#include <string.h>
#include <strings.h>

#include "base/random.h"

#define DIGITS  "0123456789"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

bool code_is_valid(const char *code)
{
	size_t len = strnlen(code, CODE_MAX + 1);
	return len >= CODE_MIN && len <= CODE_MAX && strspn(code, DIGITS LETTERS "_-") == len;
}

static bool is_reserved(const char *code)
{
	static const char *const reserved[] = {
#define PATH(segment, listener, program) segment,
#include "base/paths.def"
	};
	for (size_t i = 0; i < sizeof(reserved) / sizeof(*reserved); i++) {
		if (strcasecmp(reserved[i], code) == 0)
			return true;
	}
	return false;
}

const char *code_refusal(const char *code)
{
	if (!code_is_valid(code))
		return "must be 3 to 64 letters of a-z and A-Z, digits, '-' or '_'";
	if (code[strspn(code, DIGITS)] == '\0')
		return "must not be digits only";
	if (is_reserved(code))
		return "is reserved";
	return NULL;
}

void code_random(char code[CODE_RANDOM + 1])
{
	static const char alphabet[] = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
	do
		random_letters(code, CODE_RANDOM, alphabet);
	while (code_refusal(code) != NULL);
}
