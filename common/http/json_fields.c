#include "http/json_fields.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "http/json_check.h"

static int compare_keys(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* By sorting: comparing each with each would let a body of 64 KiB cost a tenth of a second. */
static bool repeats_a_key(const cJSON *object)
{
	size_t count = (size_t)cJSON_GetArraySize(object), next = 0;
	const char **keys = calloc(count + 1, sizeof(*keys));
	bool repeated = keys == NULL;
	const cJSON *member;
	if (keys != NULL) {
		cJSON_ArrayForEach(member, object) keys[next++] = member->string;
		qsort(keys, count, sizeof(*keys), compare_keys);
	}
	for (size_t i = 1; i < count && !repeated; i++)
		repeated = strcmp(keys[i - 1], keys[i]) == 0;
	free(keys);
	return repeated;
}

/* Goes no deeper than json_check() lets a document be. */
static bool keys_are_unique(const cJSON *value)
{
	const cJSON *child;
	if (cJSON_IsObject(value) && repeats_a_key(value))
		return false;
	cJSON_ArrayForEach(child, value)
	{
		if (!keys_are_unique(child))
			return false;
	}
	return true;
}

/* The document if it is a valid object, else NULL. */
static cJSON *parse(const char *body, size_t len)
{
	if (!json_check(body, len))
		return NULL;
	cJSON *document = cJSON_ParseWithLength(body, len);
	if (cJSON_IsObject(document) && keys_are_unique(document))
		return document;
	cJSON_Delete(document);
	return NULL;
}

static void read_text(
	const struct json_field *field, const cJSON *member, char *into, struct http_faults *faults)
{
	if (!cJSON_IsString(member)) {
		http_fault(faults, field->name, "must be a text");
		return;
	}
	int64_t len = (int64_t)strlen(member->valuestring);
	if (len < field->min && field->min == 1)
		http_fault(faults, field->name, "must not be empty");
	else if (len < field->min)
		http_fault(faults, field->name, "must be at least %lld bytes long",
			(long long)field->min);
	else if (len > field->max)
		http_fault(faults, field->name, "must be at most %lld bytes long",
			(long long)field->max);
	else
		memcpy(into, member->valuestring, (size_t)len + 1);
}

static void read_number(const struct json_field *field, const cJSON *member, int64_t *into,
	struct http_faults *faults)
{
	const double exact = 9007199254740992.0; /* 2^53: above it a double skips numbers */
	double value = cJSON_IsNumber(member) ? member->valuedouble : NAN;
	bool whole = fabs(value) < exact && value == (double)(int64_t)value;
	if (whole && (int64_t)value >= field->min && (int64_t)value <= field->max)
		*into = (int64_t)value;
	else
		http_fault(faults, field->name, "must be a whole number from %lld to %lld",
			(long long)field->min, (long long)field->max);
}

static void read_boolean(
	const struct json_field *field, const cJSON *member, bool *into, struct http_faults *faults)
{
	if (cJSON_IsBool(member))
		*into = cJSON_IsTrue(member);
	else
		http_fault(faults, field->name, "must be true or false");
}

static void read_time(const struct json_field *field, const cJSON *member, int64_t *into,
	struct http_faults *faults)
{
	if (!cJSON_IsString(member) || !clock_parse(member->valuestring, into))
		http_fault(faults, field->name, "must be a time such as 2026-12-31T23:59:59Z");
}

static void read_field(
	const struct json_field *field, const cJSON *member, void *into, struct http_faults *faults)
{
	void *place = (char *)into + field->offset;
	switch (field->type) {
	case JSON_TEXT: read_text(field, member, place, faults); break;
	case JSON_NUMBER: read_number(field, member, place, faults); break;
	case JSON_BOOLEAN: read_boolean(field, member, place, faults); break;
	case JSON_TIME: read_time(field, member, place, faults); break;
	case JSON_REFUSED: http_fault(faults, field->name, "may not be set"); break;
	}
}

enum json_result json_read(const char *body, size_t len, const struct json_field *fields,
	void *into, uint32_t *present, struct http_faults *faults)
{
	uint32_t seen = 0;
	faults->count = 0;
	if (present != NULL)
		*present = 0;
	cJSON *document = parse(body, len);
	if (document == NULL)
		return JSON_INVALID;
	for (size_t i = 0; fields[i].name != NULL; i++) {
		const cJSON *member = cJSON_GetObjectItemCaseSensitive(document, fields[i].name);
		if (member != NULL && !cJSON_IsNull(member)) {
			seen |= UINT32_C(1) << i;
			read_field(&fields[i], member, into, faults);
		} else if (fields[i].required) {
			http_fault(faults, fields[i].name, "is required");
		}
	}
	cJSON_Delete(document);
	if (present != NULL)
		*present = seen;
	return faults->count == 0 ? JSON_OK : JSON_FAULTY;
}
