#include "base/crc32c.h"

#include <string.h>

/*
 * What four bits add to the remainder. Row i is i divided, bit by bit, by the polynomial
 * 0x1EDC6F41 of RFC 3720; all is mirrored, because bits are sent from the lowest.
 */
static const uint32_t table[16] = { 0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc,
	0x5125dad3, 0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
	0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75 };

uint32_t crc32c_portable(const void *bytes, size_t len)
{
	const unsigned char *byte = bytes;
	uint32_t sum = UINT32_MAX;
	for (size_t i = 0; i < len; i++) {
		sum ^= byte[i];
		sum = sum >> 4 ^ table[sum & 15];
		sum = sum >> 4 ^ table[sum & 15];
	}
	return ~sum;
}

#if defined(__x86_64__)
#include <nmmintrin.h>

__attribute__((target("sse4.2"))) static uint32_t by_instruction(const void *bytes, size_t len)
{
	const unsigned char *next = bytes;
	uint64_t sum = UINT32_MAX, word;
	for (; len >= sizeof(word); len -= sizeof(word), next += sizeof(word)) {
		memcpy(&word, next, sizeof(word));
		sum = _mm_crc32_u64(sum, word);
	}
	for (; len > 0; len--, next++)
		sum = _mm_crc32_u8((uint32_t)sum, *next);
	return ~(uint32_t)sum;
}

uint32_t crc32c(const void *bytes, size_t len)
{
	return __builtin_cpu_supports("sse4.2") ? by_instruction(bytes, len)
						: crc32c_portable(bytes, len);
}
#else
uint32_t crc32c(const void *bytes, size_t len)
{
	return crc32c_portable(bytes, len);
}
#endif
