/*
 * fuzz - what the fuzz targets share. A target is a program of one file: libFuzzer calls its
 * LLVMFuzzerTestOneInput() with bytes that it makes up from tests/fuzz/seeds/<target>/, and each
 * FUZZ_CHECK that does not hold ends the program and keeps the bytes.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUZZ_CHECK(holds)                                                                          \
	do {                                                                                       \
		if (!(holds)) {                                                                    \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #holds); \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes up to the next zero byte, or all, as a string of its own; free it. Moves on. */
static inline char *fuzz_text(const uint8_t **data, size_t *size)
{
	const uint8_t *zero = *size == 0 ? NULL : memchr(*data, 0, *size);
	size_t len = zero == NULL ? *size : (size_t)(zero - *data);
	char *text = malloc(len + 1);
	FUZZ_CHECK(text != NULL);
	if (len > 0)
		memcpy(text, *data, len);
	text[len] = '\0';
	size_t taken = zero == NULL ? len : len + 1;
	*data += taken;
	*size -= taken;
	return text;
}

#endif
