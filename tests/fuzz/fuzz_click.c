/*
 * Referer, User-Agent, the client's address and Sec-Purpose with zero bytes between them. A click
 * is kept as one line that is a record, to whoever reads the spool, too.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/config.h"
#include "domain/spool.h"
#include "fuzz/fuzz.h"
#include "unit/click_line.h"

static char directory[] = "/dev/shm/linkshrink-fuzz-click.XXXXXX";

/* Without its name nothing is left, however this ends; a descriptor reads it. */
static int open_segment(void)
{
	char path[PATH_MAX];
	int descriptor = -1;
	DIR *folder = opendir(directory);
	FUZZ_CHECK(folder != NULL);
	for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		descriptor = open(path, O_RDWR | O_CLOEXEC);
		FUZZ_CHECK(descriptor >= 0 && unlink(path) == 0);
	}
	closedir(folder);
	rmdir(directory);
	FUZZ_CHECK(descriptor >= 0);
	return descriptor;
}

static struct click_writer *open_writer(int *descriptor)
{
	char memory[1024];
	struct text error = text_fixed(memory, sizeof(memory));
	const struct click first = {
		.status = 302, .referrer = "", .user_agent = "", .client = "", .purpose = ""
	};
	FUZZ_CHECK(config_load(&error) && mkdtemp(directory) != NULL);
	struct click_writer *writer = click_writer_new(directory, 1);
	FUZZ_CHECK(writer != NULL && click_record(writer, &first) == CLICK_KEPT);
	*descriptor = open_segment();
	return writer;
}

static void check_line(int descriptor)
{
	char line[2 * CLICK_LINE_MAX];
	ssize_t len = pread(descriptor, line, sizeof(line) - 1, 0);
	FUZZ_CHECK(len > 0 && len <= CLICK_LINE_MAX && line[len - 1] == '\n');
	FUZZ_CHECK(memchr(line, '\n', (size_t)len) == line + len - 1);
	FUZZ_CHECK(memchr(line, '\0', (size_t)len) == NULL);
	line[len - 1] = '\0';
	FUZZ_CHECK(click_line_is_record(line));
	struct spool_record record;
	FUZZ_CHECK(spool_read_line(line, (size_t)len - 1, &record) == SPOOL_RECORD);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct click_writer *writer;
	static int descriptor = -1;
	if (writer == NULL)
		writer = open_writer(&descriptor);
	char *referrer = fuzz_text(&data, &size), *agent = fuzz_text(&data, &size);
	char *client = fuzz_text(&data, &size), *purpose = fuzz_text(&data, &size);
	const struct click click = { .link = INT64_MAX,
		.status = 302,
		.referrer = referrer,
		.user_agent = agent,
		.client = client,
		.purpose = purpose };
	FUZZ_CHECK(ftruncate(descriptor, 0) == 0);
	enum click_result result = click_record(writer, &click);
	FUZZ_CHECK(result == CLICK_KEPT);
	check_line(descriptor);
	free(referrer);
	free(agent);
	free(client);
	free(purpose);
	return 0;
}
