/* The two events of the trace that the reading benchmark reads. */

#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER bench

#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "./view_events.h"

#if !defined(VIEW_EVENTS_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define VIEW_EVENTS_H

#include <lttng/tracepoint.h>

LTTNG_UST_TRACEPOINT_EVENT(bench, request,
	LTTNG_UST_TP_ARGS(int, id, const char *, path, unsigned long, size),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(int, id, id)
		lttng_ust_field_string(path, path)
		lttng_ust_field_integer(unsigned long, size, size)
		lttng_ust_field_float(double, ratio, id / 7.0)))

LTTNG_UST_TRACEPOINT_EVENT(bench, tick,
	LTTNG_UST_TP_ARGS(int, id, int *, values),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(int, id, id)
		lttng_ust_field_integer_hex(unsigned int, address, id * 64u)
		lttng_ust_field_array(int, values, values, 3)))

#endif

#include <lttng/tracepoint-event.h>
