/*
 * parent - lighttpd, which started this process and which nobody else in it watches.
 */
#ifndef SERVICE_PARENT_H
#define SERVICE_PARENT_H

#include <stdbool.h>

/*
 * From now on this process is told to end (SIGTERM) when its parent is gone: a new lighttpd would
 * take it for somebody else's. False: the parent is gone already.
 */
bool parent_follow(void);

/*
 * To be called once a second: kills a parent that was found stopped, and had not run in between, by
 * so many calls in a row. It answers nobody, and to whoever would start it again it is alive.
 */
void parent_look(unsigned patience);

#endif
