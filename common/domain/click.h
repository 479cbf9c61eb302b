/*
 * click - a redirect that was answered, kept for counting.
 *
 * click_record() is called before the answer is sent; CLICK_DROPPED means that this click will
 * not be counted. The redirect is answered all the same, and the caller counts the loss.
 */
#ifndef DOMAIN_CLICK_H
#define DOMAIN_CLICK_H

#include <stdbool.h>
#include <stdint.h>

#include "db/db.h"

enum click_result { CLICK_KEPT, CLICK_DROPPED };

struct click {
	int64_t link; /* links.id */
	int64_t at;   /* milliseconds since 1970 */
	bool bot;
};

/* node: the number of this machine, see config.def. */
__attribute__((warn_unused_result)) enum click_result click_record(
	struct db *db, const struct click *click, int64_t node);

#endif
