/*
 * Many processes that send short messages to each other: in each group, every
 * sender writes to every receiver through a socket. What the kernel does for
 * it, system calls, wake-ups and switches, is the load.
 *
 * usage: messaging GROUPS PAIRS ROUNDS
 *
 * A group has PAIRS senders and PAIRS receivers; each sender sends ROUNDS
 * messages to each receiver.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MESSAGE 100
/* No process waits longer for the others. */
#define PATIENCE_SECONDS 120

static void fail(const char *what)
{
	fprintf(stderr, "messaging: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Tells the parent that this process is there, and waits until all are. */
static void meet(int ready, const int *start)
{
	char byte = 0;

	close(start[1]);
	if (write(ready, &byte, 1) != 1)
		fail("Cannot tell that a process is ready");
	/* The parent closes its end. */
	if (read(start[0], &byte, 1) != 0)
		fail("Cannot wait for the start");
}

static void receive(int socket, long messages)
{
	char message[MESSAGE];
	long left = messages * MESSAGE;

	while (left > 0) {
		ssize_t size = read(socket, message, sizeof(message));
		if (size <= 0)
			fail("Cannot receive");
		left -= size;
	}
}

static void send_all(const int *sockets, int count, long rounds)
{
	char message[MESSAGE] = { 0 };

	for (long round = 0; round < rounds; round++) {
		for (int i = 0; i < count; i++) {
			for (size_t sent = 0; sent < sizeof(message);) {
				ssize_t size = write(sockets[i], message + sent,
						     sizeof(message) - sent);
				if (size < 0)
					fail("Cannot send");
				sent += size;
			}
		}
	}
}

static pid_t start_process(void)
{
	pid_t pid = fork();

	if (pid < 0)
		fail("Cannot start a process");
	alarm(PATIENCE_SECONDS);
	return pid;
}

static void start_group(int pairs, long rounds, int ready, const int *start)
{
	int *sockets = calloc(pairs, sizeof(*sockets));
	int ends[2];

	for (int i = 0; i < pairs; i++) {
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
			fail("Cannot make a socket");
		if (start_process() == 0) {
			close(ends[1]);
			meet(ready, start);
			receive(ends[0], rounds * pairs);
			exit(0);
		}
		close(ends[0]);
		sockets[i] = ends[1];
	}
	for (int i = 0; i < pairs; i++) {
		if (start_process() == 0) {
			meet(ready, start);
			send_all(sockets, pairs, rounds);
			exit(0);
		}
	}
	for (int i = 0; i < pairs; i++)
		close(sockets[i]);
	free(sockets);
}

int main(int count, char **arguments)
{
	int groups, pairs, status, failed = 0;
	long rounds;
	int ready[2], start[2];
	char byte;

	if (count != 4 || (groups = atoi(arguments[1])) < 1 ||
	    (pairs = atoi(arguments[2])) < 1 ||
	    (rounds = atol(arguments[3])) < 1) {
		fprintf(stderr, "usage: messaging GROUPS PAIRS ROUNDS\n");
		return 2;
	}
	if (pipe(ready) || pipe(start))
		fail("Cannot make a pipe");
	for (int group = 0; group < groups; group++)
		start_group(pairs, rounds, ready[1], start);
	close(ready[1]);
	for (int i = 0; i < groups * pairs * 2; i++) {
		if (read(ready[0], &byte, 1) != 1)
			fail("A process ended before the start");
	}
	close(start[1]);
	for (int i = 0; i < groups * pairs * 2; i++) {
		if (wait(&status) < 0 || status != 0)
			failed = 1;
	}
	return failed;
}
