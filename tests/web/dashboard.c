/*
 * dashboard - what dashboards of Grafana hold, for tests: a line each, its fields separated by tabs.
 *
 *   dashboard FILE…
 *
 *   dashboard   <uid> <file> <id> <editable> <schemaVersion> <title> <description>
 *   variable    <uid> <name> <type> <value at the first visit> <query>
 *   annotation  <uid> <name> <datasource> <query>
 *   panel       <uid> <id> <type> <x> <y> <w> <h> <datasource> <unit> <title> <description>
 *   threshold   <uid> <panel> <value>
 *   query       <uid> <panel> <letter> <instant or range> <query>
 *
 * A field that is missing is empty. Ends with 1 at the first file that is no JSON.
 */
#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "http/json_check.h"

enum { FILE_MAX = 1 << 20 };

/* What stands at names separated by dots, or NULL. */
static const cJSON *find(const cJSON *from, const char *names)
{
	char name[64];
	while (from && *names) {
		size_t len = 0;
		while (names[len] && names[len] != '.')
			len++;
		(void)snprintf(name, sizeof(name), "%.*s", (int)len, names);
		from = cJSON_GetObjectItemCaseSensitive(from, name);
		names += names[len] ? len + 1 : len;
	}
	return from;
}

static void put_field(const cJSON *value)
{
	putchar('\t');
	if (cJSON_IsArray(value))
		value = cJSON_GetArrayItem(value, 0);
	if (cJSON_IsString(value)) {
		for (const char *at = value->valuestring; *at; at++)
			putchar(*at == '\t' || *at == '\n' ? ' ' : *at);
	} else if (cJSON_IsNumber(value)) {
		printf("%g", value->valuedouble);
	} else if (cJSON_IsBool(value)) {
		printf("%s", cJSON_IsTrue(value) ? "true" : "false");
	}
}

static void put_line(const char *kind, const cJSON *uid)
{
	printf("%s", kind);
	put_field(uid);
}

static void put_variables(const cJSON *uid, const cJSON *dashboard)
{
	const cJSON *variable;
	cJSON_ArrayForEach(variable, find(dashboard, "templating.list"))
	{
		const cJSON *query = find(variable, "query");
		const cJSON *all = find(variable, "allValue");
		put_line("variable", uid);
		put_field(find(variable, "name"));
		put_field(find(variable, "type"));
		put_field(all ? all : find(variable, "current.value"));
		put_field(cJSON_IsObject(query) ? find(query, "query") : query);
		putchar('\n');
	}
}

static void put_annotations(const cJSON *uid, const cJSON *dashboard)
{
	const cJSON *annotation;
	cJSON_ArrayForEach(annotation, find(dashboard, "annotations.list"))
	{
		put_line("annotation", uid);
		put_field(find(annotation, "name"));
		put_field(find(annotation, "datasource.uid"));
		put_field(find(annotation, "expr"));
		putchar('\n');
	}
}

static void put_thresholds(const cJSON *uid, const cJSON *panel)
{
	const cJSON *step;
	cJSON_ArrayForEach(step, find(panel, "fieldConfig.defaults.thresholds.steps"))
	{
		put_line("threshold", uid);
		put_field(find(panel, "id"));
		put_field(find(step, "value"));
		putchar('\n');
	}
}

static void put_queries(const cJSON *uid, const cJSON *panel)
{
	const cJSON *target;
	cJSON_ArrayForEach(target, find(panel, "targets"))
	{
		put_line("query", uid);
		put_field(find(panel, "id"));
		put_field(find(target, "refId"));
		printf("\t%s", cJSON_IsTrue(find(target, "instant")) ? "instant" : "range");
		put_field(find(target, "expr"));
		putchar('\n');
	}
}

static void put_panels(const cJSON *uid, const cJSON *panels)
{
	static const char *const fields[] = { "id", "type", "gridPos.x", "gridPos.y", "gridPos.w",
		"gridPos.h", "datasource.uid", "fieldConfig.defaults.unit", "title",
		"description" };
	const cJSON *panel;
	cJSON_ArrayForEach(panel, panels)
	{
		put_line("panel", uid);
		for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
			put_field(find(panel, fields[i]));
		putchar('\n');
		put_thresholds(uid, panel);
		put_queries(uid, panel);
		put_panels(uid, find(panel, "panels"));
	}
}

static void put_dashboard(const char *path, const cJSON *dashboard)
{
	const cJSON *uid = find(dashboard, "uid");
	put_line("dashboard", uid);
	printf("\t%s", path);
	put_field(find(dashboard, "id"));
	put_field(find(dashboard, "editable"));
	put_field(find(dashboard, "schemaVersion"));
	put_field(find(dashboard, "title"));
	put_field(find(dashboard, "description"));
	putchar('\n');
	put_variables(uid, dashboard);
	put_annotations(uid, dashboard);
	put_panels(uid, find(dashboard, "panels"));
}

/* cJSON takes much for JSON that is none. */
static bool put_file(const char *path)
{
	static char text[FILE_MAX];
	FILE *file = fopen(path, "r");
	size_t len = file ? fread(text, 1, sizeof(text), file) : 0;
	if (file)
		(void)fclose(file);
	cJSON *dashboard = json_check(text, len) ? cJSON_ParseWithLength(text, len) : NULL;
	if (dashboard)
		put_dashboard(path, dashboard);
	else
		fprintf(stderr, "%s is no JSON\n", path);
	cJSON_Delete(dashboard);
	return dashboard != NULL;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!put_file(argv[i]))
			return EXIT_FAILURE;
	return EXIT_SUCCESS;
}
