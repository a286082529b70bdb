/*
 * Loads a relay daemon as a consumer of minor 13 does: sessions, streams, CTF
 * packets on the data connection, one SEND_INDEX per packet on the control
 * connection. Prints two lines of JSON, once the sessions are set up and once all
 * packets are stored, and waits for a line on standard input after each.
 *
 * One thread, one epoll; sockets stay blocking and the hot path asks for
 * MSG_DONTWAIT, so that set-up and draining can be written straight down.
 */
#define _GNU_SOURCE
#include <endian.h>
#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum {
	ADD_STREAM = 1, CREATE_SESSION = 2, VERSION = 5, SEND_METADATA = 6,
	CLOSE_STREAM = 7, DATA_PENDING = 8, QUIESCENT_CONTROL = 9,
	BEGIN_DATA_PENDING = 10, END_DATA_PENDING = 11, SEND_INDEX = 13,
	STREAMS_SENT = 16, CREATE_TRACE_CHUNK = 19, CLOSE_TRACE_CHUNK = 20,
	GET_CONFIGURATION = 22,
	OK = 10,
	COMMAND_HEADER = 24, DATA_HEADER = 32, INDEX_COMMAND = COMMAND_HEADER + 80,
	/* Packet header and context, then eight small events and the head of a
	 * large one: everything that differs from packet to packet. */
	CONTEXT = 76, SMALL_EVENT = 20, SMALL_EVENTS = 8,
	PACKET_HEAD = CONTEXT + (SMALL_EVENTS + 1) * SMALL_EVENT,
	EVENTS_PER_PACKET = SMALL_EVENTS + 1,
	/* Bytes of one session before replies and other sessions have a turn: a
	 * relay that reads fast would keep this one busy for ever. */
	TURN = 1 << 18,
	MAX_WINDOW = 4096, MAX_SAMPLES = 1 << 22, PATIENCE_SECONDS = 30,
};

static struct {
	const char *control, *data, *congestion, *name;
	uint64_t sessions, streams, packet, bytes, window, padding;
	uint64_t tracefile_size, tracefile_count;
} options = { .congestion = "cubic", .name = "load", .sessions = 1, .streams = 4,
	      .packet = 1 << 20, .window = 1 };

struct session {
	int control, data;
	uint64_t id, metadata_id, *stream_ids, *next_sequence;
	uint64_t packets_left, next_stream;
	unsigned char head[DATA_HEADER + PACKET_HEAD];
	uint64_t sent;                 /* bytes of the current packet sent */
	int sending;                   /* a packet is partly sent */
	int waiting;                   /* in the queue of sessions to pump */
	unsigned char command[INDEX_COMMAND];
	size_t command_left;           /* bytes of the last SEND_INDEX unsent */
	uint64_t sent_at[MAX_WINDOW];  /* ring of SEND_INDEX times, ns */
	uint64_t asked, answered;
	unsigned char reply[4];
	size_t reply_length;
};

static unsigned char trace_uuid[16];
static unsigned char *body;            /* rest of every packet: text, NUL */
static uint64_t *samples, sample_count;
static uint64_t clock_base;
static char congestion_used[32] = "unknown";

static void fail(const char *format, ...)
{
	va_list arguments;
	fputs("load: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(1);
}

static uint64_t now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ull + time.tv_nsec;
}

/* Big-endian writers that return the byte after what they wrote. */
static unsigned char *put64(unsigned char *at, uint64_t value)
{
	value = htobe64(value);
	return (unsigned char *) memcpy(at, &value, 8) + 8;
}

static unsigned char *put32(unsigned char *at, uint32_t value)
{
	value = htobe32(value);
	return (unsigned char *) memcpy(at, &value, 4) + 4;
}

/* The traces themselves are little-endian. */
static void store64(unsigned char *at, uint64_t value)
{
	value = htole64(value);
	memcpy(at, &value, 8);
}

static void store32(unsigned char *at, uint32_t value)
{
	value = htole32(value);
	memcpy(at, &value, 4);
}

static uint32_t get32(const unsigned char *at)
{
	uint32_t value;
	memcpy(&value, at, 4);
	return be32toh(value);
}

