/* Declares events with every kind of field, log level and enumeration. */

#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER fields

#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "./fields_tp.h"

#if !defined(TESTS_SUPPORT_UST_FIELDS_TP_H) || \
	defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define TESTS_SUPPORT_UST_FIELDS_TP_H

#include <stddef.h>
#include <stdint.h>

#include <lttng/tracepoint.h>

LTTNG_UST_TRACEPOINT_EVENT(
	fields, integers,
	LTTNG_UST_TP_ARGS(uint64_t, value, int, filtered),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(int8_t, i8, value)
		lttng_ust_field_integer(uint8_t, u8, value)
		lttng_ust_field_integer(int16_t, i16, value)
		lttng_ust_field_integer(uint16_t, u16, value)
		lttng_ust_field_integer(int32_t, i32, value)
		lttng_ust_field_integer(uint32_t, u32, value)
		lttng_ust_field_integer(int64_t, i64, value)
		lttng_ust_field_integer(uint64_t, u64, value)
		lttng_ust_field_integer(char, character, value)
		lttng_ust_field_integer(long, word, value)
		lttng_ust_field_integer_hex(int8_t, hex_i8, value)
		lttng_ust_field_integer_hex(uint16_t, hex_u16, value)
		lttng_ust_field_integer_hex(int32_t, hex_i32, value)
		lttng_ust_field_integer_hex(int64_t, hex_i64, value)
		lttng_ust_field_integer_network(int16_t, net_i16, value)
		lttng_ust_field_integer_network(uint32_t, net_u32, value)
		lttng_ust_field_integer_network(int64_t, net_i64, value)
		lttng_ust_field_integer_network_hex(uint16_t, net_x16, value)
		lttng_ust_field_integer_network_hex(int32_t, net_x32, value)
		lttng_ust_field_integer_network_hex(uint64_t, net_x64, value)
		lttng_ust_field_integer_nowrite(int, filtered, filtered)
		lttng_ust_field_unused(filtered)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(
	fields, floats,
	LTTNG_UST_TP_ARGS(double, value),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_float(float, single, value)
		lttng_ust_field_float(double, twice, value)
		lttng_ust_field_float_nowrite(double, filtered, value)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(
	fields, strings,
	LTTNG_UST_TP_ARGS(const char *, text, size_t, length),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_string(plain, text)
		lttng_ust_field_array_text(char, fixed, text, 12)
		lttng_ust_field_sequence_text(char, counted, text,
			size_t, length)
		lttng_ust_field_sequence_text(uint8_t, narrow, text,
			uint8_t, length)
		lttng_ust_field_string_nowrite(filtered, text)
	)
)

#define LISTS_OF(_type)							\
	lttng_ust_field_array(_type, _type##_array, bytes, 3)		\
	lttng_ust_field_array_hex(_type, _type##_array_hex, bytes, 3)	\
	lttng_ust_field_array_network(_type, _type##_array_network,	\
		bytes, 3)						\
	lttng_ust_field_array_network_hex(_type, _type##_array_network_hex,	\
		bytes, 3)						\
	lttng_ust_field_sequence(_type, _type##_sequence, bytes,	\
		uint8_t, length)					\
	lttng_ust_field_sequence_hex(_type, _type##_sequence_hex, bytes,	\
		uint16_t, length)					\
	lttng_ust_field_sequence_network(_type, _type##_sequence_network,	\
		bytes, uint32_t, length)				\
	lttng_ust_field_sequence_network_hex(_type,			\
		_type##_sequence_network_hex, bytes, unsigned long, length)

LTTNG_UST_TRACEPOINT_EVENT(
	fields, narrow_lists,
	LTTNG_UST_TP_ARGS(const void *, bytes, size_t, length),
	LTTNG_UST_TP_FIELDS(
		LISTS_OF(int8_t)
		LISTS_OF(uint8_t)
		LISTS_OF(int16_t)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(
	fields, wide_lists,
	LTTNG_UST_TP_ARGS(const void *, bytes, size_t, length),
	LTTNG_UST_TP_FIELDS(
		LISTS_OF(uint32_t)
		LISTS_OF(int64_t)
		LISTS_OF(uint64_t)
	)
)

LTTNG_UST_TRACEPOINT_ENUM(
	fields, plain,
	LTTNG_UST_TP_ENUM_VALUES(
		lttng_ust_field_enum_auto("first")
		lttng_ust_field_enum_auto("second")
		lttng_ust_field_enum_value("ten", 10)
		lttng_ust_field_enum_auto("after ten")
		lttng_ust_field_enum_range("a range", 20, 29)
		lttng_ust_field_enum_auto("after range")
		lttng_ust_field_enum_value("quote \" backslash \\", 200)
	)
)

LTTNG_UST_TRACEPOINT_ENUM(
	fields, with_sign,
	LTTNG_UST_TP_ENUM_VALUES(
		lttng_ust_field_enum_range("negative", -1000, -1)
		lttng_ust_field_enum_value("zero", 0)
		lttng_ust_field_enum_range("low", 0, 10)
		lttng_ust_field_enum_range("high", 10, 1000)
		lttng_ust_field_enum_value("ten", 10)
		lttng_ust_field_enum_value("ten again", 10)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(
	fields, enumerations,
	LTTNG_UST_TP_ARGS(long, value),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_enum(fields, plain, uint8_t, u8, value)
		lttng_ust_field_enum(fields, plain, unsigned int, u32, value)
		lttng_ust_field_enum(fields, plain, uint64_t, u64, value)
		lttng_ust_field_enum(fields, with_sign, int8_t, i8, value)
		lttng_ust_field_enum(fields, with_sign, int, i32, value)
		lttng_ust_field_enum(fields, with_sign, long long, i64, value)
		lttng_ust_field_enum_nowrite(fields, plain, int, filtered, value)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(
	fields, nothing,
	LTTNG_UST_TP_ARGS(),
	LTTNG_UST_TP_FIELDS()
)

LTTNG_UST_TRACEPOINT_EVENT_CLASS(
	fields, numbered,
	LTTNG_UST_TP_ARGS(int, number),
	LTTNG_UST_TP_FIELDS(lttng_ust_field_integer(int, number, number))
)

#define INSTANCE(_name, _level)						\
LTTNG_UST_TRACEPOINT_EVENT_INSTANCE(					\
	fields, numbered, fields, _name, LTTNG_UST_TP_ARGS(int, number))	\
LTTNG_UST_TRACEPOINT_LOGLEVEL(fields, _name, LTTNG_UST_TRACEPOINT_LOGLEVEL_##_level)

INSTANCE(emergency, EMERG)
INSTANCE(alert, ALERT)
INSTANCE(critical, CRIT)
INSTANCE(error, ERR)
INSTANCE(warning, WARNING)
INSTANCE(notice, NOTICE)
INSTANCE(info, INFO)
INSTANCE(debug_system, DEBUG_SYSTEM)
INSTANCE(debug_program, DEBUG_PROGRAM)
INSTANCE(debug_process, DEBUG_PROCESS)
INSTANCE(debug_module, DEBUG_MODULE)
INSTANCE(debug_unit, DEBUG_UNIT)
INSTANCE(debug_function, DEBUG_FUNCTION)
INSTANCE(debug_line, DEBUG_LINE)
INSTANCE(debug, DEBUG)

LTTNG_UST_TRACEPOINT_MODEL_EMF_URI(fields, info, "http://example.com/info")

#endif

#include <lttng/tracepoint-event.h>
