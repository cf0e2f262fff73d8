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
        CU_ASSERT_EQUAL(end_of(play, "reason.limit"), rows[i].lost);
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

/* The same pages of two contexts on two nodes: what a hint has to do is done on its own core, and
 * the search goes on from the node that began it. */
static void a_search_goes_on_where_it_began(void)
{
    static const char trace[] = "context a process node=0\nmap a 0x0 150 anon\n"
                                "context b process node=1\nmap b 0x0 150 anon\n"
                                "fill a 0x0 150 id:1 step=1\nfill b 0x0 150 id:151 step=1\n"
                                "scan 300\n";
    static const char top[] = "machine = { cores = 2; numa = { nodes = 2; };"
                              " cam = { key_bits = 8; scope = \"node\"; }; };";
    g_autoptr(PolicyPlay) play = policy_play("esx", top, EACH_ONCE "place = \"stolen\"; ", trace);
    int64_t entered = end_of(play, "cam.occupancy");
    CU_ASSERT(entered > 100 && entered <= 256);
    CU_ASSERT_EQUAL(end_of(play, "cam.false_hits"), 300 - entered);
    /* Every search asks both, as none ends with a match that is right. */
    CU_ASSERT_EQUAL(end_of(play, "cam.searches"), 300 * 2);
    CU_ASSERT_EQUAL(end_of(play, "cam.remote_searches"), 300);
}

/* 16 of the pages lie in the CAM, the others in the table behind it, most falsely found there. */
static void false_matches_of_the_table_are_none_of_the_cam(void)
{
    g_autoptr(PolicyPlay) play = policy_play(
        "esx", SMALL("key_bits = 8; replacement = \"refuse\"; "), EACH_ONCE, three_hundred);
    int64_t false_hits = end_of(play, "cam.false_hits");
    CU_ASSERT_EQUAL(end_of(play, "cam.occupancy"), 16);
    CU_ASSERT_EQUAL(false_hits, end_of(play, "cam.matches"));
    CU_ASSERT(false_hits < end_of(play, "esx.false_matches"));
    CU_ASSERT(false_hits > 0);
}

/* Figures for a page, and for fewer entries than the card's least, are guesses. */
static void figures_beyond_the_card_are_marked(void)
{
    static const struct {
        const char *top;
        const char *remark;
        int64_t extrapolated;
    } rows[] = {
        {"machine = { cam = { entries = 64; }; };", "not converged", 0},
        {"machine = { cam = { entries = 63; allow_extrapolation = true; }; };",
         "CAM extrapolated, not converged", 1},
        {"machine = { cam = { stores = \"page\"; verify = false; }; };",
         "CAM extrapolated, lossy, not converged", 1},
        {SMALL("stores = \"page\"; "), "not converged", 0},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(PolicyPlay) play = policy_play("esx", rows[i].top, EACH_ONCE, twenty_twice);
        CU_ASSERT_STRING_EQUAL(pf_run_remark(policy_run(play)), rows[i].remark);
        CU_ASSERT_EQUAL(end_of(play, "cam.extrapolated"), rows[i].extrapolated);
    }
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
        CU_ASSERT_DOUBLE_EQUAL(policy_end(play, "energy.account.cam.dynamic_J").d, 9e-9, 1e-20);
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
    /* 12 stores clear 12 entries: a search and a write in each of three. */
    static const char stored[] = "context a process node=2\nmap a 0x0 12 anon\n"
                                 "fill a 0x0 12 id:1 step=1\nscan 12\n"
                                 "fill a 0x0 12 id:21 step=1\n";
    g_autoptr(PolicyPlay) cleared =
        policy_play("esx", THREE_NODES("replicated\"; stale = \"delete"), EACH_ONCE, stored);
    CU_ASSERT_EQUAL(end_of(cleared, "cam.occupancy"), 0);
    CU_ASSERT_EQUAL(end_of(cleared, "cam.remote_updates"), 12 * 2 * 2);
    CU_ASSERT_DOUBLE_EQUAL(policy_end(cleared, "cam.energy_J").d,
                           (12 * 2 + 36 + 36 * (2 + 1)) * 1e-9, 1e-20);
    g_autoptr(PolicyPlay) near =
        policy_play("esx", THREE_NODES("node\"; stale = \"delete"), EACH_ONCE, stored);
    CU_ASSERT_EQUAL(end_of(near, "cam.occupancy"), 0);
    g_autoptr(PolicyPlay) hashed = policy_play("esx", THREE_NODES("hashed"), EACH_ONCE, trace);
    int64_t far = end_of(hashed, "cam.remote_searches");
    CU_ASSERT_EQUAL(end_of(hashed, "cam.searches"), 12);
    CU_ASSERT(far > 0 && far < 12);
    CU_ASSERT_EQUAL(end_of(hashed, "cam.remote_updates"), far);
}

static const PfCheck checks[] = {
    {"what falls out is lost unless there is a table",
     what_falls_out_is_lost_unless_there_is_a_table},
    {"narrow keys match falsely and share nothing wrong",
     narrow_keys_match_falsely_and_share_nothing_wrong},
    {"a search goes on where it began", a_search_goes_on_where_it_began},
    {"false matches of the table are none of the CAM",
     false_matches_of_the_table_are_none_of_the_cam},
    {"figures beyond the card are marked", figures_beyond_the_card_are_marked},
    {"keys alone are lossy and say so", keys_alone_are_lossy_and_say_so},
    {"whole pages never match falsely", whole_pages_never_match_falsely},
    {"stale entries are found out, marked or cleared",
     stale_entries_are_found_out_marked_or_cleared},
    {"who is far from the CAM waits longer", who_is_far_from_the_cam_waits_longer},
    {"CAMs of several nodes are asked and kept up to date",
     cams_of_several_nodes_are_asked_and_kept_up_to_date},
};

PF_CHECK_MAIN("cam runs", checks)
