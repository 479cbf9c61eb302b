#include "base/random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void random_bytes(void *to, size_t len)
{
	unsigned char *next = to;
	while (len > 0) {
		ssize_t got = getrandom(next, len, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			abort();
		next += got;
		len -= (size_t)got;
	}
}

uint32_t random_below(uint32_t bound)
{
	/* The largest multiple of bound; what lies above would favour small results. */
	uint32_t fair = UINT32_MAX - UINT32_MAX % bound;
	uint32_t value;
	do
		random_bytes(&value, sizeof(value));
	while (value >= fair);
	return value % bound;
}

void random_letters(char *to, size_t len, const char *alphabet)
{
	const size_t count = strlen(alphabet);
	const size_t fair = 256 - 256 % count; /* likewise */
	unsigned char bytes[32];               /* mostly enough for a code at once */
	size_t next = sizeof(bytes);
	for (size_t i = 0; i < len; next++) {
		if (next >= sizeof(bytes)) {
			random_bytes(bytes, sizeof(bytes));
			next = 0;
		}
		if (bytes[next] < fair)
			to[i++] = alphabet[bytes[next] % count];
	}
	to[len] = '\0';
}

void random_hex(char *to, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char bytes[64];
	while (len > 0) {
		size_t part = len < sizeof(bytes) ? len : sizeof(bytes);
		random_bytes(bytes, part);
		for (size_t i = 0; i < part; i++) {
			*to++ = digits[bytes[i] >> 4];
			*to++ = digits[bytes[i] & 15];
		}
		len -= part;
	}
	*to = '\0';
}
