/* The statistics of a link. */
#include <stddef.h>

#include "base/clock.h"
#include "cgi-bin/api.h"
#include "domain/click.h"
#include "domain/stats.h"
#include "http/json_write.h"
#include "service/link_json.h"
#include "service/list.h"
#include "service/stats_json.h"

struct stats_query {
	int64_t from, to;
	char interval[8];
};

static const struct json_field query_fields[] = { { "from", JSON_TIME, false, 0, 0,
							  offsetof(struct stats_query, from) },
	{ "to", JSON_TIME, false, 0, 0, offsetof(struct stats_query, to) },
	{ "interval", JSON_TEXT, false, 1, 7, offsetof(struct stats_query, interval) }, { 0 } };

/* False: answered with what is wrong. */
static bool read_range(
	const struct http_request *req, struct http_response *res, struct stats_range *range)
{
	struct stats_query query = { .interval = "day" };
	struct http_faults faults = { 0 };
	const char *refusal;
	if (!list_read_filters(req, res, query_fields, &query, NULL))
		return false;
	*range = (struct stats_range){ .from = query.from, .to = query.to };
	stats_range_settle(range, clock_wall_ms());
	if (!stats_interval_read(query.interval, &range->interval))
		http_fault(&faults, "interval", "must be hour or day");
	else if ((refusal = stats_range_refusal(range)) != NULL)
		http_fault(&faults, "to", "%s", refusal);
	if (faults.count > 0)
		http_problem_detail(
			res, 400, "invalid_query", "Some parameters are wrong.", &faults);
	return faults.count == 0;
}

void api_link_stats(
	struct worker *worker, const struct http_request *req, struct http_response *res)
{
	const uint64_t began = clock_monotonic();
	struct stats_range range;
	struct link_stats stats;
	struct link link;
	if (!read_range(req, res, &range) || !api_find_link(worker, req, res, false, &link))
		return;
	(void)click_wait_committed(began, API_OWN_CLICK_MS);
	if (stats_read(worker->db, link.id, &range, &stats) != DB_OK) {
		http_unavailable(res, 1);
		return;
	}
	http_begin(res, 200, "application/json");
	struct json_writer json = json_writer(&res->body);
	json_open(&json, NULL, '{');
	link_json_members(&json, &link, stats.click_count);
	stats_json(&json, &stats);
	json_close(&json, '}');
}