static uint64_t get64(const unsigned char *at)
{
	return (uint64_t) get32(at) << 32 | get32(at + 4);
}

static int open_connection(const char *address)
{
	char host[256];
	const char *colon = strrchr(address, ':');
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found;
	struct timeval patience = { .tv_sec = PATIENCE_SECONDS };
	socklen_t length = sizeof(congestion_used) - 1;
	int one = 1, fd;

	if (!colon || colon - address >= (long) sizeof(host))
		fail("Expected HOST:PORT: got %s", address);
	snprintf(host, sizeof(host), "%.*s", (int) (colon - address), address);
	if (getaddrinfo(host, colon + 1, &hints, &found))
		fail("Cannot resolve %s", address);
	fd = socket(found->ai_family, SOCK_STREAM, 0);
	if (fd < 0)
		fail("Cannot open a socket: %s", strerror(errno));
	/* Fixed so that two machines compare; what is not there is reported. */
	(void) setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, options.congestion,
			  strlen(options.congestion));
	(void) getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, congestion_used, &length);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, found->ai_addr, found->ai_addrlen))
		fail("Cannot connect to %s: %s", address, strerror(errno));
	freeaddrinfo(found);
	return fd;
}

static void receive(int fd, void *into, size_t length, const char *what)
{
	ssize_t got = recv(fd, into, length, MSG_WAITALL);
	if (got != (ssize_t) length)
		fail("No reply to %s: %s", what,
		     got < 0 ? strerror(errno) : "the relay closed the connection");
}

static void send_command(int fd, uint32_t command, const void *payload,
			 size_t length)
{
	unsigned char message[COMMAND_HEADER + 8192];
	put32(put32(put64(put64(message, 0), length), command), 0);
	memcpy(message + COMMAND_HEADER, payload, length);
	length += COMMAND_HEADER;
	if (send(fd, message, length, MSG_NOSIGNAL) != (ssize_t) length)
		fail("Cannot send command %u: %s", command, strerror(errno));
}

/* Sends a command that a generic reply answers, and returns the code. */
static uint32_t ask(int fd, uint32_t command, const void *payload,
		    size_t length, const char *what)
{
	unsigned char reply[4];
	send_command(fd, command, payload, length);
	receive(fd, reply, sizeof(reply), what);
	return get32(reply);
}

static void demand(int fd, uint32_t command, const void *payload,
		   size_t length, const char *what)
{
	uint32_t code = ask(fd, command, payload, length, what);
	if (code != OK)
		fail("%s was refused: code %u", what, code);
}

static uint64_t add_stream(int fd, const char *channel, uint64_t tracefile_size,
			   uint64_t tracefile_count)
{
	static const char path[] = "ust/uid/0/64-bit";
	unsigned char message[512], reply[12], *at = message;
	size_t length = strlen(channel) + 1;

	at = put32(put32(at, length), sizeof(path));
	at = put64(put64(put64(at, tracefile_size), tracefile_count), 0);
	memcpy(at, channel, length);
	memcpy(at + length, path, sizeof(path));
	send_command(fd, ADD_STREAM, message, at + length + sizeof(path) - message);
	receive(fd, reply, sizeof(reply), "ADD_STREAM");
	if (get32(reply + 8) != OK)
		fail("ADD_STREAM was refused: code %u", get32(reply + 8));
	return get64(reply);
}

static void create_session(struct session *session, const char *name,
			   uint64_t number)
{
	unsigned char message[512], reply[16], path[4096], *at = message;
	size_t length = strlen(name) + 1;

	at = put32(put32(put32(at, length), 6), 1);
	at = put32(at, 0);
	*at++ = 0;
	*at++ = 0;
	memcpy(at, trace_uuid, 16);
	at = put64(put64(at + 16, number), time(NULL));
	*at++ = 0;
	at = put64(at, 0);
	memcpy(at, name, length);
	memcpy(at + length, "bench\0", 7);
	send_command(session->control, CREATE_SESSION, message,
		     at + length + 7 - message);
	receive(session->control, reply, sizeof(reply), "CREATE_SESSION");
	if (get32(reply + 8) != OK || get32(reply + 12) > sizeof(path))
		fail("CREATE_SESSION was refused: code %u", get32(reply + 8));
	receive(session->control, path, get32(reply + 12), "CREATE_SESSION");
	session->id = get64(reply);
}

