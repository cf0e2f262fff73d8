/* The finder `cam` on the host and the engine that the program has. */
#include "check.h"

#include <string.h>

#include "policy_runs.h"

/* The least CAM by hand: 4 cycles a search, one after another; 2 nJ a search, 1 nJ a write. */
#define FIGURES                                                                                    \
    "latency = 4; cycle = 1; search_nJ = 2.0; write_nJ = 1.0; leakage_mW = 0.0; "                  \
    "area_mm2 = 3.0; "
#define SMALL(more) "machine = { cam = { entries = 16; " FIGURES more " }; };"

#define EACH_ONCE "finder = \"cam\"; pacing = \"trace\"; candidates = \"sequential\"; "

static int64_t end_of(const PolicyPlay *play, const char *name)
{
    return policy_end(play, name).i;
}

/* Pages 1 .. 20 of other bytes each, then the same again. */
static const char twenty_twice[] =
    "context a process\nmap a 0x0 40 anon\nfill a 0x0 20 id:1 step=1\n"
    "fill a 0x14000 20 id:1 step=1\nscan 20\nmark \"half\"\nscan 20\n";

/* Of 20 pages the CAM keeps 16. The last used ones, 5 .. 20: then the second 1 displaces 5, 2
 * displaces 6, and so on: each is gone when its equal is looked for. Or the first ones, 1 .. 16,
 * which refuse any more: the second 17 .. 20 are missed. Or a table has the rest: none is. */
static void what_falls_out_is_lost_unless_there_is_a_table(void)
{
    static const struct {
        const char *top;
        int64_t saved;
        int64_t lost;
        int64_t evictions;
        int64_t refusals;
    } rows[] = {
        {SMALL("behind = \"none\"; "), 0, 20, 4 + 20, 0},
        {SMALL("behind = \"none\"; replacement = \"refuse\"; "), 16, 4, 0, 4 + 4},
        {SMALL(""), 20, 0, 4, 0},
        {SMALL("replacement = \"refuse\"; "), 20, 0, 0, 4},
        {"machine = { cam = \"ideal\"; };", 20, 0, 0, 0},
        {"", 20, 0, 0, 0},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(PolicyPlay) play = policy_play("esx", rows[i].top, EACH_ONCE, twenty_twice);
        CU_ASSERT_EQUAL(end_of(play, "memory.saved_pages"), rows[i].saved);
        CU_ASSERT_EQUAL(end_of(play, "cam.lost"), rows[i].lost);
        CU_ASSERT_EQUAL(end_of(play, "cam.evictions"), rows[i].evictions);
        CU_ASSERT_EQUAL(end_of(play, "cam.refusals"), rows[i].refusals);
        CU_ASSERT_EQUAL(policy_at(play, "half", "cam.searches"), 20);
        CU_ASSERT_EQUAL(end_of(play, "cam.searches"), 40);
        CU_ASSERT_EQUAL(policy_at(play, "half", "cam.occupancy"), i < 4 ? 16 : 20);
        /* The table is made when it is needed. */
        CU_ASSERT_EQUAL(end_of(play, "memory.metadata_bytes") > 0, i == 2 || i == 3);
    }
}

/* 300 pages of other bytes: either is the first of its 8-bit key or is falsely taken for that one,
 * once, and not entered. There are 256 keys. */
static const char three_hundred[] =
    "context a process\nmap a 0x0 300 anon\nfill a 0x0 300 id:1 step=1\nscan 300\n";

static void narrow_keys_match_falsely_and_share_nothing_wrong(void)
{
    g_autoptr(PolicyPlay) play =
        policy_play("esx", "machine = { cam = { key_bits = 8; }; };", EACH_ONCE, three_hundred);
    int64_t entered = end_of(play, "cam.occupancy");
    CU_ASSERT(entered <= 256);
    CU_ASSERT(entered > 100);
    CU_ASSERT_EQUAL(end_of(play, "cam.false_hits"), 300 - entered);
    CU_ASSERT_EQUAL(end_of(play, "cam.false_merges"), 0);
    CU_ASSERT_EQUAL(end_of(play, "memory.saved_pages"), 0);
    CU_ASSERT_STRING_EQUAL(pf_run_remark(policy_run(play)), "not converged");
}

