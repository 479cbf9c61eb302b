/*
 * stats_json - the statistics of a link as the API shows them. Fields and their meaning: docs/api.
 */
#ifndef SERVICE_STATS_JSON_H
#define SERVICE_STATS_JSON_H

#include "domain/stats.h"
#include "http/json_write.h"

/*
 * Adds the members from bot_count to as_of to an object that is open, up to 110 KB. click_count is
 * one of the link's own members, which come before: link_json_members().
 */
void stats_json(struct json_writer *json, const struct link_stats *stats);

#endif
