#include "host.h"
#include "host_alike.h"
#include "host_write_backs.h"

#include <string.h>

#include "error.h"
#include "host_classes.h"
#include "host_sharers.h"

/* The policy works where it is by itself. */
static void work_at_home(PfHost *host)
{
    bool is_engine = host->setup->common.place == PF_PLACE_CONTROLLER;
    host->place_now = is_engine ? host->base.controller : host->base.daemon;
    host->place = &host->place_now;
}

PfHost *pf_host_new(const PfPolicySetup *setup, const PfHostBase *base, GError **error)
{
    PfHost *host = g_new0(PfHost, 1);
    host->base = *base;
    host->setup = setup;
    work_at_home(host);
    host->wake_at_cycles = PF_HOST_NEVER;
    host->write_back_cycles = PF_HOST_NEVER;
    g_autofree char *stream = g_strconcat("policy ", setup->common.name, NULL);
    host->rng = pf_rng_derive(base->seed, stream);
    host->scratch = g_malloc(base->work->page_bytes);
    pf_seg_array_init(&host->starts, sizeof(PfFrameStart));
    host->start_generation = 1;
    host->group = pf_stats_group(base->stats, setup->ops->name);
    PfStatsGroup *policy = pf_stats_group(base->stats, "policy");
    pf_stats_counter(policy, "scanned", "pages", "Candidates that the policy looked at.",
                     &host->stats.scanned);
    pf_stats_counter(policy, "shared", "events", "Sharings made: mappings moved onto a kept frame.",
                     &host->stats.shared);
    pf_stats_counter(policy, "broken", "events", "Sharings undone by a write that had to copy.",
                     &host->stats.broken);
    pf_stats_counter(policy, "passes", "passes", "Full passes over what the policy looks at.",
                     &host->stats.passes);
    pf_stats_counter(policy, "refused_controls", "events",
                     "Changes of a parameter that the policy refused.",
                     &host->stats.refused_controls);
    pf_stats_counter(policy, "compares", "events", "Comparisons of the bytes of two frames.",
                     &host->stats.compares);
    pf_stats_counter(policy, "compared_words", "events",
                     "Words of 32 bits compared, each up to the first that differed.",
                     &host->stats.compared_words);
    pf_stats_counter(policy, "lossy_shared", "events",
                     "Sharings of pages whose bytes differ, as the configuration allows.",
                     &host->stats.lossy_shared);
    pf_stats_counter(policy, "lossy_bits", "events", "Bits that these have changed.",
                     &host->stats.lossy_bits);
    host->bill = pf_host_bill_new(base->work->ledger, base->stats);
    pf_host_register_census(host);
    pf_host_register_sharers(host);
    PfJournal *journal = &base->memory->journal;
    journal->wasted_within_cycles =
        pf_cycles_from_ps(setup->common.wasted_within_ps, base->clock_hz);
    pf_journal_register(journal, base->stats);
    uint64_t frames = pf_host_frame_capacity(host);
    if (!pf_host_start_hashing(host, error)) {
        pf_host_free(host);
        return NULL;
    }
    pf_host_create_classes(host);
    host->uses_cam = setup->finder != NULL && setup->finder->uses_cam;
    if (!pf_host_create_filters(host, error)) {
        pf_host_free(host);
        return NULL;
    }
    if (setup->finder != NULL)
        host->finder = setup->finder->create(host, setup->finder_config, frames, error);
    if (host->finder != NULL || setup->finder == NULL)
        host->self = setup->ops->create(host, setup->policy_config, error);
    if (host->self == NULL && error != NULL && *error == NULL)
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG, "%s: it was not made, and does not say why",
                    setup->ops->name);
    if (host->self == NULL)
        g_clear_pointer(&host, pf_host_free);
    return host;
}

void pf_host_free(PfHost *host)
{
    if (host == NULL)
        return;
    if (host->self != NULL)
        host->setup->ops->free(host->self);
    if (host->finder != NULL)
        host->setup->finder->free(host->finder);
    pf_host_cam_clear(host);
    pf_host_free_filters(host);
    pf_host_free_classes(host);
    pf_host_bill_free(host->bill);
    pf_host_free_alike(host);
    pf_host_free_keyed(host);
    pf_host_free_write_backs(host);
    g_clear_pointer(&host->census.contexts, g_array_unref);
    g_free(host->scratch);
    pf_seg_array_clear(&host->starts);
    pf_table_clear(&host->stale_lines);
    g_free(host->first_difference);
    g_free(host);
}

void pf_host_set_contexts(PfHost *host, PfPlace *contexts, const bool *space_is_two_stage,
                          uint64_t *ready_cycles)
{
    host->base.contexts = contexts;
    host->base.ready_cycles = ready_cycles;
    host->base.space_is_two_stage = space_is_two_stage;
}