/* Now they are shared with it, and all that is compared is keys. */
static void keys_alone_are_lossy_and_say_so(void)
{
    g_autoptr(PolicyPlay) play = policy_play(
        "esx", "machine = { cam = { key_bits = 8; verify = false; }; };", EACH_ONCE, three_hundred);
    int64_t entered = end_of(play, "cam.occupancy");
    CU_ASSERT(entered <= 256);
    CU_ASSERT_EQUAL(end_of(play, "memory.saved_pages"), 300 - entered);
    CU_ASSERT_EQUAL(end_of(play, "cam.false_merges"), 300 - entered);
    CU_ASSERT_EQUAL(end_of(play, "cam.false_hits"), 300 - entered);
    CU_ASSERT_EQUAL(end_of(play, "cycles.account.compare"), 0);
    CU_ASSERT_STRING_EQUAL(pf_run_remark(policy_run(play)), "lossy, not converged");
    /* Verified once when it is shared, and once at the end. */
    CU_ASSERT(policy_differences(play) >= (uint64_t)(300 - entered));
    /* Without a false match nothing is lost. */
    g_autoptr(PolicyPlay) wide =
        policy_play("esx", "machine = { cam = { verify = false; }; };", EACH_ONCE, twenty_twice);
    CU_ASSERT_EQUAL(end_of(wide, "memory.saved_pages"), 20);
    CU_ASSERT_EQUAL(end_of(wide, "cam.false_merges"), 0);
    CU_ASSERT_EQUAL(policy_differences(wide), 0);
}

/* A cell of a page CAM holds all of the page: one of 300 others is not taken for it. */
static void whole_pages_never_match_falsely(void)
{
    static const char top[] = "machine = { cam = { stores = \"page\"; key_bits = 8; }; };";
    g_autoptr(PolicyPlay) play = policy_play("esx", top, EACH_ONCE, three_hundred);
    CU_ASSERT_EQUAL(end_of(play, "cam.occupancy"), 300);
    CU_ASSERT_EQUAL(end_of(play, "cam.matches"), 0);
    g_autoptr(PolicyPlay) twice = policy_play("esx", top, EACH_ONCE, twenty_twice);
    CU_ASSERT_EQUAL(end_of(twice, "memory.saved_pages"), 20);
    CU_ASSERT_EQUAL(end_of(twice, "cam.false_hits"), 0);
}

/* Page a holds 9 and page b 1; then a is given 1, and b 2. The look at a finds b's old entry,
 * stale, unless the stores to both have marked or cleared theirs. The looks file both anew. */
static void stale_entries_are_found_out_marked_or_cleared(void)
{
    static const char trace[] =
        "context a process\nmap a 0x0 1 anon\ncontext b process\nmap b 0x0 1 anon\n"
        "fill a 0x0 1 id:9\nfill b 0x0 1 id:1\nscan 2\n"
        "fill a 0x0 1 id:1\nfill b 0x0 1 id:2\nmark \"stored\"\nscan 2\n";
    static const struct {
        const char *top;
        int64_t matches;
        int64_t stale;
        int64_t left; /* in use after the stores */
    } rows[] = {
        {SMALL("stale = \"verify\"; "), 1, 0, 2},
        {SMALL("stale = \"dirty-bit\"; "), 0, 2, 2},
        {SMALL("stale = \"delete\"; "), 0, 2, 0},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(PolicyPlay) play = policy_play("esx", rows[i].top, EACH_ONCE, trace);
        CU_ASSERT_EQUAL(end_of(play, "cam.matches"), rows[i].matches);
        CU_ASSERT_EQUAL(end_of(play, "cam.stale"), rows[i].stale);
        CU_ASSERT_EQUAL(end_of(play, "cam.marks"), rows[i].stale);
        CU_ASSERT_EQUAL(policy_at(play, "stored", "cam.occupancy"), rows[i].left);
        CU_ASSERT_EQUAL(end_of(play, "cam.occupancy"), 2);
        CU_ASSERT_EQUAL(end_of(play, "memory.saved_pages"), 0);
    }
}

/* Three pages: three searches and three writes of four cycles each. The last cache takes 45. */
static void who_is_far_from_the_cam_waits_longer(void)
{
    static const char trace[] = "context a process\nmap a 0x0 3 anon\n"
                                "fill a 0x0 3 id:1 step=1\nscan 3\n";
    static const struct {
        const char *top;
        const char *place;
        int64_t cycles;
    } rows[] = {
        {SMALL("at = \"controller\"; "), "", 6 * (4 + 45)},
        {SMALL("at = \"core\"; "), "", 6 * 4},
        {SMALL("at = \"core\"; "), "place = \"stolen\"; ", 6 * (4 + 45)},
        {SMALL("at = \"controller\"; "), "place = \"controller\"; ", 6 * 4},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *settings = g_strconcat(EACH_ONCE, rows[i].place, NULL);
        g_autoptr(PolicyPlay) play = policy_play("esx", rows[i].top, settings, trace);
        CU_ASSERT_EQUAL(end_of(play, "cycles.account.lookup"), rows[i].cycles);
        /* Three searches of 2 nJ, three writes of 1 nJ. */
        CU_ASSERT_DOUBLE_EQUAL(policy_end(play, "cam.energy_J").d, 9e-9, 1e-20);
        CU_ASSERT_DOUBLE_EQUAL(policy_end(play, "energy.account.cam_J").d, 9e-9, 1e-20);
        CU_ASSERT_EQUAL(policy_end(play, "energy.total_J").kind, PF_STAT_NULL);
        CU_ASSERT_DOUBLE_EQUAL(policy_end(play, "cam.area_mm2").d, 3, 0);
    }
}

