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
	workers_publish();
	metrics_set(METRIC_build, LABEL_version_BUILD, 0, 1);
	metrics_set(METRIC_segment_healthy, 0, 0, segment_shared());
	metrics_set(METRIC_segment_created, 0, 0, segment_get()->header.created_ms * 1000000);
	http_begin(res, 200, "text/plain; version=0.0.4; charset=utf-8");
	metrics_render(&res->body);
}

static const struct route routes[] = { { HTTP_GET | HTTP_HEAD, "/metrics", LABEL_handler_METRICS,
					       ANYONE, RATE_NONE, 0, ROUTE_SAMPLED, show },
	{ 0 } };

const struct service metrics_service = { .name = "metrics", .routes = routes, .threads = 1 };
