/*
 * Calls of liblttng-ctl that no tracer is needed for, and those that a session
 * daemon that may not trace the kernel refuses; prints what each answers.
 *
 * usage: sessions DIRECTORY
 */

#include <signal.h>
#include "calls.h"

static const char *directory;

static const char *below(const char *name)
{
	static char paths[4][4096];
	static unsigned int next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
	return path;
}

static void create(const char *what,
		struct lttng_session_descriptor *descriptor)
{
	const char *name = NULL;

	if (!descriptor) {
		printf("%s: no descriptor\n", what);
		return;
	}
	if (answer_code(what, lttng_create_session_ext(descriptor)) &&
			lttng_session_descriptor_get_session_name(descriptor,
				&name) == LTTNG_SESSION_DESCRIPTOR_STATUS_OK)
		printf("  called %s\n", name);
	lttng_session_descriptor_destroy(descriptor);
}

static void create_sessions(void)
{
	char url[4200];

	snprintf(url, sizeof(url), "file://%s", below("plain"));
	answer("lttng_create_session", lttng_create_session("plain", url));
	answer("lttng_create_session again",
		lttng_create_session("plain", url));
	answer("lttng_create_session to a relay daemon",
		lttng_create_session("relayed", "net://127.0.0.1:1:2/sub"));
	answer("lttng_create_session without an output",
		lttng_create_session("none", NULL));
	answer("lttng_create_session with a slash",
		lttng_create_session("a/b", url));
	answer("lttng_create_session with a bad URL",
		lttng_create_session("bad", "net://"));
	answer("lttng_create_session_snapshot",
		lttng_create_session_snapshot("snap", below("snap")));
	answer("lttng_create_session_live",
		lttng_create_session_live("live", "net://127.0.0.1", 500000));
	create("local", lttng_session_descriptor_local_create("local",
		below("local")));
	create("local again", lttng_session_descriptor_local_create("local",
		below("local")));
	create("network", lttng_session_descriptor_network_create("network",
		"net://127.0.0.1:3:4", NULL));
	create("network by two URLs", lttng_session_descriptor_network_create(
		"two", "tcp://127.0.0.1:5", "tcp://127.0.0.1:6"));
	create("without an output", lttng_session_descriptor_create("bare"));
	create("snapshot", lttng_session_descriptor_snapshot_create("snap2"));
	create("snapshot to a directory",
		lttng_session_descriptor_snapshot_local_create("snap3",
			below("snap3")));
	create("snapshot to a relay daemon",
		lttng_session_descriptor_snapshot_network_create("snap4",
			"net://127.0.0.1:7:8", NULL));
	create("live", lttng_session_descriptor_live_network_create("live2",
		"net://127.0.0.1:9:10", NULL, 1000000));
	create("named by the daemon",
		lttng_session_descriptor_local_create(NULL, below("auto")));
	list_sessions();
}

static void record_nothing(const char *name)
{
	struct lttng_rotation_handle *rotation = NULL;

	list_domains(name);
	answer("lttng_start_tracing", lttng_start_tracing(name));
	answer("lttng_stop_tracing", lttng_stop_tracing(name));
	answer("lttng_stop_tracing_no_wait", lttng_stop_tracing_no_wait(name));
	answer("lttng_data_pending", lttng_data_pending(name));
	answer("lttng_regenerate_metadata", lttng_regenerate_metadata(name));
	answer("lttng_regenerate_statedump", lttng_regenerate_statedump(name));
	answer("lttng_rotate_session",
		lttng_rotate_session(name, NULL, &rotation));
	clear_session(name);
	answer("lttng_set_session_shm_path",
		lttng_set_session_shm_path(name, below("shm")));
}