static void send_metadata(struct session *session)
{
	static const char text[] =
		"/* CTF 1.8 */\n"
		"typealias integer { size = 8; align = 8; signed = false; } := u8;\n"
		"typealias integer { size = 32; align = 8; signed = false; } := u32;\n"
		"typealias integer { size = 64; align = 8; signed = false; } := u64;\n"
		"trace { major = 1; minor = 8; uuid = \"%s\"; byte_order = le;\n"
		"  packet.header := struct { u32 magic; u8 uuid[16]; u32 stream_id; }; };\n"
		"clock { name = monotonic; freq = 1000000000; };\n"
		"typealias integer { size = 64; align = 8; signed = false;\n"
		"  map = clock.monotonic.value; } := stamp;\n"
		"stream { id = 0;\n"
		"  packet.context := struct { stamp timestamp_begin; stamp timestamp_end;\n"
		"    u64 content_size; u64 packet_size; u64 packet_seq_num;\n"
		"    u64 events_discarded; u32 cpu_id; };\n"
		"  event.header := struct { u32 id; stamp timestamp; }; };\n"
		"event { name = \"tick\"; id = 0; stream_id = 0;\n"
		"  fields := struct { u64 number; }; };\n"
		"event { name = \"block\"; id = 1; stream_id = 0;\n"
		"  fields := struct { u64 number; string text; }; };\n";
	unsigned char message[4096];
	char uuid[37], *at = uuid;
	int length;

	for (int i = 0; i < 16; i++)
		at += sprintf(at, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ?
			      "-" : "", trace_uuid[i]);
	put32(put64(message, session->metadata_id), 0);
	length = snprintf((char *) message + 12, sizeof(message) - 12, text, uuid);
	send_command(session->control, SEND_METADATA, message, 12 + length);
}

static void open_session(struct session *session, const char *name,
			 uint64_t number)
{
	unsigned char message[20], version[8], configuration[12];
	char channel[32];

	session->control = open_connection(options.control);
	put32(put32(message, 2), 13);
	send_command(session->control, VERSION, message, 8);
	receive(session->control, version, sizeof(version), "VERSION");
	put64(message, 0);
	send_command(session->control, GET_CONFIGURATION, message, 8);
	receive(session->control, configuration, sizeof(configuration),
		"GET_CONFIGURATION");
	create_session(session, name, number);
	session->data = open_connection(options.data);
	put32(put64(put64(message, 0), time(NULL)), 0);
	demand(session->control, CREATE_TRACE_CHUNK, message, 20,
	       "CREATE_TRACE_CHUNK");
	session->stream_ids = calloc(options.streams, sizeof(uint64_t));
	session->next_sequence = calloc(options.streams, sizeof(uint64_t));
	for (uint64_t i = 0; i < options.streams; i++) {
		snprintf(channel, sizeof(channel), "ch0_%u", (unsigned) i);
		session->stream_ids[i] = add_stream(session->control, channel,
			options.tracefile_size, options.tracefile_count);
	}
	session->metadata_id = add_stream(session->control, "metadata", 0, 0);
	demand(session->control, STREAMS_SENT, "", 0, "STREAMS_SENT");
	send_metadata(session);
}

