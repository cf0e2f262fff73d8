#include "laws_levels.h"

void pf_laws_read_level(const PfStatInfo *info, PfStatValue value, void *user)
{
    PfLawsLevels *levels = user;
    const struct {
        const char *name;
        int64_t *target;
    } rows[] = {
        {"memory.populated_pages", &levels->populated},
        {"memory.eligible_pages", &levels->eligible},
        {"memory.baseline_frames", &levels->baseline},
        {"memory.used_frames", &levels->used},
        {"memory.saved_pages", &levels->saved},
        {"collapse.unfreed", &levels->unfreed},
        {"memory.saved_page_cycles", &levels->saved_page_cycles},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        if (g_str_equal(info->name, rows[i].name))
            *rows[i].target = value.i;
    if (g_str_has_prefix(info->name, "reason.")) {
        levels->reasons += value.i;
        levels->nulls += value.kind == PF_STAT_NULL;
    }
    if (g_str_equal(info->name, "reason.shared"))
        levels->shared = value.i;
    if (!g_str_has_prefix(info->name, "context."))
        return;
    if (g_str_has_suffix(info->name, ".policy_cycles"))
        levels->context_policy_cycles += value.i;
    else if (g_str_has_suffix(info->name, ".cycles"))
        levels->context_cycles += value.i;
    else if (g_str_has_suffix(info->name, ".shared_pages"))
        levels->context_shared_pages += value.i;
    else if (g_str_has_suffix(info->name, ".saved_pages") && value.kind == PF_STAT_DOUBLE)
        levels->context_saved_pages += value.d;
}
