/*
 * system - what the machine and this stack are doing: for people on call and for load balancers.
 * /health says that the process answers (liveness); /ready says whether users are served, with
 * the verdict on each thing that they depend on.
 */
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/segment.h"
#include "base/workers.h"
#include "domain/keyring.h"
#include "domain/replica.h"
#include "http/json_write.h"
#include "http/query.h"
#include "service/log_tail.h"
#include "service/service.h"

enum {
	CPU_SAMPLE_MS = 100,
	KEYRING_MS = 1000, /* between two looks at the keys of those on call */
	KEYRING_OFF_MS = 60000,
	SPOOL_LATE_S = 10 /* ingest commits what there is many times a second */
};

static void health(struct worker *worker, const struct http_request *req, struct http_response *res)
{
	(void)worker;
	(void)req;
	http_begin(res, 200, "application/json");
	text_add(&res->body, "{\"status\":\"ok\"}");
}

static void version(
	struct worker *worker, const struct http_request *req, struct http_response *res)
{
	(void)worker;
	(void)req;
	http_begin(res, 200, "application/json");
	struct json_writer json = json_writer(&res->body);
	json_open(&json, NULL, '{');
	json_text(&json, "version", LINKSHRINK_VERSION);
	json_close(&json, '}');
}

/* One dependency: its name, and NULL when it is well or else what is wrong, in words. */
struct check {
	const char *name;
	const char *fault;
};

static const char *database_fault(struct worker *worker)
{
	switch (db_schema(worker->db)) {
	case DB_SCHEMA_CURRENT: return NULL;
	case DB_SCHEMA_OLDER: return "the schema is older than the programs: run db/migrate.sh";
	case DB_SCHEMA_UNKNOWN: return "PostgreSQL does not answer";
	}
	return NULL;
}

static const char *replica_fault(void)
{
	switch (replica_state()) {
	case LABEL_state_FOLLOWING: return NULL;
	case LABEL_state_BUILDING: return "the local copy of all links is being made";
	case LABEL_state_REFUSING:
		return "the database lacks links or is another one: see scripts/reconcile";
	case LABEL_state_ABSENT:
	case LABEL_state_COUNT: break;
	}
	return "the local copy of all links is not kept up to date";
}

/* A spool that cannot be written, or that PostgreSQL has not emptied for long, loses clicks. */
static const char *spool_fault(void)
{
	uint64_t now = clock_monotonic();
	uint64_t until = atomic_load(&segment_get()->clicks_committed_until);
	if (access(config_get()->spool, W_OK) != 0)
		return "the directory of the spool cannot be written";
	if (until == 0 || now - until > SPOOL_LATE_S * CLOCK_S)
		return "clicks wait for PostgreSQL";
	return NULL;
}

static const char *workers_fault(void)
{
	static const struct {
		enum label_program program;
		const char *fault;
	} needed[] = {
		{ LABEL_program_REPLICATE, "replicate is not alive" },
		{ LABEL_program_INGEST, "ingest is not alive" },
		{ LABEL_program_REDIRECT, "no redirect process is alive" },
		{ LABEL_program_SHORTEN, "no shorten process is alive" },
		{ LABEL_program_METRICS, "no metrics process is alive" },
	};
	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
		if (workers_alive(needed[i].program) == 0)
			return needed[i].fault;
	return NULL;
}

static void add_check(struct json_writer *json, const struct check *check)
{
	json_open(json, check->name, '{');
	json_boolean(json, "ok", check->fault == NULL);
	if (check->fault != NULL)
		json_text(json, "error", check->fault);
	json_close(json, '}');
}

static void ready(struct worker *worker, const struct http_request *req, struct http_response *res)
{
	(void)req;
	const struct check checks[] = {
		{ "database", database_fault(worker) },
		{ "replica", replica_fault() },
		{ "spool", spool_fault() },
		{ "segment",
			segment_shared() ? NULL : "the shared memory file is missing or replaced" },
		{ "workers", workers_fault() },
	};
	const size_t count = sizeof(checks) / sizeof(*checks);
	bool all_well = true;
	for (size_t i = 0; i < count; i++)
		all_well = all_well && checks[i].fault == NULL;

	http_begin(res, all_well ? 200 : 503, "application/json");
	struct json_writer json = json_writer(&res->body);
	json_open(&json, NULL, '{');
	json_text(&json, "status", all_well ? "ready" : "not ready");
	json_open(&json, "checks", '{');
	for (size_t i = 0; i < count; i++)
		add_check(&json, &checks[i]);
	json_close(&json, '}');
	json_close(&json, '}');
}