/* Fills in what is particular to the session's next packet. */
static void start_packet(struct session *session)
{
	uint64_t stream = session->next_stream;
	uint64_t sequence = session->next_sequence[stream];
	uint64_t begin = clock_base + sequence * 1000;
	unsigned char *packet = session->head + DATA_HEADER;

	put32(put32(put64(put64(put64(session->head, 0),
		session->stream_ids[stream]), sequence), options.packet),
		options.padding);
	store32(packet, 0xc1fc1fc1);
	memcpy(packet + 4, trace_uuid, 16);
	store32(packet + 20, 0);
	store64(packet + 24, begin);
	store64(packet + 32, begin + 999);
	store64(packet + 40, options.packet * 8);
	store64(packet + 48, (options.packet + options.padding) * 8);
	store64(packet + 56, sequence);
	store64(packet + 64, 0);
	store32(packet + 72, stream);
	for (int i = 0; i < EVENTS_PER_PACKET; i++) {
		unsigned char *event = packet + CONTEXT + i * SMALL_EVENT;
		store32(event, i == SMALL_EVENTS);
		store64(event + 4, begin + i);
		store64(event + 12, sequence * EVENTS_PER_PACKET + i);
	}
	session->sent = 0;
	session->sending = 1;
}

static void finish_packet(struct session *session)
{
	uint64_t stream = session->next_stream;
	uint64_t sequence = session->next_sequence[stream]++;
	uint64_t begin = clock_base + sequence * 1000;
	unsigned char *at = session->command;

	at = put32(put32(put64(put64(at, 0), 80), SEND_INDEX), 0);
	at = put64(put64(at, session->stream_ids[stream]), sequence);
	at = put64(put64(at, (options.packet + options.padding) * 8),
		   options.packet * 8);
	at = put64(put64(at, begin), begin + 999);
	at = put64(put64(at, 0), 0);
	put64(put64(at, stream), sequence);
	session->command_left = INDEX_COMMAND;
	session->sent_at[session->asked++ % options.window] = now();
	session->next_stream = (stream + 1) % options.streams;
	session->packets_left--;
	session->sending = 0;
}

/*
 * Sends what the sockets and the window take; returns 1 when it stopped after
 * its turn with more to send.
 */
static int pump(struct session *session)
{
	uint64_t budget = TURN;
	uint64_t head = sizeof(session->head);
	uint64_t whole = DATA_HEADER + options.packet;

	for (;;) {
		if (session->command_left) {
			ssize_t n = send(session->control, session->command +
				INDEX_COMMAND - session->command_left,
				session->command_left, MSG_DONTWAIT | MSG_NOSIGNAL);
			if (n < 0 && errno == EAGAIN)
				return 0;
			if (n < 0)
				fail("Cannot send an index: %s", strerror(errno));
			session->command_left -= n;
			continue;
		}
		if (!budget)
			return 1;
		if (!session->sending) {
			if (!session->packets_left ||
			    session->asked - session->answered >= options.window)
				return 0;
			start_packet(session);
		}
		struct iovec parts[2], *first = parts;
		size_t count = 2;
		if (session->sent < head) {
			parts[0].iov_base = session->head + session->sent;
			parts[0].iov_len = head - session->sent;
			parts[1].iov_base = body;
			parts[1].iov_len = whole - head;
		} else {
			parts[0].iov_base = body + (session->sent - head);
			parts[0].iov_len = whole - session->sent;
			count = 1;
		}
		struct msghdr message = { .msg_iov = first, .msg_iovlen = count };
		ssize_t n = sendmsg(session->data, &message,
				    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0)
			fail("Cannot send a packet: %s", strerror(errno));
		session->sent += n;
		budget -= budget < (uint64_t) n ? budget : (uint64_t) n;
		if (session->sent == whole)
			finish_packet(session);
	}
}

static void take_replies(struct session *session)
{
	unsigned char buffer[4 * 1024];
	ssize_t n;

	do {
		n = recv(session->control, buffer, sizeof(buffer), MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0)
			fail("The relay closed a control connection: %s",
			     n ? strerror(errno) : "end of stream");
		uint64_t at = now();
		for (ssize_t i = 0; i < n; i++) {
			session->reply[session->reply_length++] = buffer[i];
			if (session->reply_length < 4)
				continue;
			session->reply_length = 0;
			if (get32(session->reply) != OK ||
			    session->answered == session->asked)
				fail("SEND_INDEX was answered with code %u",
				     get32(session->reply));
			if (sample_count < MAX_SAMPLES)
				samples[sample_count++] = at - session->
					sent_at[session->answered % options.window];
			session->answered++;
		}
	} while (n == sizeof(buffer));
}

