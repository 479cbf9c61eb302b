#include "service/member.h"

#include "base/clock.h"

void member_time(struct json_writer *json, const char *key, int64_t wall_ms)
{
	char moment[CLOCK_TEXT];
	clock_format(wall_ms, moment);
	json_text(json, key, wall_ms == 0 ? NULL : moment);
}

void member_number_or_null(struct json_writer *json, const char *key, int64_t number)
{
	if (number == 0)
		json_null(json, key);
	else
		json_number(json, key, number);
}
