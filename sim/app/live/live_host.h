/* Whether this host is one on which KSM can be driven. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Root, a kernel with KSM, and one whose counting is that which pagefold models. The error (of
 * PF_ERROR_IO) says what is missing. */
bool pf_live_host_check(GError **error);

/* No process but those of EXCEPT (of pid_t; may be NULL) has memory that KSM may merge. */
bool pf_live_host_check_unmerged(const GArray *except, GError **error);

/* Whether *INTERRUPTED (may be NULL) is set; then with PF_ERROR_INTERRUPTED. */
bool pf_live_host_interrupted(const int *interrupted, GError **error);
