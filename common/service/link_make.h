/*
 * link_make - makes the link that a client wants, or finds it, and answers: for every way in that
 * makes one at a time.
 */
#ifndef SERVICE_LINK_MAKE_H
#define SERVICE_LINK_MAKE_H

#include "service/link_wish.h"
#include "service/service.h"

enum {
	LINK_SETTLE_MS = 100, /* who made or changed a link waits so long to be able to follow it */
	LINK_REFUSING_RETRY_S = 30 /* an operator has to decide first what becomes of the replica */
};

/*
 * Reads the body by one of the tables of link_wish.h into the wish and a new link of this owner, 0
 * for nobody. False: it is answered with all that is wrong.
 */
bool link_make_read(const struct http_request *req, struct http_response *res,
	const struct json_field *fields, struct link_wish *wish, struct link *link);

/* Makes or finds the link: 201 or 200 with it, 404 without such an owner, 409, 503. */
void link_make(struct worker *worker, struct http_response *res, const struct link_wish *wish,
	struct link *link);

/* A link as the whole answer, with its version as the ETag. */
void link_make_answer(
	struct http_response *res, int status, const struct link *link, int64_t clicks);

/* 400 with what is wrong. */
void link_make_refuse(
	struct http_response *res, bool good_target, const struct http_faults *faults);

#endif
