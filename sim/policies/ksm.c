/* Kernel Samepage Merging, the page sharing of Linux: a daemon that goes through the mergeable
 * memory of all contexts in the same order again and again, batch by batch.
 *
 * A page that two passes find unchanged is looked up by its bytes in the stable tree, which holds
 * the frames that are shared already, and then in the unstable tree, which holds the unchanged
 * pages met in this pass. Linux 6.18 unless `version` says otherwise; counters agree with the
 * kernel's step by step (Documentation/admin-guide/mm/ksm.rst; A. Arcangeli, I. Eidus, C. Wright,
 * "Increasing memory density by using KSM", OLS 2009).
 *
 * Not modelled: huge pages (a page is scanned as if it stood alone), swapped pages, migration of
 * frames between NUMA nodes, failing locks and allocations, and a checksum's collisions, which are
 * those of the configured hash. */
#include "ksm_check.h"
#include "ksm_controls.h"
#include "ksm_costs.h"
#include "ksm_counters.h"
#include "ksm_lru.h"
#include "ksm_pages.h"
#include "ksm_scan.h"
#include "ksm_slots.h"
#include "error.h"
#include "units.h"

#define PS_PER_MILLISECOND (PF_PS_PER_SECOND / 1000)

/* ---- Time ---- */

static uint64_t after(uint64_t cycle, uint64_t interval_cycles)
{
    return interval_cycles < PF_HOST_NEVER - cycle ? cycle + interval_cycles : PF_HOST_NEVER;
}

/* When a sleep of MILLISECS that begins now ends: at a tick of the kernel's clock, one later than
 * counted, as no timer fires early; long ones end at every 8th, 64th... only (kernel/time/timer.c,
 * "timer wheel"). So a sleep of 20 ms with 250 ticks a second makes a batch each 24 ms. */
static uint64_t sleep_end(const PfKsm *ksm, uint64_t millisecs)
{
    enum { LEVEL_TICKS = 63, LEVEL_SHIFT = 3 };
    uint64_t now = pf_host_now(ksm->host);
    if (millisecs == 0)
        return now;
    uint64_t ticks = (millisecs + PF_KSM_TICK_MS - 1) / PF_KSM_TICK_MS;
    unsigned shift = 0;
    while (ticks >= (uint64_t)LEVEL_TICKS << shift)
        shift += LEVEL_SHIFT;
    uint64_t end = (((now / ksm->tick_cycles + ticks) >> shift) + 1) << shift;
    return end < PF_HOST_NEVER / ksm->tick_cycles ? end * ksm->tick_cycles : PF_HOST_NEVER;
}

/* One batch, then sleep; with nothing to scan, before or after it, the daemon waits for that. */
static void run_daemon(PfKsm *ksm)
{
    ksm->batch_at_cycles = PF_HOST_NEVER;
    if (ksm->config.run != PF_KSM_RUN)
        return;
    pf_host_charge_wake(ksm->host);
    pf_ksm_batch(ksm, ksm->config.pages_to_scan);
    if (pf_ksm_slot(ksm, 0)->next == 0)
        return;
    ksm->batch_at_cycles = sleep_end(ksm, ksm->config.sleep_millisecs);
}

static void run_tuned(PfKsm *ksm)
{
    uint64_t page_bytes = pf_host_page_bytes(ksm->host);
    uint64_t frames = pf_host_frame_capacity(ksm->host);
    uint64_t committed = 0;
    for (uint32_t i = 0; i < pf_host_context_count(ksm->host); i++)
        committed += pf_host_context_pages(ksm->host, i);
    uint64_t unused = MIN(pf_host_free_frames(ksm->host), frames);
    PfKsmMemory memory = {.total = frames * page_bytes / PF_KIB,
                          .free = unused * page_bytes / PF_KIB,
                          .committed = committed * page_bytes / PF_KIB};
    PfKsmTuning tuning = pf_ksm_tuned_look(&ksm->tuned, &ksm->config, &memory);
    if (tuning.run) {
        /* The advisor's number is read-only; the script goes on. */
        if (ksm->config.advisor_mode == PF_KSM_ADVISOR_NONE)
            ksm->config.pages_to_scan = tuning.pages_to_scan;
        pf_ksm_set_sleep(ksm, tuning.sleep_millisecs);
    }
    pf_ksm_set_run(ksm, tuning.run ? PF_KSM_RUN : PF_KSM_STOP);
    ksm->tuned.at_cycles = after(ksm->tuned.at_cycles,
                                 MAX(1, pf_host_cycles(ksm->host, ksm->config.tuned_interval_ps)));
}

