#include "unit/replica_scratch.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/segment.h"
#include "base/text.h"
#include "unit/scratch.h"

enum { MAX_BYTES = 64 << 20, IN_ONE = 1000 };

static char directory[512];

static void on_fault(int number, siginfo_t *fault, void *context)
{
	(void)context;
	replica_rescue(fault->si_addr);
	signal(number, SIG_DFL);
}

void replica_scratch_make(void)
{
	const struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
	scratch_make();
	cr_assert(log_open("test", "/dev/null", LOG_ERROR));
	cr_assert(segment_open(scratch_path("segment")));
	snprintf(directory, sizeof(directory), "%s", scratch_path("."));
	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
}

void replica_scratch_remove(void)
{
	segment_close();
	scratch_remove();
}

const char *replica_scratch_directory(void)
{
	return directory;
}

const char *replica_scratch_file(void)
{
	char name[64] = "";
	cr_assert_gt(readlink(scratch_path("current"), name, sizeof(name) - 1), 0);
	return scratch_path(name);
}

struct replica_writer *replica_scratch_writer(void)
{
	struct replica_writer *writer = replica_writer_new(directory, MAX_BYTES);
	cr_assert_not_null(writer);
	return writer;
}

const char *replica_scratch_code(unsigned n)
{
	static _Thread_local char code[CODE_MAX + 1];
	snprintf(code, sizeof(code), "link%05u", n);
	return code;
}

struct replica_record replica_scratch_record(unsigned n)
{
	struct replica_record record = { .link = { .id = n + 1,
						 .redirect_status = 302,
						 .created_at = 1700000000000,
						 .updated_at = 1700000000000,
						 .version = 1 },
		.tags = "{}" };
	text_copy(record.link.code, sizeof(record.link.code), replica_scratch_code(n));
	snprintf(record.link.target, sizeof(record.link.target), "https://example.com/%s",
		record.link.code);
	return record;
}

void replica_scratch_build(struct replica_writer *writer, unsigned count)
{
	cr_assert_eq(replica_writer_build(writer), REPLICA_OK);
	for (unsigned n = 0; n < count; n++) {
		const struct replica_record record = replica_scratch_record(n);
		if (n % IN_ONE == 0)
			cr_assert_eq(replica_writer_begin(writer), REPLICA_OK);
		cr_assert_eq(replica_writer_put(writer, &record, NULL), REPLICA_OK);
		if (n % IN_ONE == IN_ONE - 1 || n == count - 1)
			cr_assert_eq(replica_writer_commit(writer), REPLICA_OK);
	}
	cr_assert_eq(replica_writer_publish(writer), REPLICA_OK);
}

void replica_scratch_build_apart(unsigned count)
{
	int status = -1;
	pid_t child = fork();
	if (child == 0) {
		struct replica_writer *writer = replica_scratch_writer();
		replica_scratch_build(writer, count);
		replica_writer_free(writer);
		_exit(0);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(status, 0);
}

void replica_scratch_put(struct replica_writer *writer, const struct replica_record *record)
{
	cr_assert_eq(replica_writer_begin(writer), REPLICA_OK);
	cr_assert_eq(replica_writer_put(writer, record, NULL), REPLICA_OK);
	cr_assert_eq(replica_writer_commit(writer), REPLICA_OK);
}

void replica_scratch_say(enum label_state state)
{
	struct replica_status *status = &segment_get()->replica;
	atomic_store(&status->state, state);
	atomic_store(&status->seen, clock_monotonic());
}

enum link_result replica_scratch_find(struct replica *replica, unsigned n)
{
	struct link link;
	const struct replica_record wanted = replica_scratch_record(n);
	enum link_result result = replica_find(replica, NULL, wanted.link.code, &link);
	if (result == LINK_OK)
		cr_assert_str_eq(link.target, wanted.link.target);
	return result;
}
