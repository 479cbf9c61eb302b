/*
 * credentials - what a client proves itself with: the value of an Authorization header.
 */
#ifndef HTTP_CREDENTIALS_H
#define HTTP_CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>

/* What stands behind "Bearer " (RFC 6750), within the value; NULL: it is of another scheme. */
const char *credentials_bearer(const char *authorization);

/*
 * Copies the password of a value of the scheme Basic (RFC 7617), which is what browsers ask people
 * for; the name before it means nothing. False: of another scheme, malformed, or longer than room.
 */
bool credentials_password(const char *authorization, char *password, size_t room);

#endif
