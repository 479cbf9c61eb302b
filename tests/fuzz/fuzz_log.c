/* Texts with zero bytes between them, as fields of a log line: always one line of JSON. */
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "fuzz/fuzz.h"
#include "http/json_check.h"

/* The log lies in memory: no disk, no file left. */
static int open_log(void)
{
	char path[64];
	int descriptor = memfd_create("log", MFD_CLOEXEC);
	FUZZ_CHECK(descriptor >= 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", descriptor);
	static char kept[sizeof(path)]; /* log_open() borrows it for ever */
	memcpy(kept, path, sizeof(path));
	FUZZ_CHECK(log_open("fuzz", kept, LOG_DEBUG));
	return descriptor;
}

static void check_line(int descriptor)
{
	char line[LOG_LINE_MAX * 2];
	ssize_t len = pread(descriptor, line, sizeof(line), 0);
	FUZZ_CHECK(len > 0 && len <= LOG_LINE_MAX);
	FUZZ_CHECK(memchr(line, '\n', (size_t)len) == line + len - 1);
	FUZZ_CHECK(json_check(line, (size_t)len - 1));
	for (ssize_t i = 0; i < len - 1; i++)
		FUZZ_CHECK((unsigned char)line[i] >= 0x20 && line[i] != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int descriptor = -1;
	struct log_line line;
	if (descriptor < 0)
		descriptor = open_log();
	FUZZ_CHECK(ftruncate(descriptor, 0) == 0);
	char *event = fuzz_text(&data, &size);
	log_begin(&line, (enum log_level)(event[0] & 3), event);
	while (size > 0) {
		char *value = fuzz_text(&data, &size);
		log_field(&line, "value", value);
		log_field_number(&line, "number", (int64_t)strlen(value) * INT32_MAX);
		free(value);
	}
	log_end(&line);
	check_line(descriptor);
	free(event);
	return 0;
}
