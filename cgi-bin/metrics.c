/*
 * metrics - the page for Prometheus, read from the shared segment alone: it costs no SQL and
 * answers while PostgreSQL hangs.
 */
#include "base/metrics.h"
#include "base/segment.h"
#include "base/workers.h"
#include "service/service.h"

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
	metrics_set(METRIC_build, LABEL_version_BUILD, 0, 1);
	metrics_set(METRIC_segment_created, 0, 0, segment_get()->header.created_ms * 1000000);
	metrics_render(&res->body);
}

static const struct route routes[] = { { HTTP_GET | HTTP_HEAD, "/metrics", LABEL_handler_METRICS,
					       ANYONE, RATE_NONE, 0, ROUTE_SAMPLED, show },
	{ 0 } };

const struct service metrics_service = { .name = "metrics", .routes = routes, .threads = 1 };
