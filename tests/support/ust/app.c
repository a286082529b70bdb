/*
 * Test application: records events when told so on its standard input.
 *
 * Usage: app PAYLOAD_BYTES
 *
 * Each input line "COUNT DELAY_MICROSECONDS" records COUNT events and answers
 * "done TOTAL"; the end of the input ends the application.  It stays on the
 * first processor it may use, so that all its events are in one stream.
 */

#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LTTNG_UST_TRACEPOINT_DEFINE
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#include "tp.h"

#define PAYLOAD_MAXIMUM 65536
#define COUNT_MAXIMUM 10000000UL
/* Nobody needs the application for longer: it ends if it is forgotten. */
#define LIFE_SECONDS 300

static void stay_on_first_processor(void)
{
	cpu_set_t allowed, first;
	int cpu;

	if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
		return;
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &allowed))
			continue;
		CPU_ZERO(&first);
		CPU_SET(cpu, &first);
		if (sched_setaffinity(0, sizeof(first), &first) != 0)
			perror("sched_setaffinity");
		return;
	}
}

int main(int argc, char **argv)
{
	static char payload[PAYLOAD_MAXIMUM];
	char line[128], text[32];
	unsigned long length = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	unsigned long total = 0;

	alarm(LIFE_SECONDS);
	if (length > sizeof(payload)) {
		fprintf(stderr, "Payload too long: %lu > %zu\n", length,
			sizeof(payload));
		return 1;
	}
	memset(payload, 'p', sizeof(payload));
	stay_on_first_processor();
	printf("ready\n");
	fflush(stdout);

	while (fgets(line, sizeof(line), stdin)) {
		unsigned long count = 0, delay = 0, i;

		if (sscanf(line, "%lu %lu", &count, &delay) < 1 ||
				count > COUNT_MAXIMUM) {
			fprintf(stderr, "Bad line: %s", line);
			return 1;
		}
		for (i = 0; i < count; i++, total++) {
			snprintf(text, sizeof(text), "event-%lu", total);
			lttng_ust_tracepoint(tp, tptest, (uint32_t) total,
				text, payload, length);
			if (delay)
				usleep((useconds_t) delay);
		}
		printf("done %lu\n", total);
		fflush(stdout);
	}
	return 0;
}
