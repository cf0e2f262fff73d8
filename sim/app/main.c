/* pagefold: what does memory deduplication save, and what does it cost? */
#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "error.h"
#include "options.h"

/* Data that did not reach standard output is an error like any other (a full disk). */
static bool flush_output(GError **error)
{
    if (fflush(stdout) == 0 && ferror(stdout) == 0)
        return true;
    g_set_error(error, PF_ERROR, PF_ERROR_IO, "standard output: %s", g_strerror(errno));
    return false;
}

int main(int argc, char **argv)
{
    /* A file that grows beyond a limit shall be an error of write(), not the end. */
    signal(SIGXFSZ, SIG_IGN);
    PfApp app = {.argc = argc, .argv = argv};
    g_autoptr(GError) error = NULL;
    int status = pf_options_dispatch(&app, &error);
    if (error == NULL)
        flush_output(&error);
    else
        fflush(stdout);
    if (error != NULL) {
        pf_options_report(&app, error);
        status = pf_error_exit_status(error);
    }
    g_free(app.color);
    return status;
}