static void schedule_rotations(const char *name)
{
	struct lttng_rotation_schedule *period =
		lttng_rotation_schedule_periodic_create();
	struct lttng_rotation_schedule *size =
		lttng_rotation_schedule_size_threshold_create();
	struct lttng_rotation_schedules *schedules = NULL;
	unsigned int count = 0;
	uint64_t value;

	lttng_rotation_schedule_periodic_set_period(period, 10000000);
	lttng_rotation_schedule_size_threshold_set_threshold(size, 1 << 20);
	answer("remove a schedule that is not set",
		lttng_session_remove_rotation_schedule(name, period));
	answer("lttng_session_add_rotation_schedule, a period",
		lttng_session_add_rotation_schedule(name, period));
	answer("lttng_session_add_rotation_schedule again",
		lttng_session_add_rotation_schedule(name, period));
	answer("lttng_session_add_rotation_schedule, a size",
		lttng_session_add_rotation_schedule(name, size));
	answer("lttng_session_list_rotation_schedules",
		lttng_session_list_rotation_schedules(name, &schedules));
	lttng_rotation_schedules_get_count(schedules, &count);
	for (unsigned int i = 0; i < count; i++) {
		const struct lttng_rotation_schedule *one =
			lttng_rotation_schedules_get_at_index(schedules, i);
		if (lttng_rotation_schedule_periodic_get_period(one, &value) ==
				LTTNG_ROTATION_STATUS_OK)
			printf("  every %llu us\n", (unsigned long long) value);
		if (lttng_rotation_schedule_size_threshold_get_threshold(one,
				&value) == LTTNG_ROTATION_STATUS_OK)
			printf("  every %llu bytes\n",
				(unsigned long long) value);
	}
	lttng_rotation_schedules_destroy(schedules);
	answer("lttng_session_remove_rotation_schedule, a period",
		lttng_session_remove_rotation_schedule(name, period));
	answer("lttng_session_remove_rotation_schedule, a size",
		lttng_session_remove_rotation_schedule(name, size));
	lttng_rotation_schedule_destroy(period);
	lttng_rotation_schedule_destroy(size);
}

static void change_snapshot_outputs(const char *name)
{
	struct lttng_snapshot_output *output = lttng_snapshot_output_create();

	list_snapshot_outputs(name);
	lttng_snapshot_output_set_name("mine", output);
	lttng_snapshot_output_set_size(1 << 22, output);
	lttng_snapshot_output_set_local_path(below("mine"), output);
	answer("lttng_snapshot_add_output",
		lttng_snapshot_add_output(name, output));
	lttng_snapshot_output_set_id(1, output);
	answer("lttng_snapshot_del_output",
		lttng_snapshot_del_output(name, output));
	list_snapshot_outputs(name);
	answer("lttng_snapshot_record", lttng_snapshot_record(name, NULL, 0));
	lttng_snapshot_output_destroy(output);
}

static void set_urls(void)
{
	struct lttng_handle *handle =
		handle_of("none", LTTNG_DOMAIN_NONE);

	answer("lttng_set_consumer_url",
		lttng_set_consumer_url(handle, "net://127.0.0.1:11:12", NULL));
	lttng_destroy_handle(handle);
	handle = handle_of("plain", LTTNG_DOMAIN_NONE);
	answer("lttng_set_consumer_url of a directory",
		lttng_set_consumer_url(handle, "tcp://127.0.0.1:13",
			"tcp://127.0.0.1:14"));
	answer("lttng_set_consumer_url with a bad URL",
		lttng_set_consumer_url(handle, "nonsense://x", NULL));
	lttng_destroy_handle(handle);
}