static void run(struct session *sessions, uint64_t packets)
{
	struct epoll_event events[256];
	/* Sessions that may be able to send: a ring, each of them once. */
	uint32_t *queue = calloc(options.sessions, sizeof(*queue));
	uint64_t answered = 0, first = 0, last = 0;
	int poll = epoll_create1(0);

	for (uint64_t i = 0; i < options.sessions; i++) {
		struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET,
					     .data.u64 = i };
		epoll_ctl(poll, EPOLL_CTL_ADD, sessions[i].control, &event);
		event.events = EPOLLOUT | EPOLLET;
		epoll_ctl(poll, EPOLL_CTL_ADD, sessions[i].data, &event);
	}
	while (answered < packets) {
		int ready = epoll_wait(poll, events, 256, first == last ?
				       PATIENCE_SECONDS * 1000 : 0);
		if (ready < 0 || (!ready && first == last))
			fail("No progress for %d seconds: %llu of %llu indexes answered",
			     PATIENCE_SECONDS, (unsigned long long) answered,
			     (unsigned long long) packets);
		for (int i = 0; i < ready; i++) {
			struct session *session = &sessions[events[i].data.u64];
			uint64_t before = session->answered;
			if (events[i].events & (EPOLLHUP | EPOLLERR))
				fail("The relay closed a connection");
			if (events[i].events & EPOLLIN)
				take_replies(session);
			answered += session->answered - before;
			if (!session->waiting)
				queue[last++ % options.sessions] = events[i].data.u64;
			session->waiting = 1;
		}
		for (uint64_t end = last; first < end; first++) {
			uint32_t number = queue[first % options.sessions];
			sessions[number].waiting = pump(&sessions[number]);
			/* Its own place has just become free, so the ring has room. */
			if (sessions[number].waiting)
				queue[last++ % options.sessions] = number;
		}
	}
	close(poll);
	free(queue);
}

/* Waits until the relay has stored everything the session sent. */
static void drain(struct session *session)
{
	unsigned char message[16];
	uint64_t limit = now() + PATIENCE_SECONDS * 1000000000ull;
	const struct timespec nap = { .tv_nsec = 200000 };
	uint32_t pending;

	do {
		put64(message, session->id);
		demand(session->control, BEGIN_DATA_PENDING, message, 8,
		       "BEGIN_DATA_PENDING");
		for (uint64_t i = 0; i < options.streams; i++) {
			put64(put64(message, session->stream_ids[i]),
			      session->next_sequence[i] - 1);
			while ((pending = ask(session->control, DATA_PENDING, message,
					      16, "DATA_PENDING"))) {
				if (pending != 1 || now() > limit)
					fail("Data still pending: code %u", pending);
				nanosleep(&nap, NULL);
			}
		}
		put64(message, session->metadata_id);
		demand(session->control, QUIESCENT_CONTROL, message, 8,
		       "QUIESCENT_CONTROL");
		put64(message, session->id);
		pending = ask(session->control, END_DATA_PENDING, message, 8,
			      "END_DATA_PENDING");
		if (pending > 1 || (pending && now() > limit))
			fail("END_DATA_PENDING was answered with %u", pending);
	} while (pending);
}

static void close_session(struct session *session)
{
	unsigned char message[21] = { 0 };

	put64(put64(message, session->metadata_id), UINT64_MAX);
	demand(session->control, CLOSE_STREAM, message, 16, "CLOSE_STREAM");
	for (uint64_t i = 0; i < options.streams; i++) {
		put64(put64(message, session->stream_ids[i]),
		      session->next_sequence[i] - 1);
		demand(session->control, CLOSE_STREAM, message, 16, "CLOSE_STREAM");
	}
	close(session->control);
	close(session->data);
}

static int compare(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *) left, b = *(const uint64_t *) right;
	return a < b ? -1 : a > b;
}

static double percentile(double part)
{
	return sample_count ? samples[(uint64_t) ((sample_count - 1) * part)] / 1e3 : 0;
}

