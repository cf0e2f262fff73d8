/* Shared objects of a user's, which may do anything when they are loaded. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "registry.h"

/* Adds to REGISTRY what FILE holds, once a child, as of pf_check_child with CPU_SECONDS and
 * INTERRUPTS, has loaded it and let it go and come to its end. False with PF_ERROR_CONFIG, or as
 * pf_check_child. */
bool pf_check_load(PfRegistry *registry, const char *file, unsigned cpu_seconds, int interrupts,
                   GError **error);
