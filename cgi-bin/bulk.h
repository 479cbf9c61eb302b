/*
 * bulk - the handlers of the program bulk.
 */
#ifndef CGI_BIN_BULK_H
#define CGI_BIN_BULK_H

#include "service/caller.h"

void bulk_links(struct worker *worker, const struct http_request *req, struct http_response *res);
void bulk_users(struct worker *worker, const struct http_request *req, struct http_response *res);
void bulk_events(struct worker *worker, const struct http_request *req, struct http_response *res);
void bulk_export(struct worker *worker, const struct http_request *req, struct http_response *res);

#endif