static uint64_t ksm_wake(void *user, uint64_t now_cycles)
{
    PfKsm *ksm = user;
    if (ksm->tuned.at_cycles <= now_cycles)
        run_tuned(ksm);
    if (ksm->batch_at_cycles <= now_cycles)
        run_daemon(ksm);
    return MIN(ksm->batch_at_cycles, ksm->tuned.at_cycles);
}

static bool ksm_scan(void *user, uint64_t pages)
{
    PfKsm *ksm = user;
    return ksm->config.run == PF_KSM_RUN && pf_ksm_batch(ksm, pages);
}

static bool ksm_control(void *user, const char *key, const char *value)
{
    return pf_ksm_set(user, key, value);
}

/* ---- What happens to contexts ---- */

/* Scans CONTEXT from now on if it has mergeable memory in the PAGES from FIRST on. */
static void register_range(PfKsm *ksm, uint32_t context, PfCpn first, uint64_t pages)
{
    PfPage region;
    PfCpn end;
    if (!pf_host_next_region(ksm->host, (PfPage){context, first}, &region, &end) ||
        region.cpn.number - first.number >= pages)
        return;
    pf_ksm_slots_register(ksm, context);
    pf_ksm_bring_work(ksm);
}

static void forked(PfKsm *ksm, uint32_t child, uint32_t parent)
{
    pf_ksm_slots_add(ksm, child);
    const PfKsmSlot *old = pf_ksm_slot(ksm, parent + 1);
    if (!old->is_listed)
        return;
    /* Kernels up to 6.17 left the parent's numbers in the child's counters. */
    if (ksm->config.version == PF_KSM_6_6) {
        PfKsmSlot *young = pf_ksm_slot(ksm, child + 1);
        young->inherited_items = old->item_count + old->inherited_items;
        young->inherited_stable = old->stable_count + old->inherited_stable;
    }
    pf_ksm_slots_register(ksm, child);
    pf_ksm_bring_work(ksm);
}

static void ksm_context_event(void *user, const PfContextEvent *event)
{
    PfKsm *ksm = user;
    PfCpn end = pf_cpn_plus(event->first, event->pages);
    switch (event->kind) {
    case PF_CONTEXT_CREATED:
        pf_ksm_slots_add(ksm, event->context);
        return;
    case PF_CONTEXT_FORKED:
        forked(ksm, event->context, event->other);
        return;
    case PF_CONTEXT_EXITED:
        pf_ksm_slots_exit(ksm, event->context);
        return;
    case PF_CONTEXT_ADVISED:
        if (event->number == PF_ADVISED_MERGEABLE)
            register_range(ksm, event->context, event->first, event->pages);
        else if (event->number == PF_ADVISED_UNMERGEABLE)
            pf_ksm_unmerge(ksm, event->context, event->first, end);
        return;
    case PF_CONTEXT_REMAPPED:
        /* Moved pages are unmerged first, since their items stay where they were. */
        pf_ksm_unmerge(ksm, event->context, event->target,
                       pf_cpn_plus(event->target, event->pages));
        return;
    case PF_CONTEXT_MAPPED:
        register_range(ksm, event->context, event->first, event->pages);
        return;
    case PF_CONTEXT_ATTRIBUTE:
        return;
    }
}

