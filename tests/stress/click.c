/*
 * Threads that keep clicks, change segments and begin anew, beside one that syncs. Not a click may
 * be lost, and ThreadSanitizer may find nothing.
 */
#include "domain/click.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/config.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/segment.h"

enum { THREADS = 6, ROUNDS = 12000, A_SEGMENT = 500, A_WRITER = 3000 };

static char directory[] = "/dev/shm/linkshrink-stress-click.XXXXXX";
static atomic_bool done;
static atomic_uint kept;
static int failed;

static void say(const char *what, bool good)
{
	printf("%s - %s\n", good ? "ok" : "not ok", what);
	failed |= !good;
}

static void *keep(void *argument)
{
	struct click_writer *writer = NULL;
	struct click click = { .link = 1,
		.status = 302,
		.referrer = "https://example.com/",
		.user_agent = "curl/8.5.0",
		.client = "192.0.2.1",
		.purpose = "" };
	(void)argument;
	for (unsigned i = 0; i < ROUNDS; i++) {
		if (i % A_WRITER == 0) {
			click_writer_free(writer);
			writer = click_writer_new(directory, 1);
		}
		click.at = (int64_t)(i / A_SEGMENT) * CLICK_SEGMENT_MS;
		if (click_record(writer, &click) == CLICK_KEPT)
			kept++;
	}
	click_writer_free(writer);
	return NULL;
}

static void *sync_all(void *argument)
{
	(void)argument;
	while (!done)
		(void)click_sync();
	return NULL;
}

static void run_all(void)
{
	pthread_t threads[THREADS], syncer;
	pthread_create(&syncer, NULL, sync_all, NULL);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, keep, NULL);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	done = true;
	pthread_join(syncer, NULL);
}

/* Lines that are no comments; the file goes. */
static unsigned count_lines(const char *path)
{
	char line[2 * CLICK_LINE_MAX];
	unsigned lines = 0;
	FILE *file = fopen(path, "r");
	while (file != NULL && fgets(line, sizeof line, file) != NULL)
		lines += line[0] != '#' && strchr(line, '\n') != NULL;
	if (file != NULL)
		fclose(file);
	unlink(path);
	return lines;
}

static unsigned count_all(unsigned *segments)
{
	char path[512];
	unsigned lines = 0;
	*segments = 0;
	DIR *folder = opendir(directory);
	for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
		if (strstr(entry->d_name, CLICK_SUFFIX) == NULL)
			continue;
		snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
		lines += count_lines(path);
		++*segments;
	}
	if (folder != NULL)
		closedir(folder);
	return lines;
}

static unsigned count_descriptors(void)
{
	unsigned count = 0;
	DIR *folder = opendir("/proc/self/fd");
	while (folder != NULL && readdir(folder) != NULL)
		count++;
	if (folder != NULL)
		closedir(folder);
	return count;
}

int main(void)
{
	char path[128], memory[1024];
	struct text error = text_fixed(memory, sizeof memory);
	setenv("LINKSHRINK_SPOOL_RESERVE_BYTES", "0", 1);
	say("settings are good", config_load(&error));
	log_open("stress", "", LOG_ERROR);
	say("directory is made", mkdtemp(directory) != NULL);
	snprintf(path, sizeof path, "%s/memory", directory);
	say("segment is shared", segment_open(path));
	unsigned before = count_descriptors(), segments;
	run_all();
	unsigned lines = count_all(&segments);
	say("every click is kept", kept == THREADS * ROUNDS);
	say("every click is in the spool once", lines == kept);
	say("every click is counted", metrics_value(METRIC_clicks_spooled, 0, 0) == kept);
	say("segments are as many as they should be", segments == THREADS * ROUNDS / A_SEGMENT);
	say("no descriptor is left open", count_descriptors() == before);
	unlink(segment_path());
	rmdir(directory);
	return failed;
}