static double processor_seconds(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec +
	       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* Holds the sessions until the runner has measured and sends a line. */
static void await_line(void)
{
	char line[64];
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		fail("Standard input ended while sessions were held");
}

static void read_options(int count, char **arguments)
{
	static const struct option names[] = {
		{ "control", 1, 0, 'c' }, { "data", 1, 0, 'd' },
		{ "sessions", 1, 0, 's' }, { "streams", 1, 0, 't' },
		{ "packet-size", 1, 0, 'p' }, { "bytes", 1, 0, 'b' },
		{ "window", 1, 0, 'w' }, { "padding", 1, 0, 'a' },
		{ "tracefile-size", 1, 0, 'z' }, { "tracefile-count", 1, 0, 'n' },
		{ "congestion", 1, 0, 'g' }, { "name", 1, 0, 'm' }, { 0 },
	};
	int name;

	while ((name = getopt_long(count, arguments, "", names, NULL)) != -1) {
		uint64_t number = optarg ? strtoull(optarg, NULL, 10) : 0;
		switch (name) {
		case 'c': options.control = optarg; break;
		case 'd': options.data = optarg; break;
		case 'g': options.congestion = optarg; break;
		case 'm': options.name = optarg; break;
		case 's': options.sessions = number; break;
		case 't': options.streams = number; break;
		case 'p': options.packet = number; break;
		case 'b': options.bytes = number; break;
		case 'w': options.window = number; break;
		case 'a': options.padding = number; break;
		case 'z': options.tracefile_size = number; break;
		case 'n': options.tracefile_count = number; break;
		default: exit(2);
		}
	}
	if (!options.control || !options.data)
		fail("--control and --data are needed");
	if (!options.streams || options.streams > 1024 || !options.sessions ||
	    options.sessions > 16384 || !options.window ||
	    options.window > MAX_WINDOW || options.packet <= PACKET_HEAD ||
	    options.packet > 1 << 30)
		fail("An option is out of its range");
}

int main(int count, char **arguments)
{
	struct rlimit files;
	struct session *sessions;
	uint64_t each, packets, start;
	double seconds, processor;
	char name[64];

	read_options(count, arguments);
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	if (getentropy(trace_uuid, sizeof(trace_uuid)))
		fail("No random bytes for a UUID");
	clock_base = now();
	body = malloc(options.packet - PACKET_HEAD);
	memset(body, 'x', options.packet - PACKET_HEAD);
	body[options.packet - PACKET_HEAD - 1] = 0;
	samples = malloc(MAX_SAMPLES * sizeof(*samples));
	sessions = calloc(options.sessions, sizeof(*sessions));
	each = options.bytes / options.packet / options.sessions;
	packets = each * options.sessions;

	start = now();
	for (uint64_t i = 0; i < options.sessions; i++) {
		snprintf(name, sizeof(name), "%.40s%u", options.name, (unsigned) i);
		open_session(&sessions[i], name, i);
	}
	printf("{\"sessions\":%llu,\"setup_seconds\":%.6f}\n",
	       (unsigned long long) options.sessions, (now() - start) / 1e9);
	await_line();

	processor = processor_seconds();
	start = now();
	for (uint64_t i = 0; i < options.sessions; i++)
		sessions[i].packets_left = each;
	if (packets)
		run(sessions, packets);
	for (uint64_t i = 0; i < options.sessions; i++)
		drain(&sessions[i]);
	seconds = (now() - start) / 1e9;
	processor = processor_seconds() - processor;
	qsort(samples, sample_count, sizeof(*samples), compare);
	printf("{\"bytes\":%llu,\"packets\":%llu,\"packets_per_session\":%llu,"
	       "\"events_per_packet\":%d,\"seconds\":%.6f,\"index_p50_us\":%.1f,"
	       "\"index_p99_us\":%.1f,\"cpu_seconds\":%.3f,\"congestion\":\"%s\"}\n",
	       (unsigned long long) (packets * options.packet),
	       (unsigned long long) packets, (unsigned long long) each,
	       EVENTS_PER_PACKET, seconds, percentile(.5), percentile(.99),
	       processor, congestion_used);
	await_line();
	for (uint64_t i = 0; i < options.sessions; i++)
		close_session(&sessions[i]);
	return 0;
}
