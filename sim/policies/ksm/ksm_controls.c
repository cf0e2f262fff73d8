#include "ksm_controls.h"

#include "ksm_slots.h"
#include "ksm_stable.h"

/* pages_to_scan when the advisor goes. */
enum { PAGES_TO_SCAN_STANDARD = 100 };

void pf_ksm_arm(PfKsm *ksm)
{
    pf_host_wake_at(ksm->host, MIN(ksm->batch_at_cycles, ksm->tuned.at_cycles));
}

void pf_ksm_wake_daemon(PfKsm *ksm)
{
    if (ksm->config.run != PF_KSM_RUN || pf_ksm_slot(ksm, 0)->next == 0)
        return;
    ksm->batch_at_cycles = pf_host_now(ksm->host);
    pf_ksm_arm(ksm);
}

void pf_ksm_set_advisor(PfKsm *ksm, PfKsmAdvisorMode mode)
{
    if (mode == (PfKsmAdvisorMode)ksm->config.advisor_mode)
        return;
    ksm->config.advisor_mode = (int)mode;
    ksm->advisor = (PfKsmAdvisor){.start_cycles = 0};
    ksm->config.pages_to_scan = mode == PF_KSM_ADVISOR_NONE ? PAGES_TO_SCAN_STANDARD
                                                            : ksm->config.advisor_min_pages_to_scan;
}

void pf_ksm_set_run(PfKsm *ksm, PfKsmRun run)
{
    if (run != (PfKsmRun)ksm->config.run) {
        ksm->config.run = run;
        if (run == PF_KSM_UNMERGE)
            pf_ksm_slots_unmerge_all(ksm);
    }
    if (run != PF_KSM_RUN)
        ksm->batch_at_cycles = PF_HOST_NEVER;
    else if (ksm->batch_at_cycles == PF_HOST_NEVER)
        pf_ksm_wake_daemon(ksm);
}

void pf_ksm_set_sleep(PfKsm *ksm, uint64_t millisecs)
{
    if (millisecs == ksm->config.sleep_millisecs)
        return;
    ksm->config.sleep_millisecs = millisecs;
    if (ksm->batch_at_cycles != PF_HOST_NEVER)
        pf_ksm_wake_daemon(ksm);
}

/* What decides how pages are shared may change only while none is. */
static bool is_settled(PfKsm *ksm)
{
    return ksm->counts.shared == 0 && pf_ksm_stable_clear(ksm);
}

static bool set_max_page_sharing(PfKsm *ksm, uint64_t value)
{
    if (value < 2)
        return false;
    if (value != ksm->config.max_page_sharing && !is_settled(ksm))
        return false;
    ksm->config.max_page_sharing = value;
    return true;
}

static bool set_merge_across_nodes(PfKsm *ksm, uint64_t value)
{
    if (value > 1)
        return false;
    if ((value != 0) != ksm->config.merge_across_nodes && !is_settled(ksm))
        return false;
    ksm->config.merge_across_nodes = value != 0;
    return true;
}

static bool set_flag(bool *flag, uint64_t value)
{
    if (value > 1)
        return false;
    *flag = value != 0;
    return true;
}

static bool set_number(uint64_t *number, uint64_t value, uint64_t min)
{
    if (value < min)
        return false;
    *number = value;
    return true;
}

/* Kernels before 6.7 and 6.8 have no smart scan and no advisor; the first one had four files. */
static bool exists(const PfKsm *ksm, const char *key)
{
    static const char *const first[] = {"run", "pages_to_scan", "sleep_millisecs", "lru_batch",
                                        NULL};
    switch ((PfKsmVersion)ksm->config.version) {
    case PF_KSM_6_18:
        return true;
    case PF_KSM_6_6:
        return !g_str_equal(key, "smart_scan") && !g_str_has_prefix(key, "advisor_");
    case PF_KSM_2_6_32:
        return g_strv_contains(first, key);
    }
    return false;
}

static bool control_number(PfKsm *ksm, const char *key, uint64_t value)
{
    PfKsmConfig *config = &ksm->config;
    if (g_str_equal(key, "run")) {
        if (value > PF_KSM_UNMERGE)
            return false;
        pf_ksm_set_run(ksm, (PfKsmRun)value);
        return true;
    }
    if (g_str_equal(key, "sleep_millisecs")) {
        pf_ksm_set_sleep(ksm, value);
        return true;
    }
    if (g_str_equal(key, "pages_to_scan"))
        return config->advisor_mode == PF_KSM_ADVISOR_NONE &&
               set_number(&config->pages_to_scan, value, 0);
    if (g_str_equal(key, "max_page_sharing"))
        return set_max_page_sharing(ksm, value);
    if (g_str_equal(key, "merge_across_nodes"))
        return set_merge_across_nodes(ksm, value);
    if (g_str_equal(key, "use_zero_pages"))
        return set_flag(&config->use_zero_pages, value);
    if (g_str_equal(key, "smart_scan"))
        return set_flag(&config->smart_scan, value);
    if (g_str_equal(key, "stable_node_chains_prune_millisecs"))
        return set_number(&config->prune_millisecs, value, 0);
    if (g_str_equal(key, "advisor_max_cpu"))
        return set_number(&config->advisor_max_cpu, value, 0);
    if (g_str_equal(key, "advisor_min_pages_to_scan"))
        return set_number(&config->advisor_min_pages_to_scan, value, 0);
    if (g_str_equal(key, "advisor_max_pages_to_scan"))
        return set_number(&config->advisor_max_pages_to_scan, value, 0);
    if (g_str_equal(key, "advisor_target_scan_time"))
        return set_number(&config->advisor_target_scan_time, value, 1);
    return false;
}

bool pf_ksm_set(PfKsm *ksm, const char *key, const char *value)
{
    if (!exists(ksm, key))
        return false;
    if (g_str_equal(key, "advisor_mode")) {
        bool is_none = g_str_equal(value, "none");
        if (!is_none && !g_str_equal(value, "scan-time"))
            return false;
        pf_ksm_set_advisor(ksm, is_none ? PF_KSM_ADVISOR_NONE : PF_KSM_ADVISOR_SCAN_TIME);
        return true;
    }
    guint64 number;
    if (g_str_equal(value, "true") || g_str_equal(value, "false"))
        number = g_str_equal(value, "true");
    else if (!g_ascii_string_to_unsigned(value, 10, 0, UINT32_MAX, &number, NULL))
        return false;
    bool accepted = control_number(ksm, key, number);
    pf_ksm_arm(ksm);
    return accepted;
}
