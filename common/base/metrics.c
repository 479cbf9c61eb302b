#include "base/metrics.h"

#include <string.h>

#include "base/metrics_private.h"
#include "base/segment.h"

#define LABEL_BEGIN(set, shown)                                                                    \
	static const char label_name_of_##set[] = #shown;                                          \
	static const char *const values_of_##set[] = {
#define LABEL_VALUE(set, id, name) name,
#define LABEL_END(set)                                                                             \
	}                                                                                          \
	;                                                                                          \
	const struct label label_##set = { label_name_of_##set, values_of_##set,                   \
		LABEL_##set##_COUNT };
#include "base/labels.def"

static const uint64_t durations[METRICS_BUCKET_COUNT] = METRICS_BUCKETS;
static const uint64_t delays[METRICS_BUCKET_COUNT] = METRICS_DELAY_BUCKETS;
static const uint64_t sizes[METRICS_BUCKET_COUNT] = METRICS_SIZE_BUCKETS;

#define DESCRIBE(kind, id, name, a, b, c, unit, help, buckets)                                     \
	{ name, help, KIND_##kind, UNIT_##unit, &label_##a, &label_##b, &label_##c,                \
		METRIC_FIRST_##id, buckets },
const struct description metrics_descriptions[METRIC_COUNT] = {
#define COUNTER(id, name, a, b, unit, help)                                                        \
	DESCRIBE(COUNTER, id, name, a, b, none, unit, help, NULL)
#define GAUGE(id, name, a, b, unit, help) DESCRIBE(GAUGE, id, name, a, b, none, unit, help, NULL)
#define EDGE(id, name, a, b, c, help)     DESCRIBE(EDGE, id, name, a, b, c, COUNT, help, NULL)
#define HISTOGRAM(id, name, a, help)                                                               \
	DESCRIBE(HISTOGRAM, id, name, a, none, none, SECONDS, help, durations)
#define DELAY(id, name, a, help) DESCRIBE(HISTOGRAM, id, name, a, none, none, SECONDS, help, delays)
#define SIZE(id, name, a, help)  DESCRIBE(HISTOGRAM, id, name, a, none, none, COUNT, help, sizes)
#include "base/metrics.def"
};

static _Atomic uint64_t *cell(enum metric metric, unsigned a, unsigned b)
{
	const struct description *is = &metrics_descriptions[metric];
	unsigned per_a = is->kind == KIND_HISTOGRAM ? (unsigned)CELLS_OF_HISTOGRAM : is->b->count;
	return &segment_get()->cells[is->first + a * per_a + b].value;
}

static uint64_t read_cell(enum metric metric, unsigned a, unsigned b)
{
	return atomic_load_explicit(cell(metric, a, b), memory_order_relaxed);
}

void metrics_add(enum metric metric, unsigned a, unsigned b, uint64_t n)
{
	atomic_fetch_add_explicit(cell(metric, a, b), n, memory_order_relaxed);
}

void metrics_set(enum metric metric, unsigned a, unsigned b, int64_t value)
{
	atomic_store_explicit(cell(metric, a, b), (uint64_t)value, memory_order_relaxed);
}

void metrics_observe(enum metric metric, unsigned a, uint64_t amount)
{
	const uint64_t *bounds = metrics_descriptions[metric].buckets;
	unsigned bucket = 0;
	while (bucket < METRICS_BUCKET_COUNT && amount > bounds[bucket])
		bucket++;
	metrics_add(metric, a, bucket, 1);
	metrics_add(metric, a, CELL_SUM, amount);
}

uint64_t metrics_value(enum metric metric, unsigned a, unsigned b)
{
	return read_cell(metric, a, b);
}

uint64_t metrics_observations(enum metric metric, unsigned a)
{
	uint64_t count = 0;
	for (unsigned bucket = 0; bucket <= CELL_INFINITY; bucket++)
		count += read_cell(metric, a, bucket);
	return count;
}

/* FNV-1a, 64 bits. Source: draft-eastlake-fnv. */
static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t len)
{
	const unsigned char *byte = bytes;
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ byte[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static uint64_t hash_string(uint64_t hash, const char *string)
{
	return hash_bytes(hash, string, strlen(string) + 1);
}

static uint64_t hash_label(uint64_t hash, const struct label *label)
{
	hash = hash_string(hash, label->name);
	if (label == &label_version) /* another build with the same metrics goes on counting */
		return hash;
	for (unsigned value = 0; value < label->count; value++)
		hash = hash_string(hash, label->values[value]);
	return hash;
}

uint64_t metrics_layout(void)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	hash = hash_bytes(hash, durations, sizeof(durations));
	hash = hash_bytes(hash, delays, sizeof(delays));
	hash = hash_bytes(hash, sizes, sizeof(sizes));
	for (enum metric metric = 0; metric < METRIC_COUNT; metric++) {
		const struct description *is = &metrics_descriptions[metric];
		hash = hash_string(hash, is->name);
		hash = hash_bytes(hash, &is->kind, sizeof(is->kind));
		hash = hash_bytes(hash, &is->unit, sizeof(is->unit));
		hash = hash_label(hash, is->a);
		hash = hash_label(hash, is->b);
	}
	return hash;
}

enum label_code metrics_code(int status)
{
	enum label_code code = 0;
	if (status < 100 || status > 999)
		return LABEL_code_OTHER;
	/* By hand: each request comes here. */
	const char digits[] = { (char)('0' + status / 100), (char)('0' + status / 10 % 10),
		(char)('0' + status % 10), '\0' };
	while (code < LABEL_code_OTHER && strcmp(values_of_code[code], digits) != 0)
		code++;
	return code;
}

/* The value of that name, or else the one that stands for the rest. */
static unsigned value_of(const struct label *label, const char *name, unsigned rest)
{
	for (unsigned value = 0; value < label->count; value++)
		if (strcmp(label->values[value], name) == 0)
			return value;
	return rest;
}

enum label_program metrics_program(const char *name)
{
	return value_of(&label_program, name, LABEL_program_OTHER);
}

enum label_edge metrics_edge(const char *name)
{
	return value_of(&label_edge, name, LABEL_edge_COUNT);
}

enum label_method metrics_method(const char *name)
{
	return value_of(&label_method, name, LABEL_method_COUNT);
}

enum label_class metrics_class(const char *sqlstate)
{
	if (sqlstate == NULL || *sqlstate == '\0')
		return LABEL_class_NONE;
	const char class[] = { sqlstate[0], sqlstate[1], '\0' };
	/* A whole SQLSTATE that has a value of its own, or else its class. */
	return value_of(&label_class, sqlstate, value_of(&label_class, class, LABEL_class_OTHER));
}

const char *metrics_handler_name(enum label_handler handler)
{
	return values_of_handler[handler];
}