void pf_host_work_at(PfHost *host, uint32_t context)
{
    pf_host_attend(host, context);
    if (host->setup->common.place == PF_PLACE_CONTROLLER) {
        work_at_home(host);
        pf_core_advance_to(host->place->core, host->base.contexts[context].core->now_cycles);
        return;
    }
    host->place_now = host->base.contexts[context];
    host->place_now.payer = PF_PAYER_POLICY;
    host->place_now.actor = PF_ACTOR_POLICY;
    host->place = &host->place_now;
}

/* The furthest clock of the places where the work in hand was done. */
static uint64_t worked_until(PfHost *host)
{
    host->worked_cycles = MAX(host->worked_cycles, host->place->core->now_cycles);
    return host->worked_cycles;
}

void pf_host_follow(PfHost *host, uint32_t context)
{
    pf_host_attend(host, context);
    if (host->setup->common.place != PF_PLACE_STOLEN ||
        context >= pf_image_context_count(host->base.memory->image))
        return;
    worked_until(host);
    pf_host_work_at(host, context);
    /* It has nothing to do until then, as far as is known. */
    host->base.work->ledger->idle_cycles +=
        pf_core_advance_to(host->place->core, host->wake_cycles);
}

/* ---- what happens, told to the policy ---- */

void pf_host_context_event(PfHost *host, const PfContextEvent *event)
{
    pf_host_note_event(host, event);
    if (host->setup->ops->context_event == NULL)
        return;
    pf_host_work_at(host, event->context);
    host->setup->ops->context_event(host->self, event);
}

void pf_host_page_mapped(PfHost *host, PfPage page)
{
    if (host->setup->ops->page_mapped == NULL)
        return;
    pf_host_work_at(host, page.context);
    host->setup->ops->page_mapped(host->self, page);
}

void pf_host_page_recreated(PfHost *host, PfPage page)
{
    if (host->setup->ops->page_recreated == NULL)
        return;
    pf_host_work_at(host, page.context);
    host->setup->ops->page_recreated(host->self, page);
}

void pf_host_page_moved(PfHost *host, PfPage page)
{
    if (host->setup->ops->page_moved == NULL)
        return;
    pf_host_work_at(host, page.context);
    host->setup->ops->page_moved(host->self, page);
}

void pf_host_page_unmapped(PfHost *host, PfPage page)
{
    if (host->setup->ops->page_unmapped == NULL)
        return;
    pf_host_work_at(host, page.context);
    host->is_unmapping = true;
    host->setup->ops->page_unmapped(host->self, page);
    host->is_unmapping = false;
}

void pf_host_page_written(PfHost *host, PfPage page, PfChange how)
{
    if (!pf_host_wants_writes(host))
        return;
    if (pf_host_cam_snoops(host))
        pf_host_cam_written(host, page);
    pf_host_work_at(host, page.context);
    pf_host_page_accessed(host, page, true);
    if (host->setup->ops->page_written != NULL)
        host->setup->ops->page_written(host->self, page, how);
}

void pf_host_page_read(PfHost *host, PfPage page)
{
    pf_host_work_at(host, page.context);
    pf_host_page_accessed(host, page, false);
}

void pf_host_share_broken(PfHost *host, PfPage page, bool copied)
{
    host->stats.broken += copied;
    pf_host_verdict(host, page, PF_WHY_VOLATILE);
    if (host->setup->ops->share_broken == NULL)
        return;
    pf_host_work_at(host, page.context);
    host->setup->ops->share_broken(host->self, page);
}

void pf_host_store_faulted(PfHost *host, PfStoreFault *fault)
{
    if (host->setup->ops->store_faulted == NULL)
        return;
    pf_host_work_at(host, fault->page.context);
    fault->core = host->base.contexts[fault->page.context].index;
    fault->old_refs = pf_host_frame_refs(host, fault->old_frame);
    host->setup->ops->store_faulted(host->self, fault);
}

void pf_host_pin_intended(PfHost *host, PfPage page)
{
    if (host->setup->ops->pin_intended == NULL)
        return;
    pf_host_work_at(host, page.context);
    host->setup->ops->pin_intended(host->self, page);
}

void pf_host_dma_done(PfHost *host, PfPage page, const char *device, uint64_t block)
{
    pf_host_note_use(host, PF_USES_DEVICES, host->setup->ops->dma_done != NULL);
    if (host->setup->ops->dma_done == NULL)
        return;
    pf_host_work_at(host, page.context);
    host->setup->ops->dma_done(host->self, page, device, block);
}

