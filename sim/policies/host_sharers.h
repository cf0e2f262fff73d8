/* How many pages have a frame in common. */
#pragma once

#include "host.h"

/* Registers the distribution memory.sharers_pages. */
void pf_host_register_sharers(PfHost *host);

/* Counts by how many pages each frame is mapped; for a bound, each content is held. */
void pf_host_count_sharers(PfHost *host);
