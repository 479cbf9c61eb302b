/*
 * crc32c - the checksum of records on a disk: CRC-32C (Castagnoli), as iSCSI uses it.
 * It finds damage, not forgery. Source: RFC 3720, section 12.1 and the examples of appendix B.4.
 */
#ifndef BASE_CRC32C_H
#define BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* By the processor's instruction where it has one. */
uint32_t crc32c(const void *bytes, size_t len);

/* The same without it. */
uint32_t crc32c_portable(const void *bytes, size_t len);

#endif
