#include "laws_variants.h"

#include <stdio.h>

static const char *const none[] = {NULL};

static const char *const esx[] = {
    "candidates = \"sequential\"; marking = \"cow\"; pacing = \"trace\"; ",
    "candidates = \"idle\"; requests = \"synchronous\"; rate = 5000; ",
    "candidates = \"cpu_fraction\"; cpu_fraction = 1.0; locks = \"1\"; ",
    "candidates = \"adaptive\"; rate_max = 100000; keep_frame_at_one = false; ",
    "place = \"stolen\"; rate = 100000; locks = \"chain\"; salting = \"context\"; ",
    "place = \"stolen\"; rate = 100000; locks = \"1\"; requests = \"synchronous\"; ",
    "age = \"1ns\"; rate = 100000; queue = 3; prefer = (\"executed\", \"disk\"); "
    "exclude = (\"range:0x0-0xfff\", \"readonly\"); io_active = \"1ms\"; ",
    "hash_bytes = 3; hash_offset = 1; salting = \"label\"; pacing = \"trace\"; ",
    "preset = \"vsphere\"; scan_time = \"1ms\"; when = \"pressure\"; ",
    "place = \"controller\"; rate = 100000; locks = \"1\"; requests = \"synchronous\"; ",
    "known_good = (\"0x0\", \"0x1\"); known_bits = 64; known_hashes = 1; rate = 100000; ",
    NULL,
};

static const char *const collapse[] = {
    "when = \"settled\"; settle = \"1ns\"; primary = \"oldest\"; ",
    "when = \"settled\"; settle = \"10us\"; collapse_when = \"idle\"; sleep = \"1us\"; ",
    "when = \"idle\"; idle_share = 0.3; sleep = \"1us\"; primary = \"most-referenced\"; ",
    "when = \"idle\"; pacing = \"trace\"; primary = \"given\"; given = (\"c0:0x0\"); ",
    "when = \"pressure\"; pressure_free = 1.0; sleep = \"1us\"; pages_to_scan = 3; ",
    "collapse_when = \"pressure\"; pressure_free = 1.0; sleep = \"1us\"; ",
    "look_up = \"settle\"; settle = \"100ns\"; probe_pages = 2; place = \"stolen\"; ",
    "free = \"gc\"; gc_interval = \"5us\"; patterns = (\"zero\", \"ones\", \"hex:0102\"); ",
    "filters = (\"flagged\"); flagged = { accesses = 5; }; ",
    "filters = (\"flagged\"); flagged = { timer = \"100ns\"; of = \"access\"; }; "
    "when = \"idle\"; sleep = \"1us\"; ",
    "free = \"gc\"; pacing = \"trace\"; when = \"idle\"; scope = \"anon\"; ",
    "hash_bits = 1; transient_stores = 3; patterns = (\"zero\"); ",
    NULL,
};

const char *const laws_cached_variants[] = {
    "when = \"write-back\"; ",
    "look_up = \"line-writeback\"; ",
    "when = \"write-back\"; place = \"controller\"; remap = \"controller\"; finder = \"cam\"; ",
    "look_up = \"line-writeback\"; place = \"controller\"; remap = \"controller\"; ",
    "look_up = \"line-writeback\"; place = \"stolen\"; collapse_when = \"idle\"; ",
    "when = \"write-back\"; pacing = \"trace\"; probe_pages = 2; free = \"gc\"; ",
    "when = \"write-back\"; filters = (\"flagged\"); flagged = { time = \"500ns\"; }; "
    "patterns = (\"zero\", \"ones\"); ",
    NULL,
};

/* PARTS[0] + PARTS[1] = SUM */
static const struct {
    const char *parts[2];
    const char *sum;
} sums[] = {
    {{"esx.cow", "esx.hint"}, "esx.track"},
    {{"esx.unique", "esx.shared"}, "esx.track"},
};

const char *const *laws_variants(const char *policy)
{
    if (g_str_equal(policy, "collapse"))
        return collapse;
    return g_str_equal(policy, "esx") ? esx : none;
}

typedef struct {
    int64_t difference[G_N_ELEMENTS(sums)];
} Totals;

static void add(const PfStatInfo *info, PfStatValue value, void *user)
{
    Totals *totals = user;
    for (size_t i = 0; i < G_N_ELEMENTS(sums); i++) {
        if (g_str_equal(info->name, sums[i].parts[0]) || g_str_equal(info->name, sums[i].parts[1]))
            totals->difference[i] += value.i;
        if (g_str_equal(info->name, sums[i].sum))
            totals->difference[i] -= value.i;
    }
}

static bool is_right(const PfRun *run, const char *where, const Totals *totals)
{
    bool right = true;
    for (size_t i = 0; i < G_N_ELEMENTS(sums); i++) {
        if (totals->difference[i] != 0)
            printf("# %s, %s: %s + %s is not %s\n", pf_run_label(run), where, sums[i].parts[0],
                   sums[i].parts[1], sums[i].sum);
        right = right && totals->difference[i] == 0;
    }
    return right;
}

bool laws_sums_hold(const PfRun *run)
{
    bool right = true;
    for (size_t i = 0; i < pf_run_mark_count(run); i++) {
        Totals totals = {0};
        pf_run_mark_visit(run, i, add, &totals);
        right = is_right(run, pf_run_mark_label(run, i), &totals) && right;
    }
    Totals totals = {0};
    pf_stats_visit(pf_run_stats(run), add, &totals);
    return is_right(run, "the end", &totals) && right;
}
