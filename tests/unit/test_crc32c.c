#include "base/crc32c.h"

#include <criterion/criterion.h>
#include <string.h>

/* The examples of RFC 3720, appendix B.4; the nine digits are the usual check of such a code. */
Test(crc32c, gives_the_examples_of_its_standard)
{
	unsigned char zeros[32] = { 0 }, ones[32], up[32], down[32];
	memset(ones, 0xff, sizeof(ones));
	for (unsigned char i = 0; i < 32; i++) {
		up[i] = i;
		down[i] = 31 - i;
	}
	cr_expect_eq(crc32c(zeros, sizeof(zeros)), 0x8a9136aa);
	cr_expect_eq(crc32c(ones, sizeof(ones)), 0x62a8ab43);
	cr_expect_eq(crc32c(up, sizeof(up)), 0x46dd794e);
	cr_expect_eq(crc32c(down, sizeof(down)), 0x113fdb5c);
	cr_expect_eq(crc32c("123456789", 9), 0xe3069283);
	cr_expect_eq(crc32c("", 0), 0);
}

Test(crc32c, is_the_same_without_the_instruction)
{
	unsigned char bytes[300];
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 167 + 13);
	for (size_t begin = 0; begin < 9; begin++)
		for (size_t len = 0; len + begin <= sizeof(bytes); len++)
			cr_assert_eq(crc32c(bytes + begin, len),
				crc32c_portable(bytes + begin, len), "%zu at %zu", len, begin);
}
