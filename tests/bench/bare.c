/*
 * bare - what a redirect could cost at least: a FastCGI program that does nothing. The benchmark
 * puts it in the place of every program, under the same lighttpd with the same configuration.
 *
 *   bare THREADS redirect    answers 302 with a Location, always the same
 *   bare THREADS health      answers 200 with what /health says
 *
 * It ends a request as common/service/fcgi.c does, by closing it without waiting for lighttpd.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <fcgiapp.h>

enum { LISTENER = 0, THREADS_MAX = 64 };

static const char redirect[] = "Status: 302 Found\r\n"
			       "Location: https://example.com/bench\r\n\r\n";
static const char health[] = "Status: 200 OK\r\n"
			     "Content-Type: application/json\r\n\r\n{\"status\":\"ok\"}";

static const char *answer;

static void finish(FCGX_Request *request)
{
	int connection = request->ipcFd;
	request->keepConnection = 1;
	FCGX_Finish_r(request);
	if (request->ipcFd >= 0)
		close(connection);
	request->ipcFd = -1;
}

static void *serve(void *unused)
{
	FCGX_Request request;
	(void)unused;
	FCGX_InitRequest(&request, LISTENER, 0);
	while (FCGX_Accept_r(&request) == 0) {
		FCGX_PutStr(answer, (int)strlen(answer), request.out);
		finish(&request);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS_MAX];
	long count = argc == 3 ? strtol(argv[1], NULL, 10) : 0;
	if (count < 1 || count > THREADS_MAX) {
		fputs("usage: bare THREADS redirect|health    (started by lighttpd)\n", stderr);
		return EXIT_FAILURE;
	}
	answer = strcmp(argv[2], "health") == 0 ? health : redirect;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (FCGX_Init() != 0)
		return EXIT_FAILURE;
	/* libfcgi would only end the thread that happens to get it. */
	signal(SIGTERM, SIG_DFL);
	for (long i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, serve, NULL) != 0)
			return EXIT_FAILURE;
	for (long i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	return EXIT_SUCCESS;
}
