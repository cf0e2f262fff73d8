/* Pages that move from one NUMA node to another. */
#pragma once

#include "host.h"

/* Moves PAGE to a frame of NODE, at its context's cost; false: see pf_memory_migrate. */
bool pf_host_migrate(PfHost *host, PfPage page, unsigned node);
