/* Declares the events that the test application records. */

#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER tp

#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "./tp.h"

#if !defined(TESTS_SUPPORT_UST_TP_H) || \
	defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define TESTS_SUPPORT_UST_TP_H

#include <stddef.h>
#include <stdint.h>

#include <lttng/tracepoint.h>

LTTNG_UST_TRACEPOINT_EVENT(
	tp,
	tptest,
	LTTNG_UST_TP_ARGS(
		uint32_t, counter,
		const char *, text,
		const char *, payload,
		size_t, payload_length
	),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint32_t, intfield, counter)
		lttng_ust_field_integer_hex(int64_t, negative,
			-(int64_t) counter)
		lttng_ust_field_integer_network(uint16_t, network,
			(uint16_t) counter)
		lttng_ust_field_float(double, floatfield, counter + 0.5)
		lttng_ust_field_string(stringfield, text)
		lttng_ust_field_sequence_text(char, payload, payload,
			size_t, payload_length)
	)
)

#endif

#include <lttng/tracepoint-event.h>
