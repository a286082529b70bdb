/*
 * Test application: records events with every kind of field.
 *
 * It speaks as app.c does: each input line "COUNT" records COUNT rounds of
 * all events and answers "done TOTAL"; the end of the input ends it.
 */

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LTTNG_UST_TRACEPOINT_DEFINE
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#include "fields_tp.h"

#define COUNT(_array) (sizeof(_array) / sizeof(*(_array)))
/* Nobody needs the application for longer: it ends if it is forgotten. */
#define LIFE_SECONDS 300

static const uint64_t integers[] = {
	0, 1, 9, 10, 127, 128, 255, 256, 0x1234, 32767, 32768, 65535,
	2147483647, 2147483648, 4294967295, 0x123456789abcdef0,
	9223372036854775807, 0x8000000000000000, 0xffffffffffffff85,
	0xffffffffffffffff,
};

static const double floats[] = {
	0.0, -0.0, 1.0, -1.5, 0.1, 1.0 / 3, 123456.789, 1e15, 123456789012345680.0,
	1e-5, 1e-310, 3e300, FLT_MAX, FLT_MIN, DBL_MAX, DBL_MIN, INFINITY, -INFINITY,
};

/*
 * Each has 12 bytes at least, and none is empty: babeltrace2 2.0.4 prints an
 * older text in place of an empty one.
 */
static const char *const texts[] = {
	"plain text of some length",
	"short\0after the end",
	"\"quoted\" and \\ backslash % %s",
	"\a\b\t\n\v\f\r\x1b\x01\x7f control",
	"\xc3\xa9\xe6\xbc\xa2\xf0\x9f\x98\x80 UTF-8 text",
	"tab\tand new\nline, {braces}, [brackets] = all",
};

static const long enumerators[] = {
	0, 1, 2, 10, 11, 19, 20, 25, 29, 30, 31, 100, 127, 128, 200, 255, 256,
	1000, 1001, -1, -5, -128, -1000, -1001,
};

static void record_levels(int number)
{
#define LEVEL(_name) lttng_ust_tracepoint(fields, _name, number)
	LEVEL(emergency);
	LEVEL(alert);
	LEVEL(critical);
	LEVEL(error);
	LEVEL(warning);
	LEVEL(notice);
	LEVEL(info);
	LEVEL(debug_system);
	LEVEL(debug_program);
	LEVEL(debug_process);
	LEVEL(debug_module);
	LEVEL(debug_unit);
	LEVEL(debug_function);
	LEVEL(debug_line);
	LEVEL(debug);
}

static void record_round(int round)
{
	static const uint8_t bytes[] =
		"\x00\x01\x7f\x80\xff\xfe\x10\x20\x99\xaa\xbb\xcc\xdd\xee\x0f"
		"\xf0\x12\x34\x56\x78\x9a\xbc\xde\xf0\x55\xaa\x00\xff\x00\xff";
	size_t i;

	for (i = 0; i < COUNT(integers); i++)
		lttng_ust_tracepoint(fields, integers, integers[i], round);
	for (i = 0; i < COUNT(floats); i++)
		lttng_ust_tracepoint(fields, floats, floats[i]);
	for (i = 0; i < COUNT(texts); i++)
		lttng_ust_tracepoint(fields, strings, texts[i],
			strlen(texts[i]));
	for (i = 0; i < 4; i++) {
		lttng_ust_tracepoint(fields, narrow_lists, bytes + i, i);
		lttng_ust_tracepoint(fields, wide_lists, bytes + i, i);
	}
	for (i = 0; i < COUNT(enumerators); i++)
		lttng_ust_tracepoint(fields, enumerations, enumerators[i]);
	lttng_ust_tracepoint(fields, nothing);
	record_levels(round);
}

int main(void)
{
	char line[128];
	int total = 0;

	alarm(LIFE_SECONDS);
	printf("ready\n");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		int count = 0;

		if (sscanf(line, "%d", &count) < 1) {
			fprintf(stderr, "Bad line: %s", line);
			return 1;
		}
		while (count-- > 0)
			record_round(total++);
		printf("done %d\n", total);
		fflush(stdout);
	}
	return 0;
}
