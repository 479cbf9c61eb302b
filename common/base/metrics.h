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

/* The values of a label: enum label_<label> { LABEL_<label>_<id>…, LABEL_<label>_COUNT }. */
#define LABEL_BEGIN(label)                                                                         \
	enum label_##label                                                                         \
	{
#define LABEL_VALUE(label, id, name) LABEL_##label##_##id,
#define LABEL_END(label)                                                                           \
	LABEL_##label##_COUNT                                                                      \
	}                                                                                          \
	;
#include "base/labels.def"

/* Upper bounds of the buckets in nanoseconds, of durations and of delays; +Inf comes on top. */
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
enum { METRICS_BUCKET_COUNT = 14 };

enum metric {
#define COUNTER(id, name, a, b, unit, help) METRIC_##id,
#define GAUGE(id, name, a, b, unit, help)   METRIC_##id,
#define HISTOGRAM(id, name, a, help)        METRIC_##id,
#define DELAY(id, name, a, help)            METRIC_##id,
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
#include "base/metrics.def"
	METRIC_CELLS
};

/* a and b are values of the metric's labels, 0 where it has none. */
void metrics_add(enum metric metric, unsigned a, unsigned b, uint64_t n);
void metrics_set(enum metric metric, unsigned a, unsigned b, int64_t value);
void metrics_observe(enum metric metric, unsigned a, uint64_t nanoseconds);
uint64_t metrics_value(enum metric metric, unsigned a, unsigned b);

/* How many observations a histogram has for a. */
uint64_t metrics_observations(enum metric metric, unsigned a);

/* The page; or one metric of it alone. */
void metrics_render(struct text *page);
void metrics_render_one(struct text *page, enum metric metric);

/* Changes whenever the meaning of a cell could have changed. */
uint64_t metrics_layout(void);

/* LABEL_code_… of an HTTP status; LABEL_code_OTHER for one that is not listed. */
enum label_code metrics_code(int status);

/* LABEL_program_… of a program's name; LABEL_program_OTHER for an unknown one. */
enum label_program metrics_program(const char *name);

/* What the page shows for a handler. */
const char *metrics_handler_name(enum label_handler handler);

#endif
