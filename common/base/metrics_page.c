#include <stdbool.h>
#include <string.h>

#include "base/edge.h"
#include "base/metrics_private.h"
#include "base/segment.h"

/* Rows of series.def: NULL stands for all values. */
static const struct series {
	enum metric metric;
	const char *a, *b, *c;
} series[] = {
#define ANY                     NULL
#define SERIES(metric, a, b, c) { METRIC_##metric, a, b, c },
#include "base/series.def"
#undef ANY
};

static bool lists(const char *list, const char *value)
{
	size_t len = strlen(value);
	while (list != NULL && *list != '\0') {
		if (strncmp(list, value, len) == 0 && (list[len] == ' ' || list[len] == '\0'))
			return true;
		list += strcspn(list, " ");
		list += strspn(list, " ");
	}
	return list == NULL;
}

/* Whether there can be such a combination: then it is on the page before it was ever counted. */
static bool can_be(enum metric metric, unsigned a, unsigned b, unsigned c)
{
	const struct description *is = &metrics_descriptions[metric];
	bool limited = is->a == &label_program && a == LABEL_program_OTHER;
	for (size_t i = 0; i < sizeof(series) / sizeof(*series); i++) {
		if (series[i].metric != metric)
			continue;
		limited = true;
		if (lists(series[i].a, is->a->values[a]) && lists(series[i].b, is->b->values[b]) &&
			lists(series[i].c, is->c->values[c]))
			return true;
	}
	return !limited;
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

static void add_name(struct text *page, const struct description *is, const char *suffix,
	unsigned a, unsigned b, unsigned c)
{
	bool bare = is->a == &label_none && is->b == &label_none;
	bool first = true;
	text_addf(page, "%s%s%s", is->name, suffix, bare ? "" : "{");
	add_label(page, is->a, a, &first);
	add_label(page, is->b, b, &first);
	add_label(page, is->c, c, &first);
	text_add(page, bare ? " " : "} ");
}

static void add_value(struct text *page, const struct description *is, uint64_t value)
{
	if (is->unit == UNIT_SECONDS)
		add_seconds(page, (int64_t)value);
	else if (is->kind == KIND_GAUGE)
		text_add_number(page, (int64_t)value);
	else
		text_addf(page, "%llu", (unsigned long long)value);
}

static void render_values(struct text *page, enum metric metric)
{
	const struct description *is = &metrics_descriptions[metric];
	for (unsigned a = 0; a < is->a->count; a++) {
		for (unsigned b = 0; b < is->b->count; b++) {
			uint64_t value = metrics_value(metric, a, b);
			if (value == 0 && !can_be(metric, a, b, 0))
				continue;
			add_name(page, is, "", a, b, 0);
			add_value(page, is, value);
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
		add_value(page, is, is->buckets[bucket]);
	text_addf(page, "\"} %llu\n", (unsigned long long)below);
}

static void render_distribution(struct text *page, enum metric metric, unsigned a)
{
	const struct description *is = &metrics_descriptions[metric];
	uint64_t below = 0;
	for (unsigned bucket = 0; bucket <= CELL_INFINITY; bucket++) {
		below += metrics_value(metric, a, bucket);
		add_bucket(page, is, a, bucket, below);
	}
	add_name(page, is, "_sum", a, 0, 0);
	add_value(page, is, metrics_value(metric, a, CELL_SUM));
	text_add_char(page, '\n');
	/* The sum of the buckets just read, so that a page never contradicts itself. */
	add_name(page, is, "_count", a, 0, 0);
	text_addf(page, "%llu\n", (unsigned long long)below);
}

static void render_histogram(struct text *page, enum metric metric)
{
	for (unsigned a = 0; a < metrics_descriptions[metric].a->count; a++)
		if (can_be(metric, a, 0, 0) || metrics_observations(metric, a) > 0)
			render_distribution(page, metric, a);
}

static void render_edge(struct text *page, enum metric metric, const struct edge *edge)
{
	const struct description *is = &metrics_descriptions[metric];
	for (unsigned a = 0; a < LABEL_edge_COUNT; a++)
		for (unsigned b = 0; b < LABEL_method_COUNT; b++)
			for (unsigned c = 0; c < LABEL_code_COUNT; c++) {
				uint64_t value = edge->counts[a][b][c];
				if (value == 0 && !can_be(metric, a, b, c))
					continue;
				add_name(page, is, "", a, b, c);
				text_addf(page, "%llu\n", (unsigned long long)value);
			}
}

static const char *type_of(const struct description *is)
{
	static const char *const types[] = { "counter", "gauge", "histogram", "counter" };
	return types[is->kind];
}

static void render_head(struct text *page, const struct description *is)
{
	text_addf(page, "# HELP %s %s\n# TYPE %s %s\n", is->name, is->help, is->name, type_of(is));
}

void metrics_render_one(struct text *page, enum metric metric, const struct edge *edge)
{
	enum kind kind = metrics_descriptions[metric].kind;
	if (kind == KIND_EDGE && edge == NULL)
		return;
	render_head(page, &metrics_descriptions[metric]);
	switch (kind) {
	case KIND_COUNTER:
	case KIND_GAUGE: render_values(page, metric); break;
	case KIND_HISTOGRAM: render_histogram(page, metric); break;
	case KIND_EDGE: render_edge(page, metric, edge); break;
	}
}

void metrics_render(struct text *page, const struct edge *edge)
{
	for (enum metric metric = 0; metric < METRIC_COUNT; metric++)
		metrics_render_one(page, metric, edge);
}

static void describe_label(struct text *markdown, const struct label *label, bool *first)
{
	if (label == &label_none)
		return;
	text_addf(markdown, "%s`%s`", *first ? "" : ", ", label->name);
	*first = false;
}

void metrics_describe(struct text *markdown)
{
	text_add(markdown, "| metric | type | labels | meaning |\n| --- | --- | --- | --- |\n");
	for (enum metric metric = 0; metric < METRIC_COUNT; metric++) {
		const struct description *is = &metrics_descriptions[metric];
		bool first = true;
		text_addf(markdown, "| `%s` | %s | ", is->name, type_of(is));
		describe_label(markdown, is->a, &first);
		describe_label(markdown, is->b, &first);
		describe_label(markdown, is->c, &first);
		text_addf(markdown, "%s| %s |\n", first ? "" : " ", is->help);
	}
}
