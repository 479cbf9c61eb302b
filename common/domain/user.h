/*
 * user - accounts: who may own links and keys.
 */
#ifndef DOMAIN_USER_H
#define DOMAIN_USER_H

#include "domain/filter.h"

enum { USER_NAME_MAX = 255, USER_EMAIL_MIN = 3, USER_EMAIL_MAX = 320 };

enum user_result {
	USER_OK,
	USER_UNKNOWN,
	USER_NAME_TAKEN,
	USER_EMAIL_TAKEN,
	USER_BUSY, /* not done in time: the same call again goes on with it */
	USER_DOWN
};

struct user {
	int64_t id;
	char name[USER_NAME_MAX + 1];
	char email[USER_EMAIL_MAX + 1];
	int64_t created_at; /* milliseconds since 1970 */
};

struct user_filter {
	struct page page;
	int64_t id;
	const char *search; /* part of name or address, without regard to case */
	const char *name;
	const char *email;
};

/* NULL, or what is wrong with it, in words. */
const char *user_name_refusal(const char *name);
const char *user_email_refusal(const char *email);

/* Stores name and email and fills in the rest. */
__attribute__((warn_unused_result)) enum user_result user_create(struct db *db, struct user *user);

__attribute__((warn_unused_result)) enum user_result user_find(
	struct db *db, int64_t id, struct user *found);

/*
 * Gives user->id this name and address, and fills in the rest. One that is "" stays as it is, even
 * if somebody else changes it at this moment.
 */
__attribute__((warn_unused_result)) enum user_result user_change(struct db *db, struct user *user);

/*
 * Deletes a user, with the keys. The links stay and are nobody's; as every copy of them has to learn
 * that, it takes a while for many: USER_BUSY then, and some are done.
 */
__attribute__((warn_unused_result)) enum user_result user_delete(struct db *db, int64_t id);

/* See filter_list() and filter_total(). */
__attribute__((warn_unused_result)) enum db_result user_list(
	struct db *db, const struct user_filter *filter, struct db_rows **rows);
__attribute__((warn_unused_result)) enum db_result user_list_total(
	struct db *db, const struct user_filter *filter, struct total *total);

/* False: it is longer than a user may be. */
bool user_from_row(const struct db_rows *rows, int row, struct user *user);

#endif
