#include "service/parent.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"

/* From its status file: the letter of its state, and how often it gave up a processor. */
struct state {
	char letter;
	unsigned long runs;
};

static bool read_state(pid_t pid, struct state *state)
{
	char path[32], line[128];
	unsigned long number;
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return false;
	*state = (struct state){ 0 };
	while (fgets(line, sizeof(line), file) != NULL) {
		sscanf(line, "State: %c", &state->letter);
		if (sscanf(line, "voluntary_ctxt_switches: %lu", &number) == 1 ||
			sscanf(line, "nonvoluntary_ctxt_switches: %lu", &number) == 1)
			state->runs += number;
	}
	fclose(file);
	return true;
}

bool parent_follow(void)
{
	pid_t parent = getppid();
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	return getppid() == parent; /* it may have gone in between, and no signal comes then */
}

void parent_look(unsigned patience)
{
	static unsigned stopped; /* calls in a row */
	static unsigned long runs;
	struct state now;
	pid_t parent = getppid();
	/* A debugger's stop is another letter. */
	if (!read_state(parent, &now) || now.letter != 'T') {
		stopped = 0;
		return;
	}
	stopped = stopped > 0 && now.runs == runs ? stopped + 1 : 1;
	runs = now.runs;
	if (stopped < patience)
		return;
	log_event(LOG_ERROR, "parent_killed", "lighttpd stays stopped");
	kill(parent, SIGKILL);
}
