/* What the programs that call liblttng-ctl print of each call. */

#ifndef CALLS_H
#define CALLS_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <lttng/lttng.h>

/* Bounds of waiting for what a session daemon does by itself. */
#define TRIES 300
#define PAUSE_US 100000

/* A call that gives 0 or more, or a negative code. */
static inline int answer(const char *call, int code)
{
	if (code < 0)
		printf("%s: %s\n", call, lttng_strerror(code));
	else
		printf("%s: %d\n", call, code);
	return code;
}

/* A call that gives LTTNG_OK, or a positive code. */
static inline bool answer_code(const char *call, enum lttng_error_code code)
{
	if (code == LTTNG_OK)
		printf("%s: ok\n", call);
	else
		printf("%s: %s\n", call, lttng_strerror(-code));
	return code == LTTNG_OK;
}

static inline struct lttng_handle *handle_of(const char *session,
		enum lttng_domain_type type)
{
	struct lttng_domain domain;

	memset(&domain, 0, sizeof(domain));
	domain.type = type;
	domain.buf_type = type == LTTNG_DOMAIN_KERNEL ?
		LTTNG_BUFFER_GLOBAL : LTTNG_BUFFER_PER_UID;
	return lttng_create_handle(session, &domain);
}

static inline struct lttng_event *event_of(enum lttng_event_type type,
		const char *name)
{
	struct lttng_event *event = lttng_event_create();

	event->type = type;
	strncpy(event->name, name, sizeof(event->name) - 1);
	event->loglevel_type = LTTNG_EVENT_LOGLEVEL_ALL;
	event->loglevel = -1;
	return event;
}

static inline void list_sessions(void)
{
	struct lttng_session *sessions = NULL;
	int count = answer("lttng_list_sessions", lttng_list_sessions(&sessions));

	for (int i = 0; i < count; i++) {
		uint64_t time = 0;
		enum lttng_error_code code = lttng_session_get_creation_time(
			&sessions[i], &time);
		printf("  %s %s %s%s, live timer %u, creation time %s\n",
			sessions[i].name, sessions[i].path,
			sessions[i].enabled ? "active" : "inactive",
			sessions[i].snapshot_mode ? " snapshot" : "",
			sessions[i].live_timer_interval,
			code == LTTNG_OK && time > 1000000000 ? "set" : "not set");
	}
	free(sessions);
}

static inline void list_domains(const char *session)
{
	struct lttng_domain *domains = NULL;
	int count = answer("lttng_list_domains",
		lttng_list_domains(session, &domains));

	for (int i = 0; i < count; i++)
		printf("  type %d, buffers %d\n", domains[i].type,
			domains[i].buf_type);
	free(domains);
}

static inline void list_channels(struct lttng_handle *handle)
{
	struct lttng_channel *channels = NULL;
	int count = answer("lttng_list_channels",
		lttng_list_channels(handle, &channels));

	for (int i = 0; i < count; i++) {
		const struct lttng_channel_attr *attr = &channels[i].attr;
		uint64_t discarded = 1, lost = 1, monitor = 0;
		int64_t blocking = -2;

		lttng_channel_get_discarded_event_count(&channels[i], &discarded);
		lttng_channel_get_lost_packet_count(&channels[i], &lost);
		lttng_channel_get_monitor_timer_interval(&channels[i], &monitor);
		lttng_channel_get_blocking_timeout(&channels[i], &blocking);
		printf("  %s %s, overwrite %d, %llu x %llu bytes, timers %u %u "
			"%llu, output %d, files %llu x %llu, blocking %lld, "
			"discarded %llu, lost %llu\n", channels[i].name,
			channels[i].enabled ? "enabled" : "disabled",
			attr->overwrite, (unsigned long long) attr->num_subbuf,
			(unsigned long long) attr->subbuf_size,
			attr->switch_timer_interval, attr->read_timer_interval,
			(unsigned long long) monitor, attr->output,
			(unsigned long long) attr->tracefile_count,
			(unsigned long long) attr->tracefile_size,
			(long long) blocking, (unsigned long long) discarded,
			(unsigned long long) lost);
	}
	free(channels);
}

static inline void list_events(struct lttng_handle *handle,
		const char *channel)
{
	struct lttng_event *events = NULL;
	int count = answer("lttng_list_events",
		lttng_list_events(handle, channel, &events));

	for (int i = 0; i < count; i++) {
		const char *filter = NULL;

		lttng_event_get_filter_expression(&events[i], &filter);
		printf("  %s type %d, %s, filter %s, %d exclusions\n",
			events[i].name, events[i].type,
			events[i].enabled ? "enabled" : "disabled",
			filter ? filter : "none",
			lttng_event_get_exclusion_name_count(&events[i]));
	}
	free(events);
}

