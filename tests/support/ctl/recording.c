/*
 * Records the kernel through liblttng-ctl, with most of its calls; prints what
 * each answers. After "recording" it waits for a line.
 *
 * usage: recording DIRECTORY URL TRACEPOINT FIELD FILTER
 */

#include "calls.h"

#define CHANNEL "events"
#define SESSION "recorded"

static const char *tracepoint, *field, *filter;

static const char *found(bool is_found)
{
	return is_found ? "found" : "not found";
}

static void list_kernel(struct lttng_handle *handle)
{
	struct lttng_event *events = NULL;
	struct lttng_event_field *fields = NULL;
	bool is_found = false;
	int count = lttng_list_tracepoints(handle, &events);

	for (int i = 0; i < count; i++)
		is_found |= strcmp(events[i].name, tracepoint) == 0 &&
			events[i].type == LTTNG_EVENT_TRACEPOINT;
	printf("lttng_list_tracepoints: %s\n", found(is_found));
	free(events);

	is_found = false;
	count = lttng_list_tracepoint_fields(handle, &fields);
	for (int i = 0; i < count; i++)
		is_found |= strcmp(fields[i].event.name, tracepoint) == 0 &&
			strcmp(fields[i].field_name, field) == 0 &&
			fields[i].type == LTTNG_EVENT_FIELD_INTEGER;
	printf("lttng_list_tracepoint_fields: %s\n", found(is_found));
	free(fields);

	is_found = false;
	count = lttng_list_syscalls(&events);
	for (int i = 0; i < count; i++)
		is_found |= strcmp(events[i].name, "openat") == 0 &&
			events[i].type == LTTNG_EVENT_SYSCALL &&
			events[i].flags & LTTNG_EVENT_FLAG_SYSCALL_64;
	printf("lttng_list_syscalls: %s\n", found(is_found));
	free(events);
}

static void enable_channels(struct lttng_handle *handle)
{
	struct lttng_channel *channel = lttng_channel_create(&handle->domain);

	strcpy(channel->name, CHANNEL);
	channel->attr.overwrite = 0;
	channel->attr.subbuf_size = 1 << 18;
	channel->attr.num_subbuf = 8;
	channel->attr.switch_timer_interval = 50000;
	channel->attr.read_timer_interval = 20000;
	channel->attr.output = LTTNG_EVENT_SPLICE;
	lttng_channel_set_monitor_timer_interval(channel, 500000);
	answer("lttng_enable_channel", lttng_enable_channel(handle, channel));
	answer("lttng_enable_channel again",
		lttng_enable_channel(handle, channel));
	strcpy(channel->name, "odd");
	channel->attr.subbuf_size = 5000;
	answer("lttng_enable_channel of an odd size",
		lttng_enable_channel(handle, channel));
	strcpy(channel->name, "a/b");
	channel->attr.subbuf_size = 4096;
	answer("lttng_enable_channel with a slash",
		lttng_enable_channel(handle, channel));
	answer("lttng_disable_channel",
		lttng_disable_channel(handle, CHANNEL));
	answer("lttng_disable_channel of none",
		lttng_disable_channel(handle, "none"));
	list_channels(handle);
	strcpy(channel->name, CHANNEL);
	answer("lttng_enable_channel once more",
		lttng_enable_channel(handle, channel));
	lttng_channel_destroy(channel);
}

static void enable_events(struct lttng_handle *handle)
{
	struct lttng_event *event = event_of(LTTNG_EVENT_TRACEPOINT, tracepoint);
	struct lttng_event *call = event_of(LTTNG_EVENT_SYSCALL, "openat");
	struct lttng_event *none =
		event_of(LTTNG_EVENT_TRACEPOINT, "no_such_event");
	char *excluded[] = { "x" };

	answer("lttng_enable_event without a channel",
		lttng_enable_event(handle, event, NULL));
	answer("lttng_enable_event_with_filter",
		lttng_enable_event_with_filter(handle, event, CHANNEL, filter));
	answer("lttng_enable_event_with_filter again",
		lttng_enable_event_with_filter(handle, event, CHANNEL, filter));
	answer("lttng_enable_event_with_filter, a wrong filter",
		lttng_enable_event_with_filter(handle, event, CHANNEL, "a =="));
	answer("lttng_enable_event of a system call",
		lttng_enable_event(handle, call, CHANNEL));
	answer("lttng_enable_event of none",
		lttng_enable_event(handle, none, CHANNEL));
	answer("lttng_enable_event_with_exclusions",
		lttng_enable_event_with_exclusions(handle, call, CHANNEL, NULL,
			1, excluded));
	list_events(handle, CHANNEL);
	list_events(handle, "none");
	answer("lttng_disable_event",
		lttng_disable_event(handle, "openat", CHANNEL));
	answer("lttng_disable_event of none",
		lttng_disable_event(handle, "none", CHANNEL));
	answer("lttng_disable_event_ext",
		lttng_disable_event_ext(handle, event, CHANNEL, NULL));
	list_events(handle, CHANNEL);
	answer("lttng_enable_event_with_filter once more",
		lttng_enable_event_with_filter(handle, event, CHANNEL, filter));
	lttng_event_destroy(event);
	lttng_event_destroy(call);
	lttng_event_destroy(none);
}

