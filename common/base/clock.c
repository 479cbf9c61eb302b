#include "base/clock.h"

#include <ctype.h>
#include <stdio.h>
#include <time.h>

static int64_t read_clock(clockid_t id, int64_t per_second)
{
	struct timespec now;
	clock_gettime(id, &now);
	return now.tv_sec * per_second + now.tv_nsec / (1000000000 / per_second);
}

uint64_t clock_monotonic(void)
{
	return (uint64_t)read_clock(CLOCK_MONOTONIC, 1000000000);
}

int64_t clock_wall_ms(void)
{
	return read_clock(CLOCK_REALTIME, 1000);
}

void clock_format(int64_t wall_ms, char text[CLOCK_TEXT])
{
	const int64_t last = INT64_C(253402300799999); /* the end of 9999 */
	if (wall_ms < 0)
		wall_ms = 0;
	if (wall_ms > last)
		wall_ms = last;
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm utc;
	gmtime_r(&seconds, &utc);
	char whole[CLOCK_TEXT - 4];
	strftime(whole, sizeof(whole), "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text, CLOCK_TEXT, "%.19s.%03dZ", whole, (int)(wall_ms % 1000));
}

/* Exactly `digits` digits at *text, which moves on; -1 if they are not there. */
static int read_digits(const char **text, int digits)
{
	int value = 0;
	for (; digits > 0; digits--, (*text)++) {
		if (!isdigit((unsigned char)**text))
			return -1;
		value = value * 10 + (**text - '0');
	}
	return value;
}

static bool read_char(const char **text, const char *one_of)
{
	for (; *one_of != '\0'; one_of++) {
		if (**text == *one_of) {
			(*text)++;
			return true;
		}
	}
	return false;
}

/* ".123456" to milliseconds; no fraction is 0. -1: a point without digits, or too many. */
static int read_fraction(const char **text)
{
	if (!read_char(text, "."))
		return 0;
	int value = 0, digits = 0;
	for (; isdigit((unsigned char)**text); (*text)++, digits++) {
		if (digits < 3)
			value = value * 10 + (**text - '0');
	}
	if (digits == 0 || digits > 9)
		return -1;
	for (; digits < 3; digits++)
		value *= 10;
	return value;
}

/* "Z" or "+02:00" to minutes. */
static bool read_offset(const char **text, int *minutes)
{
	*minutes = 0;
	if (read_char(text, "Zz"))
		return true;
	bool west = **text == '-';
	if (!read_char(text, "+-"))
		return false;
	int hour = read_digits(text, 2);
	bool colon = read_char(text, ":");
	int minute = read_digits(text, 2);
	if (hour < 0 || hour > 23 || !colon || minute < 0 || minute > 59)
		return false;
	*minutes = (west ? -1 : 1) * (hour * 60 + minute);
	return true;
}

/* "2026-11-23T21:35:55" into broken-down time; a date that does not exist is refused. */
static bool read_date_time(const char **text, struct tm *read)
{
	struct tm utc = { .tm_year = read_digits(text, 4) - 1900 };
	bool good = read_char(text, "-");
	utc.tm_mon = good ? read_digits(text, 2) - 1 : -1;
	good = good && read_char(text, "-");
	utc.tm_mday = good ? read_digits(text, 2) : -1;
	good = good && read_char(text, "Tt ");
	utc.tm_hour = good ? read_digits(text, 2) : -1;
	good = good && read_char(text, ":");
	utc.tm_min = good ? read_digits(text, 2) : -1;
	good = good && read_char(text, ":");
	utc.tm_sec = good ? read_digits(text, 2) : -1;
	if (!good || utc.tm_year < 70 || utc.tm_hour < 0 || utc.tm_min < 0 || utc.tm_sec < 0)
		return false;
	struct tm normal = utc;
	timegm(&normal);
	*read = utc;
	return normal.tm_mday == utc.tm_mday && normal.tm_mon == utc.tm_mon &&
	       normal.tm_hour == utc.tm_hour && normal.tm_min == utc.tm_min &&
	       normal.tm_sec == utc.tm_sec;
}

bool clock_parse(const char *text, int64_t *wall_ms)
{
	struct tm utc;
	int offset;
	if (!read_date_time(&text, &utc))
		return false;
	int fraction = read_fraction(&text);
	if (fraction < 0 || !read_offset(&text, &offset) || *text != '\0')
		return false;
	int64_t moment = ((int64_t)timegm(&utc) - (int64_t)offset * 60) * 1000 + fraction;
	if (moment < 0)
		return false;
	*wall_ms = moment;
	return true;
}
