#include "unit/spooling.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/config.h"
#include "base/log.h"
#include "base/segment.h"
#include "unit/click_line.h"
#include "unit/scratch.h"

struct click_writer *writer;
struct spooling found;

const struct click sample = { .at = INT64_C(1795471199999),
	.link = 4711,
	.status = 302,
	.referrer = "https://user@www.Example.com:8443/path?q=secret",
	.user_agent = "Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0",
	.client = "198.51.100.77",
	.purpose = "" };

static char spool[64];

void spooling_settings(const char *reserve, const char *limit)
{
	char memory[1024];
	struct text error = text_fixed(memory, sizeof(memory));
	setenv("LINKSHRINK_SPOOL_RESERVE_BYTES", reserve, 1);
	setenv("LINKSHRINK_SPOOL_MAX_BYTES", limit, 1);
	cr_assert(config_load(&error), "%s", memory);
}

const char *spooling_path(const char *name)
{
	static char path[512];
	snprintf(path, sizeof(path), "%s/%s", spool, name);
	return path;
}

void spooling_begin(void)
{
	spooling_settings("0", "1073741824");
	cr_assert(log_open("test", "/dev/null", LOG_ERROR));
	scratch_make();
	cr_assert(segment_open(scratch_path("memory")));
	cr_assert(text_copy(spool, sizeof(spool), scratch_path("spool")));
	cr_assert_eq(mkdir(spool, 0700), 0);
	writer = click_writer_new(spool, 7);
	cr_assert_not_null(writer);
}

void spooling_end(void)
{
	click_writer_free(writer);
	look();
	for (unsigned i = 0; i < found.segments; i++)
		unlink(spooling_path(found.names[i]));
	rmdir(spool);
	segment_close();
	scratch_remove();
}

static void judge_lines(FILE *file)
{
	char line[4096];
	bool begins = fgets(line, sizeof(line), file) != NULL;
	found.wrong += !begins || strncmp(line, "# linkshrink clicks 1 7 ", 24) != 0;
	while (fgets(line, sizeof(line), file) != NULL) {
		char *end = strchr(line, '\n');
		if (end == NULL) {
			found.torn++;
			continue;
		}
		*end = '\0';
		found.records++;
		found.wrong += !click_line_is_record(line);
	}
}

static void judge_segment(const char *name)
{
	FILE *file = fopen(spooling_path(name), "r");
	cr_assert_not_null(file, "%s", name);
	cr_assert_lt(found.segments, SPOOLING_SEGMENTS);
	cr_assert(text_copy(found.names[found.segments], sizeof(found.names[0]), name));
	found.segments++;
	found.locked += flock(fileno(file), LOCK_EX | LOCK_NB) != 0;
	judge_lines(file);
	fclose(file);
}

void look(void)
{
	memset(&found, 0, sizeof(found));
	DIR *folder = opendir(spool);
	for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;)
		if (entry->d_name[0] != '.')
			judge_segment(entry->d_name);
	if (folder != NULL)
		closedir(folder);
}

enum click_result record(void)
{
	return click_record(writer, &sample);
}

enum click_result record_at(int64_t at)
{
	struct click click = sample;
	click.at = at;
	return click_record(writer, &click);
}

uint64_t dropped(enum label_reason reason)
{
	return metrics_value(METRIC_clicks_dropped, reason, 0);
}

uint64_t spooled(void)
{
	return metrics_value(METRIC_clicks_spooled, 0, 0);
}
