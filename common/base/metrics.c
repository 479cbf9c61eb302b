#include "base/metrics.h"

#include <stdbool.h>
#include <string.h>

#include "base/segment.h"

enum kind { KIND_COUNTER, KIND_GAUGE, KIND_HISTOGRAM };
enum unit { UNIT_COUNT, UNIT_SECONDS };

/* A label: its name and the names of its values. */
struct label {
	const char *name;
	const char *const *values;
	unsigned count;
};

#define LABEL_BEGIN(set)           static const char *const values_of_##set[] = {
#define LABEL_VALUE(set, id, name) name,
#define LABEL_END(set)                                                                             \
	}                                                                                          \
	;                                                                                          \
	static const struct label label_##set = { #set, values_of_##set, LABEL_##set##_COUNT };
#include "base/labels.def"

static const uint64_t durations[METRICS_BUCKET_COUNT] = METRICS_BUCKETS;
static const uint64_t delays[METRICS_BUCKET_COUNT] = METRICS_DELAY_BUCKETS;

static const struct description {
	const char *name;
	const char *help;
	enum kind kind;
	enum unit unit;
	const struct label *a;
	const struct label *b;
	unsigned first;          /* its first cell */
	const uint64_t *buckets; /* of a histogram */
} descriptions[METRIC_COUNT] = {
#define COUNTER(id, name, a, b, unit, help)                                                        \
	{ name, help, KIND_COUNTER, UNIT_##unit, &label_##a, &label_##b, METRIC_FIRST_##id, NULL },
#define GAUGE(id, name, a, b, unit, help)                                                          \
	{ name, help, KIND_GAUGE, UNIT_##unit, &label_##a, &label_##b, METRIC_FIRST_##id, NULL },
#define HISTOGRAM(id, name, a, help)                                                               \
	{ name, help, KIND_HISTOGRAM, UNIT_SECONDS, &label_##a, &label_none, METRIC_FIRST_##id,    \
		durations },
#define DELAY(id, name, a, help)                                                                   \
	{ name, help, KIND_HISTOGRAM, UNIT_SECONDS, &label_##a, &label_none, METRIC_FIRST_##id,    \
		delays },
#include "base/metrics.def"
};

/* A histogram's cells for one a: the buckets, the one of +Inf, the sum. */
enum { CELL_INFINITY = METRICS_BUCKET_COUNT, CELL_SUM, CELLS_OF_HISTOGRAM };

static _Atomic uint64_t *cell(enum metric metric, unsigned a, unsigned b)
{
	const struct description *is = &descriptions[metric];
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

void metrics_observe(enum metric metric, unsigned a, uint64_t nanoseconds)
{
	const uint64_t *bounds = descriptions[metric].buckets;
	unsigned bucket = 0;
	while (bucket < METRICS_BUCKET_COUNT && nanoseconds > bounds[bucket])
		bucket++;
	metrics_add(metric, a, bucket, 1);
	metrics_add(metric, a, CELL_SUM, nanoseconds);
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

/* Nanoseconds as seconds, without a float's rounding and without trailing zeros. */
static void add_seconds(struct text *page, int64_t nanoseconds)
{
	char digits[32];
	struct text number = text_fixed(digits, sizeof(digits));
	uint64_t size = nanoseconds < 0 ? 0 - (uint64_t)nanoseconds : (uint64_t)nanoseconds;
	text_addf(&number, "%s%llu.%09llu", nanoseconds < 0 ? "-" : "",
		(unsigned long long)(size / 1000000000), (unsigned long long)(size % 1000000000));
	while (number.data[number.len - 1] == '0')
		number.len--;
	if (number.data[number.len - 1] == '.')
		number.len--;
	text_add_bytes(page, number.data, number.len);
}

/* One label, as name="value", with a comma if another stood before it. */
static void add_label(struct text *page, const struct label *label, unsigned value, bool *first)
{
	if (*label->values[value] == '\0')
		return;
	text_addf(page, "%s%s=\"%s\"", *first ? "" : ",", label->name, label->values[value]);
	*first = false;
}

static void add_name(
	struct text *page, const struct description *is, const char *suffix, unsigned a, unsigned b)
{
	bool bare = is->a == &label_none && is->b == &label_none;
	bool first = true;
	text_addf(page, "%s%s%s", is->name, suffix, bare ? "" : "{");
	add_label(page, is->a, a, &first);
	add_label(page, is->b, b, &first);
	text_add(page, bare ? " " : "} ");
}

static void render_values(struct text *page, enum metric metric)
{
	const struct description *is = &descriptions[metric];
	for (unsigned a = 0; a < is->a->count; a++) {
		for (unsigned b = 0; b < is->b->count; b++) {
			uint64_t value = read_cell(metric, a, b);
			add_name(page, is, "", a, b);
			if (is->unit == UNIT_SECONDS)
				add_seconds(page, (int64_t)value);
			else if (is->kind == KIND_GAUGE)
				text_add_number(page, (int64_t)value);
			else
				text_addf(page, "%llu", (unsigned long long)value);
			text_add_char(page, '\n');
		}
	}
}

static void add_bucket(struct text *page, const struct description *is, unsigned a, unsigned bucket,
	uint64_t below)
{
	bool first = true;
	text_addf(page, "%s_bucket{", is->name);
	add_label(page, is->a, a, &first);
	text_addf(page, "%sle=\"", first ? "" : ",");
	if (bucket == CELL_INFINITY)
		text_add(page, "+Inf");
	else
		add_seconds(page, (int64_t)is->buckets[bucket]);
	text_addf(page, "\"} %llu\n", (unsigned long long)below);
}

static void render_histogram(struct text *page, enum metric metric)
{
	const struct description *is = &descriptions[metric];
	for (unsigned a = 0; a < is->a->count; a++) {
		uint64_t below = 0;
		for (unsigned bucket = 0; bucket <= CELL_INFINITY; bucket++) {
			below += read_cell(metric, a, bucket);
			add_bucket(page, is, a, bucket, below);
		}
		add_name(page, is, "_sum", a, 0);
		add_seconds(page, (int64_t)read_cell(metric, a, CELL_SUM));
		text_add_char(page, '\n');
		/* The sum of the buckets just read, so that a page never contradicts itself. */
		add_name(page, is, "_count", a, 0);
		text_addf(page, "%llu\n", (unsigned long long)below);
	}
}

void metrics_render_one(struct text *page, enum metric metric)
{
	static const char *const types[] = { "counter", "gauge", "histogram" };
	const struct description *is = &descriptions[metric];
	text_addf(page, "# HELP %s %s\n# TYPE %s %s\n", is->name, is->help, is->name,
		types[is->kind]);
	if (is->kind == KIND_HISTOGRAM)
		render_histogram(page, metric);
	else
		render_values(page, metric);
}

void metrics_render(struct text *page)
{
	for (enum metric metric = 0; metric < METRIC_COUNT; metric++)
		metrics_render_one(page, metric);
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
	for (enum metric metric = 0; metric < METRIC_COUNT; metric++) {
		const struct description *is = &descriptions[metric];
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

enum label_program metrics_program(const char *name)
{
	enum label_program program = 0;
	while (program < LABEL_program_OTHER && strcmp(values_of_program[program], name) != 0)
		program++;
	return program;
}

const char *metrics_handler_name(enum label_handler handler)
{
	return values_of_handler[handler];
}