static void add_contexts(struct lttng_handle *handle)
{
	struct lttng_event_context context;

	memset(&context, 0, sizeof(context));
	context.ctx = LTTNG_EVENT_CONTEXT_PROCNAME;
	answer("lttng_add_context, procname",
		lttng_add_context(handle, &context, NULL, CHANNEL));
	context.ctx = LTTNG_EVENT_CONTEXT_TID;
	answer("lttng_add_context, tid",
		lttng_add_context(handle, &context, NULL, NULL));
	context.ctx = LTTNG_EVENT_CONTEXT_PTHREAD_ID;
	answer("lttng_add_context, pthread_id",
		lttng_add_context(handle, &context, NULL, CHANNEL));
	context.ctx = LTTNG_EVENT_CONTEXT_PID;
	answer("lttng_add_context of no channel",
		lttng_add_context(handle, &context, NULL, "none"));
}

static void list_tracked(struct lttng_process_attr_tracker_handle *tracker)
{
	const struct lttng_process_attr_values *values = NULL;
	unsigned int count = 0;
	pid_t pid;

	answer("lttng_process_attr_tracker_handle_get_inclusion_set",
		lttng_process_attr_tracker_handle_get_inclusion_set(tracker,
			&values));
	if (values)
		lttng_process_attr_values_get_count(values, &count);
	for (unsigned int i = 0; i < count; i++) {
		lttng_process_attr_values_get_pid_at_index(values, i, &pid);
		printf("  pid %d\n", pid);
	}
}

static void track_processes(struct lttng_handle *handle)
{
	struct lttng_process_attr_tracker_handle *tracker = NULL;
	enum lttng_tracking_policy policy = 99;
	int32_t *pids = NULL;
	size_t count = 99;
	int enabled = 99;

	answer("lttng_track_pid", lttng_track_pid(handle, 1));
	answer("lttng_track_pid again", lttng_track_pid(handle, 1));
	answer("lttng_list_tracker_pids", lttng_list_tracker_pids(handle,
		&enabled, &pids, &count));
	printf("  enabled %d, %zu pids\n", enabled, count);
	free(pids);
	answer("lttng_untrack_pid", lttng_untrack_pid(handle, 1));
	answer("lttng_untrack_pid again", lttng_untrack_pid(handle, 1));
	if (!answer_code("lttng_session_get_tracker_handle",
			lttng_session_get_tracker_handle(SESSION,
				LTTNG_DOMAIN_KERNEL,
				LTTNG_PROCESS_ATTR_PROCESS_ID, &tracker)))
		return;
	answer("set_tracking_policy to a set",
		lttng_process_attr_tracker_handle_set_tracking_policy(tracker,
			LTTNG_TRACKING_POLICY_INCLUDE_SET));
	answer("add_pid", lttng_process_attr_process_id_tracker_handle_add_pid(
		tracker, 1));
	answer("add_pid again",
		lttng_process_attr_process_id_tracker_handle_add_pid(tracker,
			1));
	list_tracked(tracker);
	answer("remove_pid",
		lttng_process_attr_process_id_tracker_handle_remove_pid(
			tracker, 1));
	answer("remove_pid again",
		lttng_process_attr_process_id_tracker_handle_remove_pid(
			tracker, 1));
	answer("set_tracking_policy to all",
		lttng_process_attr_tracker_handle_set_tracking_policy(tracker,
			LTTNG_TRACKING_POLICY_INCLUDE_ALL));
	answer("get_tracking_policy",
		lttng_process_attr_tracker_handle_get_tracking_policy(tracker,
			&policy));
	printf("  policy %d\n", policy);
	lttng_process_attr_tracker_handle_destroy(tracker);
}

