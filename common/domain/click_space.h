/*
 * click_space - whether a spool has room for more clicks.
 */
#ifndef DOMAIN_CLICK_SPACE_H
#define DOMAIN_CLICK_SPACE_H

#include <stdbool.h>

#include "base/metrics.h"

/*
 * Why clicks may not be kept in a directory now, by LINKSHRINK_SPOOL_RESERVE_BYTES and
 * LINKSHRINK_SPOOL_MAX_BYTES; LABEL_reason_COUNT if they may. low: it may soon be otherwise, look
 * often. A directory that cannot be looked at has room: writing to it will say more.
 */
enum label_reason click_space(const char *directory, bool *low);

#endif
