/*
 * metrics - counters, gauges and histograms in the shared segment, one cache line a cell.
 *
 * metrics.def is the only place where a metric is named. Every combination of labels exists from
 * the start at 0; label values are closed sets, so that nothing a client sends can add a series.
 * Counting is a relaxed atomic add: never blocks, never fails. Times are stored in nanoseconds and
 * shown in seconds. Text format: Prometheus exposition format 0.0.4.
 */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include <stdint.h>

#include "base/text.h"

/* The values of a set of labels.def: enum label_<set> { LABEL_<set>_<id>…, LABEL_<set>_COUNT }. */
#define LABEL_BEGIN(set, shown)                                                                    \
	enum label_##set                                                                           \
	{
#define LABEL_VALUE(set, id, name) LABEL_##set##_##id,
#define LABEL_END(set)                                                                             \
	LABEL_##set##_COUNT                                                                        \
	}                                                                                          \
	;
#include "base/labels.def"

/* Upper bounds of the buckets in nanoseconds, of durations and of delays; and those of sizes; +Inf comes on top. */
#define METRICS_BUCKETS                                                                            \
	{                                                                                          \
		100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000, 25000000, 50000000,   \
			100000000, 250000000, 500000000, 1000000000, 2500000000                    \
	}
#define METRICS_DELAY_BUCKETS                                                                      \
	{                                                                                          \
		20000000, 50000000, 100000000, 250000000, 500000000, 1000000000, 2500000000,       \
			5000000000, 10000000000, 30000000000, 60000000000, 300000000000,           \
			1800000000000, 3600000000000                                               \
	}
#define METRICS_SIZE_BUCKETS                                                                       \
	{                                                                                          \
		1, 10, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 20000, 40000, 80000, 160000     \
	}
enum { METRICS_BUCKET_COUNT = 14 };

enum metric {
#define COUNTER(id, name, a, b, unit, help) METRIC_##id,
#define GAUGE(id, name, a, b, unit, help)   METRIC_##id,
#define HISTOGRAM(id, name, a, help)        METRIC_##id,
#define DELAY(id, name, a, help)            METRIC_##id,
#define SIZE(id, name, a, help)             METRIC_##id,
#define EDGE(id, name, a, b, c, help)       METRIC_##id,
#include "base/metrics.def"
	METRIC_COUNT
};

/* Where each metric's cells begin: the last cell of one is followed by the first of the next. */
enum {
#define COUNTER(id, name, a, b, unit, help)                                                        \
	METRIC_FIRST_##id,                                                                         \
		METRIC_LAST_##id =                                                                 \
			METRIC_FIRST_##id + (int)LABEL_##a##_COUNT * (int)LABEL_##b##_COUNT - 1,
#define GAUGE(id, name, a, b, unit, help) COUNTER(id, name, a, b, unit, help)
#define HISTOGRAM(id, name, a, help)                                                               \
	METRIC_FIRST_##id,                                                                         \
		METRIC_LAST_##id = METRIC_FIRST_##id +                                             \
				   (int)LABEL_##a##_COUNT * (METRICS_BUCKET_COUNT + 2) - 1,
#define DELAY(id, name, a, help) HISTOGRAM(id, name, a, help)
#define SIZE(id, name, a, help)  HISTOGRAM(id, name, a, help)
/* Not in the segment: the counts of the moment come with each request for the page. */
#define EDGE(id, name, a, b, c, help) METRIC_FIRST_##id, METRIC_LAST_##id = METRIC_FIRST_##id - 1,
#include "base/metrics.def"
	METRIC_CELLS
};

/* a and b are values of the metric's labels, 0 where it has none. */
void metrics_add(enum metric metric, unsigned a, unsigned b, uint64_t n);
void metrics_set(enum metric metric, unsigned a, unsigned b, int64_t value);
/* amount: nanoseconds, or how many in a SIZE. */
void metrics_observe(enum metric metric, unsigned a, uint64_t amount);
uint64_t metrics_value(enum metric metric, unsigned a, unsigned b);

/* How many observations a histogram has for a. */
uint64_t metrics_observations(enum metric metric, unsigned a);

/* The page, or one metric of it alone; without what lighttpd counted where edge is NULL. */
struct edge;
void metrics_render(struct text *page, const struct edge *edge);
void metrics_render_one(struct text *page, enum metric metric, const struct edge *edge);

/* The reference table of docs/operations, as Markdown. */
void metrics_describe(struct text *markdown);

/* Changes whenever the meaning of a cell could have changed. */
uint64_t metrics_layout(void);

/* LABEL_code_… of an HTTP status; LABEL_code_OTHER for one that is not listed. */
enum label_code metrics_code(int status);

/* LABEL_program_… of a program's name; LABEL_program_OTHER for an unknown one. */
enum label_program metrics_program(const char *name);

/* LABEL_edge_… and LABEL_method_… of their names; …_COUNT for an unknown one. */
enum label_edge metrics_edge(const char *name);
enum label_method metrics_method(const char *name);

/* LABEL_class_… of an SQLSTATE, or else of its class; LABEL_class_NONE for "" or NULL. */
enum label_class metrics_class(const char *sqlstate);

/* What the page shows for a handler. */
const char *metrics_handler_name(enum label_handler handler);

#endif