/* A small file of /proc, whole; "" where this kernel has none. */
static void read_file(const char *path, char *to, size_t room)
{
	FILE *file = fopen(path, "re");
	size_t len = file != NULL ? fread(to, 1, room - 1, file) : 0;
	to[len] = '\0';
	if (file != NULL)
		fclose(file);
}

/* Clock ticks of all processors since boot: all of them, and those spent idle or waiting for disks. */
static void read_cpu(double *all, double *idle)
{
	char stat[256];
	double user = 0, nice_ = 0, system_ = 0, idle_ = 0, wait = 0, irq = 0, soft = 0, steal = 0;
	read_file("/proc/stat", stat, sizeof(stat));
	sscanf(stat, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", &user, &nice_, &system_, &idle_, &wait,
		&irq, &soft, &steal);
	*idle = idle_ + wait;
	*all = *idle + user + nice_ + system_ + irq + soft + steal;
}

static double cpu_percent(void)
{
	const struct timespec pause = { .tv_nsec = (long)(CPU_SAMPLE_MS * CLOCK_MS) };
	double all_before, idle_before, all, idle;
	read_cpu(&all_before, &idle_before);
	nanosleep(&pause, NULL);
	read_cpu(&all, &idle);
	double passed = all - all_before;
	return passed <= 0 ? 0 : 100 * (passed - (idle - idle_before)) / passed;
}

/* A row of /proc/meminfo in megabytes. */
static double meminfo_mb(const char *meminfo, const char *row)
{
	double kilobytes = 0;
	const char *found = strstr(meminfo, row);
	if (found != NULL)
		sscanf(found + strlen(row), " %lf", &kilobytes);
	return kilobytes / 1024;
}

static void add_memory(struct json_writer *json)
{
	char meminfo[4096];
	read_file("/proc/meminfo", meminfo, sizeof(meminfo));
	double total = meminfo_mb(meminfo, "MemTotal:");
	double used = total - meminfo_mb(meminfo, "MemAvailable:");
	json_decimal(json, "memory_total_mb", total);
	json_decimal(json, "memory_used_mb", used);
	json_decimal(json, "memory_percent", total > 0 ? 100 * used / total : 0);
}

static void add_disk(struct json_writer *json)
{
	struct statvfs disk;
	double percent = 0;
	if (statvfs("/", &disk) == 0 && disk.f_blocks > 0)
		percent = 100.0 * (double)(disk.f_blocks - disk.f_bavail) / (double)disk.f_blocks;
	json_decimal(json, "disk_percent", percent);
}

static void add_load(struct json_writer *json)
{
	char loadavg[128];
	double minutes[3] = { 0 };
	read_file("/proc/loadavg", loadavg, sizeof(loadavg));
	sscanf(loadavg, "%lf %lf %lf", &minutes[0], &minutes[1], &minutes[2]);
	json_open(json, "load", '[');
	for (int i = 0; i < 3; i++)
		json_decimal(json, NULL, minutes[i]);
	json_close(json, ']');
}

/* Share of the last ten seconds in which something waited for it (PSI); null where there is none. */
static void add_pressure(struct json_writer *json, const char *resource)
{
	char path[64], content[512];
	double share;
	struct text text = text_fixed(path, sizeof(path));
	text_addf(&text, "/proc/pressure/%s", resource);
	read_file(path, content, sizeof(content));
	if (sscanf(content, "some avg10=%lf", &share) == 1)
		json_decimal(json, resource, share);
	else
		json_null(json, resource);
}

static void machine(
	struct worker *worker, const struct http_request *req, struct http_response *res)
{
	(void)worker;
	(void)req;
	struct timespec uptime;
	clock_gettime(CLOCK_BOOTTIME, &uptime);
	http_begin(res, 200, "application/json");
	struct json_writer json = json_writer(&res->body);
	json_open(&json, NULL, '{');
	json_decimal(&json, "cpu_percent", cpu_percent());
	add_memory(&json);
	add_disk(&json);
	add_load(&json);
	json_open(&json, "pressure", '{');
	add_pressure(&json, "cpu");
	add_pressure(&json, "memory");
	add_pressure(&json, "io");
	json_close(&json, '}');
	json_number(&json, "uptime_seconds", uptime.tv_sec);
	json_close(&json, '}');
}

/* A parameter that is there but cannot be what its name says is a fault, never ignored. */
static bool read_parameter(const struct http_request *req, const char *name, char *value,
	size_t room, struct http_faults *faults)
{
	if (!query_has(req->query, name))
		return false;
	if (query_find(req->query, name, value, room))
		return true;
	http_fault(faults, name, "malformed or too long");
	return false;
}