static void rotate(void)
{
	struct lttng_rotation_handle *rotation = NULL;
	enum lttng_rotation_state state = LTTNG_ROTATION_STATE_ONGOING;
	const struct lttng_trace_archive_location *location = NULL;

	if (answer("lttng_rotate_session",
			lttng_rotate_session(SESSION, NULL, &rotation)) < 0)
		return;
	for (int i = 0; i < TRIES && state == LTTNG_ROTATION_STATE_ONGOING; i++) {
		if (lttng_rotation_handle_get_state(rotation, &state) !=
				LTTNG_ROTATION_STATUS_OK)
			break;
		usleep(PAUSE_US);
	}
	printf("  rotation state %d\n", state);
	if (lttng_rotation_handle_get_archive_location(rotation, &location) ==
			LTTNG_ROTATION_STATUS_OK && location)
		print_location(location);
	lttng_rotation_handle_destroy(rotation);
}

static void record(struct lttng_handle *handle)
{
	int pending = 1;

	answer("lttng_start_tracing", lttng_start_tracing(SESSION));
	answer("lttng_start_tracing again", lttng_start_tracing(SESSION));
	answer("lttng_set_consumer_url", lttng_set_consumer_url(handle,
		"net://127.0.0.1", NULL));
	answer("lttng_regenerate_statedump",
		lttng_regenerate_statedump(SESSION));
	clear_session(SESSION);
	printf("recording\n");
	getchar();
	rotate();
	answer("lttng_stop_tracing_no_wait",
		lttng_stop_tracing_no_wait(SESSION));
	for (int i = 0; i < TRIES && pending == 1; i++) {
		pending = lttng_data_pending(SESSION);
		usleep(PAUSE_US);
	}
	answer("lttng_data_pending in the end", pending);
	answer("lttng_stop_tracing", lttng_stop_tracing(SESSION));
	list_channels(handle);
}

static void record_snapshot(const char *directory)
{
	struct lttng_handle *handle;
	struct lttng_event *event = event_of(LTTNG_EVENT_TRACEPOINT, tracepoint);

	answer("lttng_create_session_snapshot",
		lttng_create_session_snapshot("snap", directory));
	handle = handle_of("snap", LTTNG_DOMAIN_KERNEL);
	answer("lttng_enable_event", lttng_enable_event(handle, event, NULL));
	list_channels(handle);
	answer("lttng_start_tracing", lttng_start_tracing("snap"));
	answer("lttng_snapshot_record", lttng_snapshot_record("snap", NULL, 1));
	list_snapshot_outputs("snap");
	answer("lttng_stop_tracing", lttng_stop_tracing("snap"));
	destroy_session("snap");
	lttng_event_destroy(event);
	lttng_destroy_handle(handle);
}

int main(int argc, char **argv)
{
	struct lttng_handle *handle;
	char path[4096];

	if (argc != 6) {
		fprintf(stderr, "usage: recording DIRECTORY URL TRACEPOINT "
			"FIELD FILTER\n");
		return 2;
	}
	tracepoint = argv[3];
	field = argv[4];
	filter = argv[5];
	setvbuf(stdout, NULL, _IOLBF, 0);
	answer("lttng_session_daemon_alive", lttng_session_daemon_alive());
	answer("lttng_create_session", lttng_create_session(SESSION, argv[2]));
	handle = handle_of(SESSION, LTTNG_DOMAIN_KERNEL);
	list_kernel(handle);
	enable_channels(handle);
	list_domains(SESSION);
	enable_events(handle);
	add_contexts(handle);
	track_processes(handle);
	record(handle);
	snprintf(path, sizeof(path), "%s/saved", argv[1]);
	save_sessions(SESSION, path, 0);
	destroy_session(SESSION);
	load_session(SESSION, path, "loaded");
	lttng_destroy_handle(handle);
	handle = handle_of("loaded", LTTNG_DOMAIN_KERNEL);
	list_sessions();
	list_channels(handle);
	list_events(handle, CHANNEL);
	lttng_destroy_handle(handle);
	destroy_session("loaded");
	snprintf(path, sizeof(path), "%s/snap", argv[1]);
	record_snapshot(path);
	list_sessions();
	return 0;
}
