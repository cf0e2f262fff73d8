#include "ksm_controls.h"

#include "ksm_slots.h"
#include "ksm_stable.h"

/* pages_to_scan when the advisor goes. */
enum { PAGES_TO_SCAN_STANDARD = 100 };

void pf_ksm_arm(PfKsm *ksm)
{
    pf_host_wake_at(ksm->host, MIN(ksm->batch_at_cycles, ksm->tuned.at_cycles));
}

/* Ends whatever the daemon sleeps for. */
static void wake_daemon(PfKsm *ksm)
{
    ksm->batch_at_cycles = pf_host_now(ksm->host);
    pf_ksm_arm(ksm);
}

void pf_ksm_bring_work(PfKsm *ksm)
{
    if (ksm->batch_at_cycles == PF_HOST_NEVER && ksm->config.run == PF_KSM_RUN &&
        pf_ksm_slot(ksm, 0)->next != 0)
        wake_daemon(ksm);
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
    pf_ksm_bring_work(ksm);
}

void pf_ksm_set_sleep(PfKsm *ksm, uint64_t millisecs)
{
    if (millisecs == ksm->config.sleep_millisecs)
        return;
    ksm->config.sleep_millisecs = millisecs;
    if (ksm->batch_at_cycles != PF_HOST_NEVER)
        wake_daemon(ksm);
}

/* What decides how pages are shared may change only while none is. */
static bool is_settled(PfKsm *ksm)
{
    return ksm->counts.shared == 0 && pf_ksm_stable_clear(ksm);
}

static bool set_max_page_sharing(PfKsm *ksm, uint64_t value)
{
    if (value < 2 || value > INT32_MAX)
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

/* The files that take any number of a range. */
static const struct {
    const char *key;
    size_t offset; /* of its uint64_t in PfKsmConfig */
    uint64_t min;
    uint64_t max; /* of an unsigned int, or of an unsigned long */
} numbers[] = {
    {"pages_to_scan", offsetof(PfKsmConfig, pages_to_scan), 0, UINT32_MAX},
    {"stable_node_chains_prune_millisecs", offsetof(PfKsmConfig, prune_millisecs), 0, UINT32_MAX},
    {"advisor_max_cpu", offsetof(PfKsmConfig, advisor_max_cpu), 0, UINT64_MAX},
    {"advisor_min_pages_to_scan", offsetof(PfKsmConfig, advisor_min_pages_to_scan), 0, UINT64_MAX},
    {"advisor_max_pages_to_scan", offsetof(PfKsmConfig, advisor_max_pages_to_scan), 0, UINT64_MAX},
    {"advisor_target_scan_time", offsetof(PfKsmConfig, advisor_target_scan_time), 1, UINT64_MAX},
};

static bool set_number(PfKsmConfig *config, const char *key, uint64_t value)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(numbers); i++) {
        if (!g_str_equal(numbers[i].key, key))
            continue;
        if (value < numbers[i].min || value > numbers[i].max)
            return false;
        *(uint64_t *)(void *)((char *)config + numbers[i].offset) = value;
        return true;
    }
    return false;
}

/* The kernel's way to read a yes or no: mostly the first letter decides. */
static bool set_flag(bool *flag, const char *value)
{
    char first = g_ascii_tolower(value[0]);
    char second = first == 'o' ? g_ascii_tolower(value[1]) : '\0';
    bool is_yes = first == 'y' || first == 't' || first == '1' || second == 'n';
    if (!is_yes && first != 'n' && first != 'f' && first != '0' && second != 'f')
        return false;
    *flag = is_yes;
    return true;
}

/* Kernels before 6.7 and 6.8 have no smart scan and no advisor; the first one had three files. */
static bool exists(const PfKsm *ksm, const char *key)
{
    static const char *const first[] = {"run", "pages_to_scan", "sleep_millisecs", NULL};
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
    if (g_str_equal(key, "run")) {
        if (value > PF_KSM_UNMERGE)
            return false;
        pf_ksm_set_run(ksm, (PfKsmRun)value);
        return true;
    }
    if (g_str_equal(key, "sleep_millisecs")) {
        if (value > UINT32_MAX)
            return false;
        pf_ksm_set_sleep(ksm, value);
        return true;
    }
    if (g_str_equal(key, "max_page_sharing"))
        return set_max_page_sharing(ksm, value);
    if (g_str_equal(key, "merge_across_nodes"))
        return set_merge_across_nodes(ksm, value);
    bool is_advised = ksm->config.advisor_mode != PF_KSM_ADVISOR_NONE;
    if (is_advised && g_str_equal(key, "pages_to_scan"))
        return false;
    return set_number(&ksm->config, key, value);
}

bool pf_ksm_set(PfKsm *ksm, const char *key, const char *value)
{
    if (!exists(ksm, key))
        return false;
    if (g_str_equal(key, "use_zero_pages"))
        return set_flag(&ksm->config.use_zero_pages, value);
    if (g_str_equal(key, "smart_scan"))
        return set_flag(&ksm->config.smart_scan, value);
    if (g_str_equal(key, "advisor_mode")) {
        bool is_none = g_str_equal(value, "none");
        if (!is_none && !g_str_equal(value, "scan-time"))
            return false;
        pf_ksm_set_advisor(ksm, is_none ? PF_KSM_ADVISOR_NONE : PF_KSM_ADVISOR_SCAN_TIME);
        return true;
    }
    guint64 number;
    if (!g_ascii_string_to_unsigned(value, 10, 0, UINT64_MAX, &number, NULL))
        return false;
    return control_number(ksm, key, number);
}