static void refused_recording(struct lttng_handle *handle)
{
	struct lttng_channel *channel = lttng_channel_create(&handle->domain);
	struct lttng_event *event =
		event_of(LTTNG_EVENT_TRACEPOINT, "sched_switch");
	struct lttng_event_context context;
	char *excluded[] = { "sched_wakeup" };

	strcpy(channel->name, "ch");
	memset(&context, 0, sizeof(context));
	context.ctx = LTTNG_EVENT_CONTEXT_PROCNAME;
	answer("lttng_enable_channel", lttng_enable_channel(handle, channel));
	answer("lttng_disable_channel", lttng_disable_channel(handle, "ch"));
	answer("lttng_enable_event", lttng_enable_event(handle, event, "ch"));
	answer("lttng_enable_event_with_filter",
		lttng_enable_event_with_filter(handle, event, "ch",
			"next_prio < 100"));
	answer("lttng_enable_event_with_filter, a wrong filter",
		lttng_enable_event_with_filter(handle, event, "ch", "a =="));
	answer("lttng_enable_event_with_exclusions",
		lttng_enable_event_with_exclusions(handle, event, "ch", NULL,
			1, excluded));
	answer("lttng_disable_event",
		lttng_disable_event(handle, "sched_switch", "ch"));
	answer("lttng_disable_event_ext",
		lttng_disable_event_ext(handle, event, "ch", NULL));
	answer("lttng_add_context",
		lttng_add_context(handle, &context, event->name, "ch"));
	lttng_event_destroy(event);
	lttng_channel_destroy(channel);
}

static void refused_kernel(const char *session)
{
	struct lttng_handle *handle = handle_of(session, LTTNG_DOMAIN_KERNEL);
	struct lttng_event *events = NULL;
	struct lttng_event_field *fields = NULL;
	int32_t *pids = NULL;
	size_t count = 0;
	int enabled = 0;

	refused_recording(handle);
	list_channels(handle);
	list_events(handle, "ch");
	answer("lttng_list_tracepoints",
		lttng_list_tracepoints(handle, &events));
	answer("lttng_list_tracepoint_fields",
		lttng_list_tracepoint_fields(handle, &fields));
	answer("lttng_list_syscalls", lttng_list_syscalls(&events));
	answer("lttng_track_pid", lttng_track_pid(handle, 1));
	answer("lttng_untrack_pid", lttng_untrack_pid(handle, 1));
	answer("lttng_list_tracker_pids", lttng_list_tracker_pids(handle,
		&enabled, &pids, &count));
	lttng_destroy_handle(handle);
}

static void list_applications(void)
{
	struct lttng_handle *handle = handle_of(NULL, LTTNG_DOMAIN_UST);
	struct lttng_event *events = NULL;
	struct lttng_event_field *fields = NULL;

	answer("lttng_list_tracepoints of applications",
		lttng_list_tracepoints(handle, &events));
	answer("lttng_list_tracepoint_fields of applications",
		lttng_list_tracepoint_fields(handle, &fields));
	lttng_destroy_handle(handle);
}

static void ask_for_health(void)
{
	struct lttng_health *health = lttng_health_create_sessiond();

	answer("lttng_health_query", lttng_health_query(health));
	answer("lttng_health_state", lttng_health_state(health));
	answer("lttng_health_get_nr_threads",
		lttng_health_get_nr_threads(health));
	lttng_health_destroy(health);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: sessions DIRECTORY\n");
		return 2;
	}
	directory = argv[1];
	setvbuf(stdout, NULL, _IOLBF, 0);
	/* Stock daemons refuse some requests before they have read them. */
	signal(SIGPIPE, SIG_IGN);
	answer("lttng_session_daemon_alive", lttng_session_daemon_alive());
	list_sessions();
	create_sessions();
	record_nothing("plain");
	record_nothing("live");
	record_nothing("snap");
	record_nothing("missing");
	schedule_rotations("plain");
	schedule_rotations("live");
	change_snapshot_outputs("snap");
	change_snapshot_outputs("snap2");
	change_snapshot_outputs("plain");
	set_urls();
	refused_kernel("plain");
	list_applications();
	ask_for_health();
	save_sessions("plain", below("saved"), 0);
	save_sessions("plain", below("saved"), 0);
	save_sessions("plain", below("saved"), 1);
	save_sessions("missing", below("saved"), 1);
	load_session("plain", below("saved"), NULL);
	load_session("plain", below("saved"), "loaded");
	load_session("missing", below("saved"), NULL);
	destroy_session("loaded");
	destroy_session("plain");
	destroy_session("missing");
	answer("lttng_destroy_session", lttng_destroy_session("local"));
	answer("lttng_destroy_session_no_wait",
		lttng_destroy_session_no_wait("network"));
	list_sessions();
	return 0;
}
