/* Policy `ksm` with a CAM in front of its stable tree. */
#include "check.h"

#include <string.h>

#include "policy_runs.h"

#define SMALL(more)                                                                                \
    "machine = { cam = { entries = 16; latency = 4; cycle = 1; search_nJ = 2.0; write_nJ = 1.0; "  \
    "leakage_mW = 0.0; area_mm2 = 3.0; " more " }; };"

static int64_t end_of(const PolicyPlay *play, const char *name)
{
    return policy_end(play, name).i;
}

/* What the kernel counts, and what comes of it. */
static void add_stat(const PfStatInfo *info, PfStatValue value, void *user)
{
    static const char *const told[] = {"ksm.pages_",         "ksm.stable_node_", "ksm.full_scans",
                                       "ksm.general_profit", "ksm.cow_ksm",      "policy.shared",
                                       "memory.saved_pages"};
    for (unsigned i = 0; i < G_N_ELEMENTS(told); i++)
        if (g_str_has_prefix(info->name, told[i]))
            g_string_append_printf(user, "%s %" G_GINT64_FORMAT "\n", info->name, value.i);
}

static char *counters(const PolicyPlay *play)
{
    GString *text = g_string_new(NULL);
    pf_stats_visit(pf_run_stats(policy_run(play)), add_stat, text);
    return g_string_free(text, FALSE);
}

#define ALL "scope = \"all\"; pacing = \"trace\"; smart_scan = false; "

/* With SETTINGS of ksm and the machine TOP, a finder in front of its tree changes no counter. */
static void check_same(const char *top, const char *settings, const char *trace)
{
    g_autofree char *with = g_strconcat(settings, "finder = \"cam\"; ", NULL);
    g_autoptr(PolicyPlay) tree = policy_play("ksm", top, settings, trace);
    g_autoptr(PolicyPlay) cam = policy_play("ksm", top, with, trace);
    g_autofree char *wanted = counters(tree);
    g_autofree char *found = counters(cam);
    CU_ASSERT_STRING_EQUAL(found, wanted);
    CU_ASSERT(end_of(cam, "cam.searches") > 0);
    CU_ASSERT(end_of(cam, "policy.shared") > 0);
}

static void ksm_shares_the_same_with_a_cam(void)
{
    static const char chains[] =
        "context a process\nmap a 0x0 40 anon\ncontext b process\nmap b 0x0 40 anon\n"
        "fill a 0x0 20 id:1 step=1\nfill b 0x0 20 id:1 step=1\n"
        "fill a 0x14000 20 id:7\nfill b 0x14000 20 id:7\nscan pass 3\n"
        "fill b 0x0 4 id:5\nfill a 0x14000 3 id:1 step=1\nscan pass 4\n";
    static const char *const machines[] = {"",
                                           SMALL(""),
                                           SMALL("behind = \"none\"; "),
                                           SMALL("behind = \"none\"; key_bits = 8; "),
                                           SMALL("stores = \"page\"; "),
                                           SMALL("stale = \"delete\"; ")};
    for (unsigned i = 0; i < G_N_ELEMENTS(machines); i++) {
        check_same(machines[i], ALL, chains);
        check_same(machines[i], ALL "max_page_sharing = 3; ", chains);
    }
}

/* 300 pairs are shared in 300 nodes, filed under 256 keys at most: the third page of each bytes is
 * compared with what else is filed under its key. Keys alone share it with the first of these. */
static void narrow_keys_match_falsely(void)
{
    static const char trace[] =
        "context a process\nmap a 0x0 300 anon\ncontext b process\nmap b 0x0 300 anon\n"
        "context c process\nmap c 0x0 300 anon\n"
        "fill a 0x0 300 id:1 step=1\nfill b 0x0 300 id:1 step=1\nscan pass 3\n"
        "fill c 0x0 300 id:1 step=1\nscan pass 2\n";
    static const struct {
        const char *top;
        bool is_narrow;
        bool is_lossy;
    } rows[] = {{"machine = { cam = { key_bits = 64; }; };", false, false},
                {"machine = { cam = { key_bits = 64; verify = false; }; };", false, false},
                {"machine = { cam = { key_bits = 8; }; };", true, false},
                {"machine = { cam = { key_bits = 8; verify = false; }; };", true, true}};
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(PolicyPlay) play =
            policy_play("ksm", rows[i].top, ALL "finder = \"cam\"; ", trace);
        CU_ASSERT_EQUAL(end_of(play, "memory.saved_pages") > 600, rows[i].is_lossy);
        CU_ASSERT(rows[i].is_lossy || end_of(play, "memory.saved_pages") == 600);
        CU_ASSERT_EQUAL(end_of(play, "cam.false_hits") > 44, rows[i].is_narrow);
        CU_ASSERT_EQUAL(end_of(play, "cam.false_merges") > 0, rows[i].is_lossy);
        CU_ASSERT_EQUAL(policy_differences(play) > 0, rows[i].is_lossy);
    }
}

/* Pages 1 .. 20, two of each, are shared in 20 nodes. 20 more pages of the same bytes are found by
 * the CAM: each is compared once with its equal. 20 pages of other bytes are compared with nothing.
 */
