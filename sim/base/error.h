/* The one error domain. Anything that a user, a file or a guest can cause is a GError of this
 * domain; what a programmer can cause is an assertion. */
#pragma once

#include <glib.h>

#define PF_ERROR (pf_error_quark())

typedef enum {
    PF_ERROR_USAGE,       /* command line: exit status 2 */
    PF_ERROR_CONFIG,      /* configuration: exit status 2 */
    PF_ERROR_TRACE,       /* an input file is wrong or damaged: exit status 3 */
    PF_ERROR_IO,          /* the host failed us: no space, no permission: exit status 1 */
    PF_ERROR_LIMIT,       /* a limit of the simulated machine or of pagefold: exit status 1 */
    PF_ERROR_DIFFERENCE,  /* a check found a difference: exit status 1 */
    PF_ERROR_GUEST,       /* a program cannot be recorded: exit status 125 */
    PF_ERROR_INTERRUPTED, /* the user stopped it: exit status 130 */
} PfErrorCode;

GQuark pf_error_quark(void);

/* The exit status of a program that ends because of ERROR (1 for a foreign domain). */
int pf_error_exit_status(const GError *error);
