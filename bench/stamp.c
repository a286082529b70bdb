/*
 * Runs a program and prints each line of its standard output with the time at
 * which it came: "NANOSECONDS LINE", by the clock that LTTng-UST uses.
 *
 * Usage: stamp PROGRAM [ARGUMENT]...
 */

#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* Starts the program; returns where its output can be read. */
static FILE *start(char **command, pid_t *pid)
{
	pid_t parent = getpid();
	FILE *output;
	int ends[2];

	if (pipe(ends) != 0)
		fail("pipe");
	*pid = fork();
	if (*pid < 0)
		fail("fork");
	if (*pid == 0) {
		/* It ends when we do, however we end. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		execvp(command[0], command);
		perror(command[0]);
		_exit(127);
	}
	close(ends[1]);
	output = fdopen(ends[0], "r");
	if (!output)
		fail("fdopen");
	return output;
}

int main(int argc, char **argv)
{
	char *line = NULL;
	size_t size = 0;
	FILE *output;
	int status;
	pid_t pid;

	if (argc < 2) {
		fprintf(stderr, "Usage: stamp PROGRAM [ARGUMENT]...\n");
		return 2;
	}
	output = start(argv + 1, &pid);
	while (getline(&line, &size, output) > 0) {
		struct timespec now;

		clock_gettime(CLOCK_MONOTONIC, &now);
		printf("%lld%09ld %s", (long long) now.tv_sec, now.tv_nsec,
			line);
		fflush(stdout);
	}
	if (waitpid(pid, &status, 0) < 0)
		fail("waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
