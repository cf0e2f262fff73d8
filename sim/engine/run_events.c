/* What happened to sharings, kept in a file of the run's own that has no name any more: it goes
 * away whatever happens to the program. */
#include "run.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <unistd.h>

#include "error.h"

static_assert((int)PF_RUN_EVENT_SHARE == PF_SHARING_MADE &&
                  (int)PF_RUN_EVENT_BREAK == PF_SHARING_BROKEN &&
                  (int)PF_RUN_EVENT_END == PF_SHARING_ENDED,
              "PfRunEventKind repeats PfSharingEventKind");

static uint64_t window_cycle(const PfRun *run, uint64_t value, bool is_ps)
{
    return is_ps ? pf_cycles_from_ps(value, run->machine_config->clock_hz) : value;
}

static void keep_event(void *user, const PfSharingEvent *event)
{
    PfRun *run = user;
    if (event->cycle < run->window_first || event->cycle > run->window_last)
        return;
    const PfLeaf *leaf = pf_image_leaf_of(run->image, event->page);
    PfRunEvent kept = {.kind = event->kind,
                       .cycle = event->cycle,
                       .lifetime_cycles = event->lifetime_cycles,
                       .context = leaf->context,
                       .page = pf_leaf_page(leaf, event->page.index % PF_LEAF_PAGES),
                       .frame = event->frame,
                       .has_partner = event->has_partner};
    if (event->has_partner) {
        leaf = pf_image_leaf_of(run->image, event->partner);
        kept.partner_context = leaf->context;
        kept.partner_page = pf_leaf_page(leaf, event->partner.index % PF_LEAF_PAGES);
    }
    fwrite(&kept, sizeof kept, 1, run->event_file);
}

static bool fail(GError **error, int code)
{
    g_set_error(error, PF_ERROR, PF_ERROR_IO, "events cannot be kept: %s", g_strerror(code));
    return false;
}

bool run_open_events(PfRun *run, const PfSimulationOptions *options, GError **error)
{
    if (options->events_directory == NULL)
        return true;
    const PfWindow *window = &options->window;
    run->window_first = window_cycle(run, window->first, window->first_is_ps);
    run->window_last = window_cycle(run, window->last, window->last_is_ps);
    if (run->window_first > run->window_last) {
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "the window of events ends before it begins");
        return false;
    }
    g_autofree char *name =
        g_build_filename(options->events_directory, ".pagefold-events-XXXXXX", NULL);
    int descriptor = g_mkstemp(name);
    if (descriptor < 0)
        return fail(error, errno);
    g_unlink(name);
    run->event_file = fdopen(descriptor, "w+");
    if (run->event_file == NULL) {
        int code = errno;
        close(descriptor);
        return fail(error, code);
    }
    run->memory.journal.listener = keep_event;
    run->memory.journal.listener_user = run;
    return true;
}

bool pf_run_events_visit(const PfRun *run, PfRunEventVisitor visit, void *user, GError **error)
{
    FILE *file = run->event_file;
    if (file == NULL)
        return true;
    if (fflush(file) != 0 || ferror(file) != 0 || fseek(file, 0, SEEK_SET) != 0)
        return fail(error, errno);
    PfRunEvent event;
    while (fread(&event, sizeof event, 1, file) == 1)
        visit(&event, user);
    return ferror(file) == 0 || fail(error, errno);
}
