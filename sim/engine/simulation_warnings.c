/* What the user should know about a simulation that is otherwise fine. */
#include "simulation_internal.h"

/* Puts SENTENCE at the end of the list, which ends with NULL. */
static void warn(PfSimulation *simulation, const char *sentence)
{
    g_ptr_array_insert(simulation->warnings, (gint)simulation->warnings->len - 1,
                       g_strdup(sentence));
}

void simulation_warn_of_scopes(PfSimulation *simulation)
{
    int scope = -1;
    for (unsigned i = 0; i < simulation->setup.policies->len; i++) {
        const PfPolicySetup *setup = g_ptr_array_index(simulation->setup.policies, i);
        bool acts = setup->ops->scan != NULL || setup->ops->wake != NULL;
        if (!acts)
            continue;
        if (scope >= 0 && scope != setup->common.scope) {
            warn(simulation, "the policies have different scopes: they do not compete for the "
                             "same pages");
            return;
        }
        scope = setup->common.scope;
    }
}

void simulation_warn_of_unused(PfSimulation *simulation)
{
    static const struct {
        unsigned use;
        const char *sentence;
    } events[] = {
        {PF_USES_DISCARDABLE, "`advise discardable`"},
        {PF_USES_SUSPEND, "`advise suspend` or `resume`"},
        {PF_USES_READONLY, "`attr readonly`"},
        {PF_USES_EXECUTED, "`attr executed`"},
        {PF_USES_LOCKED, "`attr locked` or `unlocked`"},
        {PF_USES_DEVICES, "the devices of `dma`"},
        {PF_USES_SCANS, "`scan` (which is for pacing = \"trace\")"},
        {PF_USES_CONTROLS, "any `control`"},
    };
    unsigned unused = ~0U;
    for (unsigned i = 0; i < simulation->runs->len; i++) {
        const PfRun *run = g_ptr_array_index(simulation->runs, i);
        unused &= pf_host_unused(run->host);
    }
    g_autoptr(GString) list = g_string_new(NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(events); i++)
        if ((unused & events[i].use) != 0)
            g_string_append_printf(list, "%s%s", list->len > 0 ? ", " : "", events[i].sentence);
    if (list->len == 0)
        return;
    g_string_prepend(list, "no policy of this run makes use of what the trace says by ");
    warn(simulation, list->str);
}
