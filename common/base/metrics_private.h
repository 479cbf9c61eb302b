/*
 * What the files of metrics share: the descriptions that metrics.def and labels.def make.
 * Nobody else includes this.
 */
#ifndef BASE_METRICS_PRIVATE_H
#define BASE_METRICS_PRIVATE_H

#include "base/metrics.h"

enum kind { KIND_COUNTER, KIND_GAUGE, KIND_HISTOGRAM, KIND_EDGE };
enum unit { UNIT_COUNT, UNIT_SECONDS };

/* A histogram's cells for one a: the buckets, the one of +Inf, the sum. */
enum { CELL_INFINITY = METRICS_BUCKET_COUNT, CELL_SUM, CELLS_OF_HISTOGRAM };

/* A label: its name and the names of its values. */
struct label {
	const char *name;
	const char *const *values;
	unsigned count;
};

struct description {
	const char *name;
	const char *help;
	enum kind kind;
	enum unit unit;
	const struct label *a, *b, *c;
	unsigned first;          /* its first cell */
	const uint64_t *buckets; /* of a histogram */
};

#define LABEL_BEGIN(set, shown) extern const struct label label_##set;
#define LABEL_VALUE(set, id, name)
#define LABEL_END(set)
#include "base/labels.def"

extern const struct description metrics_descriptions[METRIC_COUNT];

#endif
