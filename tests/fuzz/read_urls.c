/*
 * read_urls - what target_url says of URLs. Reads them from standard input, a zero byte after each;
 * writes a line for each: "+" and the canonical form, or "-" and the refusal.
 */
#include <stdio.h>
#include <stdlib.h>

#include "domain/target_url.h"

int main(void)
{
	char canonical[TARGET_URL_MAX + 1];
	char *url = NULL;
	size_t room = 0;
	if (target_url_init("https://short.example", "", false) != NULL)
		return 1;
	while (getdelim(&url, &room, '\0', stdin) > 0) {
		const char *refusal = target_url_read(url, canonical);
		printf("%c%s\n", refusal == NULL ? '+' : '-',
			refusal == NULL ? canonical : refusal);
	}
	free(url);
	return ferror(stdin) || fflush(stdout) != 0;
}