static void ksm_store_faulted(void *user, const PfStoreFault *fault)
{
    PfKsm *ksm = user;
    ksm->counts.copies += fault->was_claimed && fault->kind == PF_STORE_COPIED;
    pf_ksm_slot(ksm, fault->page.context + 1)->core = (uint16_t)fault->core;
    pf_ksm_lru_store(ksm, fault);
}

/* ---- Birth and death ---- */

static void *ksm_create(PfHost *host, const void *config, GError **error)
{
    PfKsm *ksm = g_new0(PfKsm, 1);
    ksm->host = host;
    ksm->config = *(const PfKsmConfig *)config;
    pf_ksm_config_apply_version(&ksm->config);
    ksm->has_finder = pf_host_has_finder(host);
    if (ksm->has_finder && ksm->config.version != PF_KSM_6_18) {
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG,
                    "ksm: version: older kernels search before they hash; a finder needs 6.18");
        g_free(ksm);
        return NULL;
    }
    pf_seg_array_init(&ksm->items, sizeof(PfKsmItem));
    pf_seg_array_init(&ksm->nodes, sizeof(PfKsmNode));
    for (unsigned i = 0; i < PF_KSM_TREES; i++) {
        ksm->stable[i].elements = &ksm->nodes;
        ksm->unstable[i].elements = &ksm->items;
    }
    ksm->slots = g_array_new(FALSE, TRUE, sizeof(PfKsmSlot));
    g_array_set_size(ksm->slots, 1);
    ksm->lru = g_array_new(FALSE, TRUE, sizeof(PfKsmLruBatch));
    ksm->tick_cycles = MAX(1, pf_host_cycles(host, PF_KSM_TICK_MS * PS_PER_MILLISECOND));
    ksm->zero_checksum = (uint32_t)pf_host_zero_hash(host);
    ksm->batch_at_cycles = PF_HOST_NEVER;
    ksm->tuned.at_cycles = PF_HOST_NEVER;
    if (ksm->config.tuned)
        ksm->tuned.at_cycles = MAX(1, pf_host_cycles(host, ksm->config.tuned_interval_ps));
    if (ksm->config.advisor_mode != PF_KSM_ADVISOR_NONE)
        ksm->config.pages_to_scan = ksm->config.advisor_min_pages_to_scan;
    pf_ksm_counters_register(ksm);
    pf_ksm_arm(ksm);
    return ksm;
}

static void ksm_free(void *user)
{
    PfKsm *ksm = user;
    if (ksm == NULL)
        return;
    pf_seg_array_clear(&ksm->items);
    pf_seg_array_clear(&ksm->nodes);
    g_array_unref(ksm->slots);
    g_array_unref(ksm->lru);
    g_free(ksm);
}

static uint64_t ksm_metadata_bytes(const void *user)
{
    const PfKsm *ksm = user;
    return (ksm->counts.items + ksm->counts.nodes) * PF_KSM_OBJECT_BYTES;
}

static void ksm_check(void *user)
{
    pf_ksm_check(user);
}

const PfPolicyOps pf_policy_ksm = {
    .name = "ksm",
    .summary = "Stable and unstable trees, pass by pass (Linux, Kernel Samepage Merging).",
    .flags = PF_POLICY_INDEXED,
    .fields = pf_ksm_fields,
    .field_count = PF_KSM_FIELDS,
    .config_bytes = sizeof(PfKsmConfig),
    .default_scope = "mergeable",
    .default_hash = "xxh64",
    .context_stats = pf_ksm_context_stats,
    .context_stat_count = PF_KSM_CONTEXT_STATS,
    .create = ksm_create,
    .free = ksm_free,
    .context_event = ksm_context_event,
    .store_faulted = ksm_store_faulted,
    .wake = ksm_wake,
    .scan = ksm_scan,
    .control = ksm_control,
    .metadata_bytes = ksm_metadata_bytes,
    .check = ksm_check,
};