static void a_verified_hit_needs_no_walk(void)
{
    static const char trace[] =
        "context a process\nmap a 0x0 20 anon\ncontext b process\nmap b 0x0 20 anon\n"
        "context c process\nmap c 0x0 20 anon\n"
        "fill a 0x0 20 id:1 step=1\nfill b 0x0 20 id:1 step=1\nscan pass 3\nmark \"shared\"\n"
        "fill c 0x0 20 id:1 step=1\nscan pass 2\n";
    g_autoptr(PolicyPlay) tree = policy_play("ksm", "", ALL, trace);
    g_autoptr(PolicyPlay) cam = policy_play("ksm", "", ALL "finder = \"cam\"; ", trace);
    int64_t before = policy_at(cam, "shared", "policy.compares");
    /* Once to see that it is the same, and once when its mapping is changed. */
    CU_ASSERT_EQUAL(end_of(cam, "policy.compares") - before, 20 * 2);
    before = policy_at(tree, "shared", "policy.compares");
    CU_ASSERT(end_of(tree, "policy.compares") - before > 20 * 3);
    CU_ASSERT_EQUAL(end_of(cam, "cam.hits"), 20);
    CU_ASSERT_EQUAL(end_of(cam, "cam.occupancy"), 20);
}

/* ---- The scenarios that the running kernel was asked ---- */

/* Of `ksm.NAME`: what tells of nodes that only a walk past them takes away. */
static bool is_of_stale_nodes(const char *name)
{
    static const char *const ends[] = {
        ".pages_shared",     ".pages_sharing",  ".pages_volatile",    ".stable_node_chains",
        ".stable_node_dups", ".general_profit", ".ksm_merging_pages", ".ksm_process_profit"};
    for (unsigned i = 0; i < G_N_ELEMENTS(ends); i++)
        if (g_str_has_suffix(name, ends[i]))
            return true;
    return false;
}

typedef struct {
    GString *sure;  /* the same with a CAM, always */
    GString *nodes; /* the same but for stale nodes */
} Account;

static void tell(const PfStatInfo *info, PfStatValue value, void *user)
{
    static const char *const told[] = {"ksm.",          "memory.used_",  "memory.saved_pages",
                                       "policy.shared", "policy.broken", "policy.scanned"};
    Account *account = user;
    for (unsigned i = 0; i < G_N_ELEMENTS(told); i++)
        if (g_str_has_prefix(info->name, told[i]) && !g_str_equal(info->name, "ksm.busy_cycles"))
            g_string_append_printf(is_of_stale_nodes(info->name) ? account->nodes : account->sure,
                                   "%s %" G_GINT64_FORMAT "\n", info->name, value.i);
}

/* What ksm counts at each mark of the scenario at PATH. */
static Account account_of(const char *settings, const char *path)
{
    Account account = {g_string_new(NULL), g_string_new(NULL)};
    g_autofree char *all = g_strconcat("pacing = \"trace\"; ", settings, NULL);
    g_autoptr(PolicyPlay) play =
        policy_play_file("ksm", "machine = { cam = { behind = \"none\"; }; };", all, path, false);
    for (size_t i = 0; i < pf_run_mark_count(policy_run(play)); i++)
        pf_run_mark_visit(policy_run(play), i, tell, &account);
    return account;
}

static void account_free(Account *account)
{
    g_string_free(account->sure, TRUE);
    g_string_free(account->nodes, TRUE);
}

/* In these a walk comes past nodes whose pages have all gone, or a chain of one, for other bytes;
 * the CAM names an equal node, or none, without a walk. */
static const char *const with_stale_nodes[] = {
    "chain_choice.trace", "chain_front.trace", "chain_prune_by_time.trace",
    "lone_dup.trace",     "stale_nodes.trace", NULL,
};

static void scenarios_count_the_same_with_a_cam(void)
{
    g_autoptr(GDir) folder = g_dir_open(KSM_SCENARIOS, 0, NULL);
    const char *name;
    unsigned same = 0;
    unsigned others = 0;
    CU_ASSERT_PTR_NOT_NULL_FATAL(folder);
    while ((name = g_dir_read_name(folder)) != NULL) {
        if (!g_str_has_suffix(name, ".trace"))
            continue;
        g_autofree char *path = g_build_filename(KSM_SCENARIOS, name, NULL);
        Account tree = account_of("", path);
        Account cam = account_of("finder = \"cam\"; ", path);
        bool is_same = g_string_equal(tree.nodes, cam.nodes);
        if (!g_string_equal(tree.sure, cam.sure) ||
            is_same == g_strv_contains(with_stale_nodes, name))
            CU_FAIL(name);
        same += is_same;
        others += !is_same;
        account_free(&tree);
        account_free(&cam);
    }
    CU_ASSERT(same >= 40);
    CU_ASSERT_EQUAL(others, G_N_ELEMENTS(with_stale_nodes) - 1);
}

static const PfCheck checks[] = {
    {"ksm shares the same with a CAM", ksm_shares_the_same_with_a_cam},
    {"narrow keys match falsely", narrow_keys_match_falsely},
    {"a verified hit needs no walk", a_verified_hit_needs_no_walk},
    {"scenarios count the same with a CAM", scenarios_count_the_same_with_a_cam},
};

PF_CHECK_MAIN("cam ksm", checks)