#define THREE_NODES(scope)                                                                         \
    "machine = { numa = { nodes = 3; }; cam = { entries = 16; remote = "                           \
    "\"0ns\"; " FIGURES "scope = \"" scope "\"; }; };"

/* A search in vain of CAMs of three nodes asks all three, two of them far away. Copies are written
 * twice more. Pages are on the node of their context, 2; the policy is at home on 0. */
static void cams_of_several_nodes_are_asked_and_kept_up_to_date(void)
{
    static const char trace[] = "context a process node=2\nmap a 0x0 12 anon\n"
                                "fill a 0x0 12 id:1 step=1\nscan 12\n";
    g_autoptr(PolicyPlay) node = policy_play("esx", THREE_NODES("node"), EACH_ONCE, trace);
    CU_ASSERT_EQUAL(end_of(node, "cam.searches"), 12 * 3);
    CU_ASSERT_EQUAL(end_of(node, "cam.remote_searches"), 12 * 2);
    CU_ASSERT_EQUAL(end_of(node, "cam.inserts"), 12);
    CU_ASSERT_EQUAL(end_of(node, "cam.remote_updates"), 12);
    g_autoptr(PolicyPlay) copies = policy_play("esx", THREE_NODES("replicated"), EACH_ONCE, trace);
    CU_ASSERT_EQUAL(end_of(copies, "cam.searches"), 12);
    CU_ASSERT_EQUAL(end_of(copies, "cam.remote_searches"), 0);
    CU_ASSERT_EQUAL(end_of(copies, "cam.remote_updates"), 12 * 2);
    /* 12 searches, 12 writes in each of three. */
    CU_ASSERT_DOUBLE_EQUAL(policy_end(copies, "cam.energy_J").d, (12 * 2 + 36) * 1e-9, 1e-20);
    CU_ASSERT_DOUBLE_EQUAL(policy_end(copies, "cam.area_mm2").d, 3 * 3, 0);
    g_autoptr(PolicyPlay) hashed = policy_play("esx", THREE_NODES("hashed"), EACH_ONCE, trace);
    int64_t far = end_of(hashed, "cam.remote_searches");
    CU_ASSERT_EQUAL(end_of(hashed, "cam.searches"), 12);
    CU_ASSERT(far > 0 && far < 12);
    CU_ASSERT_EQUAL(end_of(hashed, "cam.remote_updates"), far);
}

/* ---- ksm ---- */

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

/* With a CAM on each node a search begins at the node where the policy works; where its cycles are
 * stolen that moves with the page that it looks at, while the search goes on. No entry is met
 * twice. */
static void a_search_goes_on_where_it_began(void)
{
    static const char trace[] =
        "context c0 process node=1 core=0\nmap c0 0x3000 3 anon\n"
        "context c1 process node=0\nmap c1 0x0 3 anon\nfork c0 c2\nwrite c2 0x3cb7 2 2\n"
        "write c2 0x5c9e 8 0\nwrite c1 0x86f 6 1\ninit c0 0x5000 1 hex:dead\n"
        "attr c2 0x3000 1 pinned\nscan 3\nfill c2 0x3000 3 zero\nmap c1 0x3000 1 shmem=s:0\n"
        "fork c2 c3\nwrite c3 0x3e37 6 0\ninit c2 0x4000 2 id:3\nscan pass 2\n";
    static const char top[] = "machine = { cores = 2; colors = 4; numa = { nodes = 2; }; "
                              "cam = { entries = 64; scope = \"node\"; " FIGURES "}; };";
    g_autoptr(PolicyPlay) play = policy_play(
        "esx", top, EACH_ONCE "place = \"stolen\"; filters = (\"flagged\"); "
        "flagged = { accesses = 1; of = \"access\"; }; ", trace);
    CU_ASSERT_EQUAL(policy_differences(play), 0);
}

static const PfCheck checks[] = {
    {"a search goes on where it began", a_search_goes_on_where_it_began},
    {"what falls out is lost unless there is a table",
     what_falls_out_is_lost_unless_there_is_a_table},
    {"narrow keys match falsely and share nothing wrong",
     narrow_keys_match_falsely_and_share_nothing_wrong},
    {"keys alone are lossy and say so", keys_alone_are_lossy_and_say_so},
    {"whole pages never match falsely", whole_pages_never_match_falsely},
    {"stale entries are found out, marked or cleared",
     stale_entries_are_found_out_marked_or_cleared},
    {"who is far from the CAM waits longer", who_is_far_from_the_cam_waits_longer},
    {"CAMs of several nodes are asked and kept up to date",
     cams_of_several_nodes_are_asked_and_kept_up_to_date},
    {"ksm shares the same with a CAM", ksm_shares_the_same_with_a_cam},
    {"a verified hit needs no walk", a_verified_hit_needs_no_walk},
};

PF_CHECK_MAIN("cam runs", checks)
