#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/metrics.h"

static const char *const level_names[LOG_LEVEL_COUNT] = {
	[LOG_DEBUG] = "debug",
	[LOG_INFO] = "info",
	[LOG_WARNING] = "warning",
	[LOG_ERROR] = "error",
};

static struct {
	const char *component;
	const char *path; /* "" for standard error */
	enum log_level least;
	atomic_int descriptor;
	atomic_bool torn; /* the last write ended within a line */
} state = { .component = "", .path = "", .least = LOG_INFO, .descriptor = STDERR_FILENO };

/* The request that this thread answers; NULL between two. */
static _Thread_local struct {
	const char *request_id;
	const char *trace_id;
} current;

static int open_file(const char *path)
{
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
}

bool log_open(const char *component, const char *path, enum log_level least)
{
	log_close();
	state.component = component;
	state.path = path;
	state.least = least;
	if (*path == '\0')
		return true;
	int descriptor = open_file(path);
	if (descriptor < 0) {
		state.path = "";
		return false;
	}
	atomic_store(&state.descriptor, descriptor);
	return true;
}

void log_reopen_if_moved(void)
{
	struct stat open_now, at_path;
	int descriptor = atomic_load(&state.descriptor);
	if (*state.path == '\0' || fstat(descriptor, &open_now) != 0)
		return;
	if (stat(state.path, &at_path) == 0 && at_path.st_ino == open_now.st_ino &&
		at_path.st_dev == open_now.st_dev)
		return;
	int fresh = open_file(state.path);
	if (fresh < 0)
		return; /* the old file still takes our lines */
	/* dup3() replaces the file under the same number at once: no thread writes to a closed one. */
	dup3(fresh, descriptor, O_CLOEXEC);
	close(fresh);
}

void log_close(void)
{
	int descriptor = atomic_exchange(&state.descriptor, STDERR_FILENO);
	if (descriptor != STDERR_FILENO)
		close(descriptor);
	state.path = "";
}

void log_begin(struct log_line *line, enum log_level level, const char *event)
{
	char now[CLOCK_TEXT];
	clock_format(clock_wall_ms(), now);
	line->level = level;
	line->cut = false;
	/* Room for `,"cut":true}` and the newline is kept back for log_end(). */
	line->text = text_fixed(line->bytes, sizeof(line->bytes) - 16);
	text_addf(&line->text, "{\"ts\":\"%s\",\"level\":\"%s\",\"component\":\"%s\"", now,
		level_names[level], state.component);
	log_field(line, "event", event);
	log_field_number(line, "pid", getpid());
	log_field(line, "request_id", current.request_id);
	log_field(line, "trace_id", current.trace_id);
}

void log_set_request(const char *request_id, const char *trace_id)
{
	current.request_id = request_id;
	current.trace_id = trace_id;
}

/* Takes a field back that did not fit, so that what is written stays valid JSON. */
static void end_field(struct log_line *line, size_t before)
{
	struct text *text = &line->text;
	if (!text->cut)
		return;
	text->len = before;
	text->data[before] = '\0';
	text->cut = false;
	line->cut = true;
}

void log_field(struct log_line *line, const char *key, const char *value)
{
	struct text *text = &line->text;
	size_t before = text->len;
	if (value == NULL)
		return;
	text_addf(text, ",\"%s\":\"", key);
	text_add_json(text, value, strlen(value));
	text_add_char(text, '"');
	end_field(line, before);
}

void log_field_number(struct log_line *line, const char *key, int64_t value)
{
	size_t before = line->text.len;
	text_addf(&line->text, ",\"%s\":%lld", key, (long long)value);
	end_field(line, before);
}

static ssize_t write_bytes(const char *bytes, size_t len)
{
	ssize_t written;
	do
		written = write(atomic_load(&state.descriptor), bytes, len);
	while (written < 0 && errno == EINTR);
	return written < 0 ? 0 : written;
}

/* One write; a line that went out in part is closed by the next one's leading newline. */
static bool write_line(const char *bytes, size_t len)
{
	char joined[LOG_LINE_MAX + 1];
	bool torn = atomic_exchange(&state.torn, false);
	if (torn) {
		joined[0] = '\n';
		memcpy(joined + 1, bytes, len);
		bytes = joined;
		len++;
	}
	size_t written = (size_t)write_bytes(bytes, len);
	if (written < len && (torn || written > 0))
		atomic_store(&state.torn, true);
	return written == len;
}

void log_end(struct log_line *line)
{
	if (line->level < state.least)
		return;
	struct text *text = &line->text;
	text->limit = text->room = sizeof(line->bytes);
	text_add(text, line->cut ? ",\"cut\":true}\n" : "}\n");
	if (write_line(text->data, text->len))
		metrics_add(METRIC_log_lines, (unsigned)line->level, 0, 1);
	else
		metrics_add(METRIC_log_lost, 0, 0, 1);
}

void log_event(enum log_level level, const char *event, const char *error)
{
	struct log_line line;
	log_begin(&line, level, event);
	log_field(&line, "error", error);
	log_end(&line);
}

const char *log_level_name(enum log_level level)
{
	return level_names[level];
}

enum log_level log_level_from(const char *name)
{
	enum log_level level = 0;
	while (level < LOG_LEVEL_COUNT && strcmp(level_names[level], name) != 0)
		level++;
	return level;
}
