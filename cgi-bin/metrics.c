/*
 * metrics - the page for Prometheus, read from the shared segment alone: it costs no SQL and
 * answers while PostgreSQL hangs.
 */
#include "base/metrics.h"
#include "base/clock.h"
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

static void show(struct worker *worker, const struct http_request *req, struct http_response *res)
{
	(void)worker;
	(void)req;
	bool shared = segment_shared();
	metrics_set(METRIC_segment_healthy, 0, 0, shared);
	http_begin(res, 200, "text/plain; version=0.0.4; charset=utf-8");
	/*
	 * Counters of a segment that others left are worse than none: from scrape to scrape they
	 * would jump between the old and the new one, and rate() would take each jump for traffic.
	 */
	if (!shared) {
		metrics_render_one(&res->body, METRIC_segment_healthy);
		return;
	}
	workers_publish();
	publish_replica();
	metrics_set(METRIC_build, LABEL_version_BUILD, 0, 1);
	metrics_set(METRIC_segment_created, 0, 0, segment_get()->header.created_ms * 1000000);
	metrics_render(&res->body);
}

static const struct route routes[] = { { HTTP_GET | HTTP_HEAD, "/metrics", LABEL_handler_METRICS,
					       ANYONE, RATE_NONE, 0, ROUTE_SAMPLED, show },
	{ 0 } };

const struct service metrics_service = { .name = "metrics", .routes = routes, .threads = 1 };
