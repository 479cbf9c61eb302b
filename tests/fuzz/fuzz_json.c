/* What the strict check takes, cJSON takes; json_read() calls invalid what the check does. */
#include <cjson/cJSON.h>
#include <stdbool.h>

#include "base/text.h"
#include "fuzz/fuzz.h"
#include "http/json_check.h"
#include "http/json_fields.h"

struct body {
	char url[65];
	char empty[1 + 1];
	int64_t count;
	int64_t when;
	bool active;
};

static const struct json_field fields[] = {
	{ "url", JSON_TEXT, true, 1, 64, offsetof(struct body, url) },
	{ "empty", JSON_TEXT, false, 0, 1, offsetof(struct body, empty) },
	{ "count", JSON_NUMBER, false, -5, 1000000, offsetof(struct body, count) },
	{ "when", JSON_TIME, false, 0, 0, offsetof(struct body, when) },
	{ "active", JSON_BOOLEAN, false, 0, 0, offsetof(struct body, active) },
	{ "id", JSON_REFUSED, false, 0, 0, 0 },
	{ 0 },
};

static void check_body(const struct body *body, uint32_t present, const struct http_faults *faults)
{
	FUZZ_CHECK(faults->count == 0 && (present & 1) != 0 && (present & 1 << 5) == 0);
	FUZZ_CHECK(strnlen(body->url, 65) >= 1 && strnlen(body->url, 65) <= 64);
	FUZZ_CHECK(text_is_utf8(body->url, strlen(body->url)));
	FUZZ_CHECK(strnlen(body->empty, 2) <= 1);
	FUZZ_CHECK(body->count >= -5 && body->count <= 1000000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct body body = { 0 };
	struct http_faults faults;
	uint32_t present;
	enum json_verdict verdict = json_judge((const char *)data, size);
	bool valid = verdict == JSON_IS_GOOD;
	cJSON *document = cJSON_ParseWithLength((const char *)data, size);
	FUZZ_CHECK(!valid || document != NULL);
	switch (json_read((const char *)data, size, fields, &body, &present, &faults)) {
	case JSON_INVALID: FUZZ_CHECK(verdict == JSON_IS_INVALID && faults.count == 0); break;
	case JSON_FAULTY: FUZZ_CHECK(verdict != JSON_IS_INVALID && faults.count > 0); break;
	case JSON_OK:
		FUZZ_CHECK(valid && cJSON_IsObject(document));
		check_body(&body, present, &faults);
		break;
	}
	cJSON_Delete(document);
	return 0;
}
