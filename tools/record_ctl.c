/* Asks a session daemon what the stock command line never asks. */

#include <stdio.h>
#include <string.h>
#include <lttng/lttng.h>

static int answer(int code)
{
	printf("%d %s\n", code, code < 0 ? lttng_strerror(code) : "");
	return 0;
}

int main(int argc, char **argv)
{
	struct lttng_domain domain;
	struct lttng_handle *handle;
	int code;

	if (argc < 4) {
		fprintf(stderr, "usage: CALL SESSION URL [DATA-URL]\n");
		return 1;
	}
	memset(&domain, 0, sizeof(domain));
	if (strcmp(argv[1], "register-consumer") == 0) {
		domain.type = LTTNG_DOMAIN_KERNEL;
	}
	handle = lttng_create_handle(argv[2], &domain);
	if (!handle) {
		return 1;
	}
	if (strcmp(argv[1], "set-consumer-url") == 0) {
		code = lttng_set_consumer_url(handle, argv[3],
				argc > 4 ? argv[4] : NULL);
	} else {
		code = lttng_register_consumer(handle, argv[3]);
	}
	lttng_destroy_handle(handle);
	return answer(code);
}
