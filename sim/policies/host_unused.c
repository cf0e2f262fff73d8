/* Events that say something about pages without changing them: whether anybody wants to know. */
#include "host.h"

#include "trace.h"

/* What EVENT tells (PF_USES_*), 0 for what changes mappings or is everybody's business. */
static unsigned told_by(const PfContextEvent *event)
{
    if (event->kind == PF_CONTEXT_ADVISED && event->number == PF_ADVISED_DISCARDABLE)
        return PF_USES_DISCARDABLE;
    if (event->kind == PF_CONTEXT_ADVISED && (event->number == PF_ADVISED_SUSPEND ||
                                              event->number == PF_ADVISED_RESUME))
        return PF_USES_SUSPEND;
    if (event->kind != PF_CONTEXT_ATTRIBUTE)
        return 0;
    if (event->number == PF_ATTRIBUTE_READONLY)
        return PF_USES_READONLY;
    if (event->number == PF_ATTRIBUTE_EXECUTED)
        return PF_USES_EXECUTED;
    bool is_lock =
        event->number == PF_ATTRIBUTE_LOCKED || event->number == PF_ATTRIBUTE_UNLOCKED;
    return is_lock ? PF_USES_LOCKED : 0;
}

void pf_host_note_use(PfHost *host, unsigned told, bool is_used)
{
    host->told |= told;
    host->used |= is_used ? told : 0;
}

void pf_host_note_event(PfHost *host, const PfContextEvent *event)
{
    unsigned told = told_by(event);
    if ((told & ~host->told) == 0)
        return;
    const PfPolicyOps *ops = host->setup->ops;
    pf_host_note_use(host, told, ops->uses != NULL && (ops->uses(host->self) & told) != 0);
}

unsigned pf_host_unused(const PfHost *host)
{
    return host->told & ~host->used;
}