static inline void print_location(
		const struct lttng_trace_archive_location *location)
{
	const char *text = NULL, *host = NULL;
	uint16_t control = 0, data = 0;

	switch (lttng_trace_archive_location_get_type(location)) {
	case LTTNG_TRACE_ARCHIVE_LOCATION_TYPE_LOCAL:
		lttng_trace_archive_location_local_get_absolute_path(location,
			&text);
		printf("  archive %s\n", text);
		break;
	case LTTNG_TRACE_ARCHIVE_LOCATION_TYPE_RELAY:
		lttng_trace_archive_location_relay_get_host(location, &host);
		lttng_trace_archive_location_relay_get_relative_path(location,
			&text);
		lttng_trace_archive_location_relay_get_control_port(location,
			&control);
		lttng_trace_archive_location_relay_get_data_port(location,
			&data);
		printf("  archive %s on %s, ports %u %u\n", text, host, control,
			data);
		break;
	default:
		printf("  archive nowhere\n");
	}
}

static inline void destroy_session(const char *name)
{
	struct lttng_destruction_handle *handle = NULL;
	enum lttng_error_code result = LTTNG_ERR_UNK;
	enum lttng_rotation_state state = LTTNG_ROTATION_STATE_ERROR;
	const struct lttng_trace_archive_location *location = NULL;

	if (!answer_code("lttng_destroy_session_ext",
			lttng_destroy_session_ext(name, &handle)))
		return;
	answer("lttng_destruction_handle_wait_for_completion",
		lttng_destruction_handle_wait_for_completion(handle,
			TRIES * PAUSE_US / 1000));
	lttng_destruction_handle_get_result(handle, &result);
	answer_code("lttng_destruction_handle_get_result", result);
	lttng_destruction_handle_get_rotation_state(handle, &state);
	printf("  rotation state %d\n", state);
	if (lttng_destruction_handle_get_archive_location(handle, &location) ==
			LTTNG_DESTRUCTION_HANDLE_STATUS_OK && location)
		print_location(location);
	lttng_destruction_handle_destroy(handle);
}

static inline void clear_session(const char *name)
{
	struct lttng_clear_handle *handle = NULL;
	enum lttng_error_code result = LTTNG_ERR_UNK;

	if (!answer_code("lttng_clear_session",
			lttng_clear_session(name, &handle)))
		return;
	answer("lttng_clear_handle_wait_for_completion",
		lttng_clear_handle_wait_for_completion(handle,
			TRIES * PAUSE_US / 1000));
	lttng_clear_handle_get_result(handle, &result);
	answer_code("lttng_clear_handle_get_result", result);
	lttng_clear_handle_destroy(handle);
}

static inline void list_snapshot_outputs(const char *session)
{
	struct lttng_snapshot_output_list *list = NULL;
	struct lttng_snapshot_output *output;

	if (answer("lttng_snapshot_list_output",
			lttng_snapshot_list_output(session, &list)) < 0)
		return;
	while ((output = lttng_snapshot_output_list_get_next(list)))
		printf("  %u %s %s, at most %llu bytes\n",
			lttng_snapshot_output_get_id(output),
			lttng_snapshot_output_get_name(output),
			lttng_snapshot_output_get_ctrl_url(output),
			(unsigned long long)
				lttng_snapshot_output_get_maxsize(output));
	lttng_snapshot_output_list_destroy(list);
}

static inline void save_sessions(const char *session, const char *directory,
		int overwrite)
{
	struct lttng_save_session_attr *attr = lttng_save_session_attr_create();

	lttng_save_session_attr_set_session_name(attr, session);
	lttng_save_session_attr_set_output_url(attr, directory);
	lttng_save_session_attr_set_overwrite(attr, overwrite);
	answer("lttng_save_session", lttng_save_session(attr));
	lttng_save_session_attr_destroy(attr);
}

static inline void load_session(const char *session, const char *directory,
		const char *name)
{
	struct lttng_load_session_attr *attr = lttng_load_session_attr_create();

	lttng_load_session_attr_set_session_name(attr, session);
	lttng_load_session_attr_set_input_url(attr, directory);
	if (name)
		lttng_load_session_attr_set_override_session_name(attr, name);
	answer("lttng_load_session", lttng_load_session(attr));
	lttng_load_session_attr_destroy(attr);
}

#endif
