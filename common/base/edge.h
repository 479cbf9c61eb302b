/*
 * edge - what lighttpd counted: every answer that it sent, those of its own included, which no
 * program knows of. lighttpd/edge.lua hands the counts to the program metrics in a header of each
 * request for the page; they are the web server's, so they begin at 0 with each of its starts.
 */
#ifndef BASE_EDGE_H
#define BASE_EDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/metrics.h"

struct edge {
	uint64_t counts[LABEL_edge_COUNT][LABEL_method_COUNT][LABEL_code_COUNT];
};

/*
 * From "redirect GET 302 17,health HEAD 200 3,." where the dot says that nothing was cut off. False
 * for anything else; what edge then holds is of no use. Statuses may repeat as LABEL_code_OTHER:
 * they add up.
 */
bool edge_read(struct edge *edge, const char *text);

#endif
