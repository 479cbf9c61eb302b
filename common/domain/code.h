/*
 * code - short codes: [0-9A-Za-z_-]{3,64}. Codes are compared byte by byte; case matters.
 */
#ifndef DOMAIN_CODE_H
#define DOMAIN_CODE_H

#include <stdbool.h>

enum { CODE_MIN = 3, CODE_MAX = 64, CODE_RANDOM = 7 };

/* Whether a text can be a code at all; what a path must satisfy before it is looked up. */
bool code_is_valid(const char *code);

/*
 * NULL if a person may choose this code, else why not, in words. Refused: what code_is_valid()
 * refuses, digits only (/urls/:x takes those for an id), the words of the site's own paths
 * (paths.def, without regard to case).
 */
const char *code_refusal(const char *code);

/* CODE_RANDOM characters, uniform over an alphabet without look-alikes (0 O 1 I l), never reserved. */
void code_random(char code[CODE_RANDOM + 1]);

#endif
