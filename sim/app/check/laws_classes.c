#include "laws_classes.h"

#include "run.h"

static bool has_rule(const PfRun *run)
{
    char **classes = run->setup->common.classes;
    return classes != NULL && g_strv_contains((const char *const *)classes, "label");
}

/* The frame that RUN maps at PAGE; none where the system shares by itself. */
static bool frame_of(const PfRun *run, PfPage page, uint32_t *ret_frame)
{
    PfMpn frame = {0};
    unsigned flags = pf_host_look(run->host, page, &frame);
    *ret_frame = frame.number;
    return (flags & PF_FLAG_PRESENT) != 0 && (flags & (PF_FLAG_ZERO | PF_FLAG_FILE)) == 0;
}

bool pf_laws_classes_hold(const PfRun *run, GString *problems)
{
    g_autofree PfPage *first = g_new0(PfPage, (size_t)run->memory.frames.limit + 1);
    g_autofree bool *is_met = g_new0(bool, (size_t)run->memory.frames.limit + 1);
    PfPage page = {0, {0}};
    bool holds = true;
    for (; has_rule(run) && pf_host_cursor_next(run->host, page, &page);
         page.cpn = pf_cpn_plus(page.cpn, 1)) {
        uint32_t frame;
        if (!frame_of(run, page, &frame))
            continue;
        if (!is_met[frame])
            first[frame] = page;
        is_met[frame] = true;
        const char *label = pf_host_label(run->host, page.context);
        const char *other = pf_host_label(run->host, first[frame].context);
        if (g_str_equal(label, other))
            continue;
        g_string_append_printf(problems, "%s: frame %u is mapped from '%s' and from '%s'\n",
                               pf_run_label(run), frame, label, other);
        holds = false;
    }
    return holds;
}