static void read_limit(
	const struct http_request *req, struct log_filter *filter, struct http_faults *faults)
{
	char value[8];
	int64_t limit;
	if (!read_parameter(req, "limit", value, sizeof(value), faults))
		return;
	if (text_to_number(value, 1, LOG_TAIL_LINES_MAX, &limit))
		filter->limit = (unsigned)limit;
	else
		http_fault(faults, "limit", "not a whole number from 1 to %d", LOG_TAIL_LINES_MAX);
}

static void read_level(
	const struct http_request *req, struct log_filter *filter, struct http_faults *faults)
{
	char value[16];
	if (!read_parameter(req, "level", value, sizeof(value), faults))
		return;
	filter->least = log_level_from(value);
	if (filter->least == LOG_LEVEL_COUNT)
		http_fault(faults, "level", "none of debug, info, warning, error");
}

static void read_request_id(
	const struct http_request *req, char id[HTTP_ID], struct http_faults *faults)
{
	if (!read_parameter(req, "request_id", id, HTTP_ID, faults))
		return;
	if (strlen(id) != HTTP_ID - 1 || strspn(id, "0123456789abcdef") != HTTP_ID - 1)
		http_fault(faults, "request_id", "not 32 hexadecimal digits in lower case");
}

static void write_logs(struct http_response *res, const struct log_filter *filter)
{
	enum { END = 64 }; /* bytes kept for what follows the lines */
	bool complete;
	http_begin(res, 200, "application/json");
	text_add(&res->body, "{\"logs\":[");
	if (!log_tail(config_get()->log_file, filter, &res->body, END, &complete)) {
		http_problem_detail(res, 503, "the log cannot be read",
			"The file of LINKSHRINK_LOG is missing or closed to this program; "
			"scripts/doctor says more.",
			NULL);
		return;
	}
	text_addf(&res->body, "],\"complete\":%s}", complete ? "true" : "false");
}

static void recent_logs(
	struct worker *worker, const struct http_request *req, struct http_response *res)
{
	(void)worker;
	char id[HTTP_ID] = "";
	struct log_filter filter = { .limit = 100, .least = LOG_DEBUG, .request_id = id };
	struct http_faults faults = { 0 };
	read_limit(req, &filter, &faults);
	read_level(req, &filter, &faults);
	read_request_id(req, id, &faults);
	if (faults.count > 0)
		http_problem_detail(res, 400, "invalid parameters", NULL, &faults);
	else if (*config_get()->log_file == '\0')
		http_problem_detail(res, 404, "no log is kept here",
			"The programs log to standard error; set LINKSHRINK_LOG to keep a file.",
			NULL);
	else
		write_logs(res, &filter);
}

/* Asked by lighttpd before it shows anything of operations over HTTPS; see lighttpd/tls.conf. */
static void let_pass(
	struct worker *worker, const struct http_request *req, struct http_response *res)
{
	(void)worker;
	(void)req;
	http_begin(res, 200, "text/plain");
}

static unsigned keyring_turn(struct worker *worker)
{
	if (!config_get()->operations_gate)
		return KEYRING_OFF_MS;
	db_set_deadline(worker->db, config_get()->database_deadline_ms);
	keyring_refresh(worker->db);
	return KEYRING_MS;
}

static const struct route gate = { HTTP_GET | HTTP_HEAD | HTTP_POST, "/", LABEL_handler_GATE,
	SCOPE_OPS_READ, RATE_NONE, 0, ROUTE_SAMPLED | ROUTE_KEYRING, let_pass };

static const struct route routes[] = { { HTTP_GET | HTTP_HEAD, "/health", LABEL_handler_HEALTH,
					       ANYONE, RATE_NONE, 0, ROUTE_SAMPLED, health },
	{ HTTP_GET | HTTP_HEAD, "/ready", LABEL_handler_READY, ANYONE, RATE_NONE, 0, ROUTE_SAMPLED,
		ready },
	{ HTTP_GET | HTTP_HEAD, "/version", LABEL_handler_VERSION, ANYONE, RATE_NONE, 0, 0,
		version },
	{ HTTP_GET | HTTP_HEAD, "/system", LABEL_handler_SYSTEM, ANYONE, RATE_NONE, 0, 0, machine },
	{ HTTP_GET | HTTP_HEAD, "/logs/recent", LABEL_handler_LOGS, ANYONE, RATE_NONE, 0, 0,
		recent_logs },
	{ 0 } };

const struct service system_service = { .name = "system",
	.routes = routes,
	.gate = &gate,
	.threads = 2,
	.connections = 2, /* the look at the keys takes what nobody needs just then */
	.needs = NEEDS_DATABASE,
	.turns = { keyring_turn } };
