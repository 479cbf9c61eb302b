/*
 * json_lines - whether every line of standard input is one JSON document, and there is a line.
 * Says which line is not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/json_check.h"

int main(void)
{
	char *line = NULL;
	size_t room = 0;
	long number = 0;
	ssize_t len;
	while ((len = getline(&line, &room, stdin)) > 0) {
		number++;
		if (line[len - 1] == '\n')
			len--;
		if (!json_check(line, (size_t)len)) {
			printf("line %ld is not JSON: %s\n", number, line);
			free(line);
			return EXIT_FAILURE;
		}
	}
	free(line);
	return number > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
