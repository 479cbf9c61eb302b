/*
 * target_idn - a host name as people write it, in the letters that DNS knows.
 *
 * Labels with other letters than ASCII become A-labels (xn--…) by UTS #46, nontransitional, as in
 * browsers; A-labels must be such: they are decoded and encoded again. Letters are made small. Which
 * of the ASCII characters a host may have, and how long it may be, is not looked at here.
 * The one file that knows libidn2.
 */
#ifndef DOMAIN_TARGET_IDN_H
#define DOMAIN_TARGET_IDN_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of UTF-8 in a label; soft hyphens and the like count, though they vanish. */
enum { TARGET_IDN_LABEL = 512 };

/* name is UTF-8. False if it has no such form or does not fit into room bytes with its zero. */
bool target_idn_read(const char *name, char *ascii, size_t room);

#endif
