/* Records as many events as its argument says, as fast as it can. */

#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "view_events.h"

#include <stdlib.h>

int main(int count, char **arguments)
{
	static const char *const paths[] = { "/", "/index.html", "/api/v1/items" };
	const long events = count > 1 ? atol(arguments[1]) : 0;

	for (long id = 0; id < events; id++) {
		int values[] = { (int) id, 1, 2 };

		if (id % 3 == 0)
			lttng_ust_tracepoint(bench, tick, (int) id, values);
		else
			lttng_ust_tracepoint(bench, request, (int) id, paths[id % 3], id * 100UL);
	}
	return 0;
}
