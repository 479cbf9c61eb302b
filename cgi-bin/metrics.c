/*
 * metrics - the page for Prometheus, read from the shared segment alone: it costs no SQL and
 * answers while PostgreSQL hangs.
 */
#include "base/metrics.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/edge.h"
#include "base/segment.h"
#include "base/workers.h"
#include "service/service.h"

/* What the replica's writer last said; that it says nothing any more shows as a lag that grows. */
static void publish_replica(void)
{
	struct replica_status *replica = &segment_get()->replica;
	enum label_state now = atomic_load(&replica->state);
	for (enum label_state state = 0; state < LABEL_state_COUNT; state++)
		metrics_set(METRIC_replica_state, state, 0, state == now);
	metrics_set(METRIC_replica_lag, 0, 0,
		(int64_t)(clock_monotonic() - atomic_load(&replica->seen)));
}

/*
 * The counts of lighttpd in this very request, so they are never older than those of another page
 * that the same Prometheus read before.
 */
static const struct edge *read_edge(struct edge *edge, const char *counts)
{
	bool counted = edge_read(edge, counts);
	metrics_set(METRIC_edge_counted, 0, 0, counted);
	return counted ? edge : NULL;
}

static void show(struct worker *worker, const struct http_request *req, struct http_response *res)
{
	struct edge memory;
	const struct edge *edge = read_edge(&memory, req->edge);
	(void)worker;
	bool shared = segment_shared();
	metrics_set(METRIC_segment_healthy, 0, 0, shared);
	http_begin(res, 200, "text/plain; version=0.0.4; charset=utf-8");
	/*
	 * Counters of a segment that others left are worse than none: from scrape to scrape they
	 * would jump between the old and the new one, and rate() would take each jump for traffic.
	 */
	if (!shared) {
		metrics_render_one(&res->body, METRIC_segment_healthy, NULL);
		metrics_render_one(&res->body, METRIC_edge_counted, NULL);
		metrics_render_one(&res->body, METRIC_http_requests, edge);
		return;
	}
	workers_publish();
	publish_replica();
	metrics_set(METRIC_build, LABEL_version_BUILD, 0, 1);
	metrics_set(METRIC_segment_created, 0, 0, segment_get()->header.created_ms * 1000000);
	metrics_set(METRIC_spool_limit, 0, 0, config_get()->spool_max_bytes);
	metrics_render(&res->body, edge);
}

static const struct route routes[] = { { HTTP_GET | HTTP_HEAD, "/metrics", LABEL_handler_METRICS,
					       ANYONE, RATE_NONE, 0, ROUTE_SAMPLED, show },
	{ 0 } };

const struct service metrics_service = { .name = "metrics", .routes = routes, .threads = 1 };