bool pf_host_memory_low(PfHost *host, PfPage page)
{
    if (host->setup->ops->memory_low == NULL)
        return false;
    pf_host_work_at(host, page.context);
    host->is_low = true;
    host->low_page = page;
    host->setup->ops->memory_low(host->self);
    host->is_low = false;
    if (host->setup->common.place == PF_PLACE_CONTROLLER)
        pf_host_block(host, page.context, host->place->core->now_cycles);
    return pf_host_free_frames(host) > 0;
}

/* The policy starts to work by itself, not before cycle AT. */
static void start_work(PfHost *host, uint64_t at)
{
    host->wake_cycles = at;
    host->worked_cycles = at;
    pf_host_attend_nobody(host);
    work_at_home(host);
    if (host->setup->common.place != PF_PLACE_STOLEN)
        pf_core_advance_to(host->place->core, at);
}

/* How often a policy is asked whose wake-ups do nothing that takes time. */
enum { IDLE_WAKES_PER_SECOND = 10000000 };

/* When a policy that woke up at cycle AT may do so again: if it takes longer than it sleeps, when
 * it is done. Time must go on, and a second of wake-ups at each cycle would be billions of them. */
static uint64_t earliest_wake(PfHost *host, uint64_t at)
{
    uint64_t done = worked_until(host);
    return done > at ? done : at + MAX(1, host->base.clock_hz / IDLE_WAKES_PER_SECOND);
}

void pf_host_wake(PfHost *host)
{
    uint64_t at = pf_host_due(host);
    if (at == host->expiry_cycles) {
        start_work(host, at);
        pf_host_tell_expired(host);
        return;
    }
    if (at == host->write_back_cycles) {
        pf_host_tell_write_backs(host, start_work);
        return;
    }
    host->wake_at_cycles = PF_HOST_NEVER;
    if (host->setup->ops->wake == NULL || host->setup->common.pacing == PF_PACING_TRACE)
        return;
    start_work(host, at);
    pf_host_tell(host, (PfStep){.kind = PF_STEP_WAKE, .number = at});
    uint64_t next = host->setup->ops->wake(host->self, pf_host_now(host));
    if (next != PF_HOST_NEVER)
        host->wake_at_cycles = MAX(next, earliest_wake(host, at));
}

/* Batches in a pass beyond which a policy that never says that a pass has ended is stopped. */
enum { BATCHES_MAX = 1 << 20 };

void pf_host_scan(PfHost *host, uint64_t count, bool passes)
{
    bool scans =
        host->setup->ops->scan != NULL && host->setup->common.pacing == PF_PACING_TRACE;
    pf_host_note_use(host, PF_USES_SCANS, scans);
    if (!scans)
        return;
    start_work(host, *host->base.memory->now_cycles);
    if (!passes) {
        host->setup->ops->scan(host->self, count);
        return;
    }
    for (uint64_t i = 0; i < count && i < BATCHES_MAX; i++)
        host->setup->ops->scan(host->self, UINT64_MAX);
}

void pf_host_control(PfHost *host, const char *key, const char *value)
{
    const char *dot = strchr(key, '.');
    pf_host_note_use(host, PF_USES_CONTROLS, false);
    if (dot == NULL)
        return;
    size_t length = (size_t)(dot - key);
    const PfPolicyCommon *common = &host->setup->common;
    bool mine = (strlen(common->label) == length && strncmp(common->label, key, length) == 0) ||
                (strlen(common->name) == length && strncmp(common->name, key, length) == 0);
    pf_host_note_use(host, PF_USES_CONTROLS, mine);
    if (!mine)
        return;
    start_work(host, *host->base.memory->now_cycles);
    bool accepted = host->setup->ops->control != NULL &&
                    host->setup->ops->control(host->self, dot + 1, value);
    host->stats.refused_controls += !accepted;
}

void pf_host_observe(PfHost *host)
{
    if (host->setup->ops->observe != NULL)
        host->setup->ops->observe(host->self);
}

void pf_host_check(PfHost *host)
{
    if (host->setup->ops->check != NULL)
        host->setup->ops->check(host->self);
    if (host->finder != NULL && host->setup->finder->check != NULL)
        host->setup->finder->check(host->finder);
    pf_host_check_filters(host);
    pf_host_check_classes(host);
}

uint64_t pf_host_metadata_bytes(const PfHost *host)
{
    const PfPolicyOps *ops = host->setup->ops;
    uint64_t bytes = ops->metadata_bytes != NULL ? ops->metadata_bytes(host->self) : 0;
    if (host->finder != NULL && host->setup->finder->metadata_bytes != NULL)
        bytes += host->setup->finder->metadata_bytes(host->finder);
    if (pf_host_remaps(host))
        bytes += pf_indirection_table_bytes(host->base.memory->bus->table);
    return bytes + pf_host_filter_bytes(host) + pf_host_engine_metadata_bytes(host);
}
