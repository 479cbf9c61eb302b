/*
 * config - the settings of a process, read once from the environment at start.
 * config.def is the only place where a setting is named; docs print their table from it.
 *
 * config_load() refuses anything out of its limits and says which setting and why: a program must
 * not listen with a configuration that it does not understand. After it returned true the settings
 * never change; config_get() is safe from any thread.
 */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

enum { CONFIG_TEXT_MAX = 1024 };

struct config {
#define CONFIG_TEXT(field, name, initial, help)             char field[CONFIG_TEXT_MAX];
#define CONFIG_SECRET(field, name, help)                    char field[CONFIG_TEXT_MAX];
#define CONFIG_NUMBER(field, name, initial, min, max, help) int64_t field;
#define CONFIG_SWITCH(field, name, initial, help)           bool field;
#include "base/config.def"
};

/* False when a setting is wrong; error then holds one line per fault, in words. */
bool config_load(struct text *error);

const struct config *config_get(void);

/* The reference table of docs/operations, as Markdown. */
void config_describe(struct text *markdown);

#endif
