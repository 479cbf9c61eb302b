/*
 * agent - what a user agent says that it is, as names of a small closed set: agents.def.
 *
 * It is what it says, not what it is: whoever wants to can say anything. So nothing is decided by
 * it, it is only counted.
 */
#ifndef DOMAIN_AGENT_H
#define DOMAIN_AGENT_H

#include <stdbool.h>

enum { AGENT_READ_MAX = 512 /* bytes that are looked at; no browser sends more */ };

struct agent {
	const char *browser; /* of a bot its class; "other" if unknown. Borrowed for ever */
	const char *os;      /* of a bot "other" */
	bool bot;
};

/* user_agent: the header as sent, "" where it was not: other, no bot. */
struct agent agent_read(const char *user_agent);

/* Whether a click is for a page that a browser loads ahead, unasked: by Sec-Purpose or Purpose. */
bool agent_prefetches(const char *purpose);

#endif
