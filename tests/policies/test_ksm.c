/* Policy `ksm` beyond what the running kernel can be asked: time, older kernels, batches of new
 * pages, tuning, scopes. What the kernel can be asked is in tests/scenarios/ksm. */
#include "check.h"

#include "ksm_runs.h"

#define TRACE_PACING "pacing = \"trace\"; "
#define NO_SMART     TRACE_PACING "smart_scan = false; "

/* A page that never merges is looked at when it is 0, 1, 2, 3, 5, 8, 13, 22 and 31 passes old. */
static void smart_scan_visits_lonely_pages_ever_less(void)
{
    static const int visits[] = {0, 1, 2, 3, 5, 8, 13, 22, 31};
    g_autoptr(GString) trace = g_string_new("context a process\nmap a 0x10000 1 anon mergeable\n"
                                            "fill a 0x10000 1 id:1\n");
    for (int pass = 0; pass < 33; pass++)
        g_string_append_printf(trace, "scan pass 1\nmark \"%d\"\n", pass);
    g_autoptr(KsmPlay) play = ksm_play("", TRACE_PACING, trace->str);
    int expected = 0;
    for (int pass = 0; pass < 33; pass++) {
        g_autofree char *label = g_strdup_printf("%d", pass);
        for (unsigned i = 0; i < G_N_ELEMENTS(visits); i++)
            expected += visits[i] == pass;
        CU_ASSERT_EQUAL(ksm_at(play, label, "ksm.pages_scanned"), expected);
        CU_ASSERT_EQUAL(ksm_at(play, label, "ksm.pages_skipped"), pass + 1 - expected);
        CU_ASSERT_EQUAL(ksm_at(play, label, "ksm.full_scans"), pass + 1);
    }
}

/* Two pages share a frame when a third one with the same bytes comes. */
static const char latecomer[] = "context a process\nmap a 0x10000 3 anon mergeable\n"
                                "fill a 0x10000 2 id:1\nscan pass 2\nmark \"two\"\n"
                                "fill a 0x12000 1 id:1\nscan pass 1\nmark \"come\"\n"
                                "scan pass 1\nmark \"stayed\"\n";

static void kernels_before_6_11_ask_the_stable_tree_first(void)
{
    static const struct {
        const char *version;
        int64_t sharing;
    } rows[] = {{"6.18", 1}, {"6.6", 2}, {"2.6.32", 2}};
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *settings =
            g_strdup_printf(NO_SMART "version = \"%s\"; ", rows[i].version);
        g_autoptr(KsmPlay) play = ksm_play("", settings, latecomer);
        CU_ASSERT_EQUAL(ksm_at(play, "two", "ksm.pages_sharing"), 1);
        CU_ASSERT_EQUAL(ksm_at(play, "come", "ksm.pages_sharing"), rows[i].sharing);
        CU_ASSERT_EQUAL(ksm_at(play, "stayed", "ksm.pages_sharing"), 2);
    }
}

/* Two pages: batches of 1, 1 and 9, of which the last finds the pass at its end; then one of 1 and
 * one of 9 that visits another page before the pass ends. */
static void kernel_6_6_forgets_pages_of_batches_cut_short(void)
{
    static const char trace[] = "context a process\nmap a 0x10000 2 anon mergeable\n"
                                "fill a 0x10000 2 id:1 step=1\nscan 1\nscan 1\nscan 9\n"
                                "mark \"whole\"\nscan 1\nscan 9\nmark \"cut\"\n";
    g_autoptr(KsmPlay) old = ksm_play("", NO_SMART "version = \"6.6\"; ", trace);
    CU_ASSERT_EQUAL(ksm_at(old, "whole", "ksm.pages_scanned"), 2);
    CU_ASSERT_EQUAL(ksm_at(old, "cut", "ksm.pages_scanned"), 3);
    CU_ASSERT_EQUAL(ksm_at(old, "cut", "policy.scanned"), 4);
    g_autoptr(KsmPlay) young = ksm_play("", NO_SMART, trace);
    CU_ASSERT_EQUAL(ksm_at(young, "whole", "ksm.pages_scanned"), 2);
    CU_ASSERT_EQUAL(ksm_at(young, "cut", "ksm.pages_scanned"), 4);
}

static void old_kernels_have_no_smart_scan_and_the_first_no_limit(void)
{
    static const char trace[] = "context a process\nmap a 0x10000 301 anon mergeable\n"
                                "fill a 0x10000 300 id:1 step=0\nfill a 0x13c000 1 id:2\n"
                                "control ksm.smart_scan 1\ncontrol ksm.max_page_sharing 2\n"
                                "scan pass 9\nmark \"end\"\n";
    g_autoptr(KsmPlay) first = ksm_play("", TRACE_PACING "version = \"2.6.32\"; ", trace);
    CU_ASSERT_EQUAL(ksm_at(first, "end", "policy.refused_controls"), 2);
    CU_ASSERT_EQUAL(ksm_at(first, "end", "ksm.pages_shared"), 1);
    CU_ASSERT_EQUAL(ksm_at(first, "end", "ksm.pages_sharing"), 299);
    CU_ASSERT_EQUAL(ksm_at(first, "end", "ksm.pages_skipped"), 0);
    /* 6.6 takes the limit: 150 pairs in one chain. */
    g_autoptr(KsmPlay) second = ksm_play("", TRACE_PACING "version = \"6.6\"; ", trace);
    CU_ASSERT_EQUAL(ksm_at(second, "end", "policy.refused_controls"), 1);
    CU_ASSERT_EQUAL(ksm_at(second, "end", "ksm.pages_shared"), 150);
    CU_ASSERT_EQUAL(ksm_at(second, "end", "ksm.stable_node_dups"), 150);
    CU_ASSERT_EQUAL(ksm_at(second, "end", "ksm.pages_skipped"), 0);
}

static void kernel_6_6_lets_a_child_inherit_counters(void)
{
    static const char trace[] = "context a process\nmap a 0x10000 3 anon mergeable\n"
                                "fill a 0x10000 3 id:1\nscan pass 2\nfork a b\nmark \"fork\"\n";
    g_autoptr(KsmPlay) old = ksm_play("", NO_SMART "version = \"6.6\"; ", trace);
    CU_ASSERT_EQUAL(ksm_at(old, "fork", "ksm.context.b.ksm_rmap_items"), 3);
    CU_ASSERT_EQUAL(ksm_at(old, "fork", "ksm.context.b.ksm_merging_pages"), 3);
    g_autoptr(KsmPlay) young = ksm_play("", NO_SMART, trace);
    CU_ASSERT_EQUAL(ksm_at(young, "fork", "ksm.context.b.ksm_rmap_items"), 0);
    CU_ASSERT_EQUAL(ksm_at(young, "fork", "ksm.context.b.ksm_merging_pages"), 0);
}

/* Batches of 100 pages, the first at the map, which finds no page yet. They sleep 20 ms, 5 ticks of
 * 4 ms, and one tick more: batches at 24, 48 and 72 ms, as one takes about 0.1 ms. A sleep of 1 s
 * that is begun at 90 ms, in tick 22, is 250 ticks and ends behind tick 272, at one that 8 divides:
 * 280, which is at 1120 ms. */
static void batches_come_with_time(void)
{
    static const char trace[] =
        "context a process\nmap a 0x100000 1000 anon mergeable\n"
        "fill a 0x100000 1000 id:1 step=1\ntime 15ms\nmark \"15\"\ntime 90ms\nmark \"90\"\n"
        "control ksm.sleep_millisecs 1000\ntime 91ms\nmark \"woken\"\ntime 1119ms\n"
        "mark \"1119\"\ntime 1121ms\nmark \"1121\"\ncontrol ksm.run 0\ntime 3s\n"
        "mark \"stopped\"\ncontrol ksm.pages_to_scan 7\n"
        "control ksm.run 1\ntime 3001ms\nmark \"runs\"\n";
    g_autoptr(KsmPlay) play = ksm_play("", "", trace);
    CU_ASSERT_EQUAL(ksm_at(play, "15", "ksm.pages_scanned"), 0);
    CU_ASSERT_EQUAL(ksm_at(play, "90", "ksm.pages_scanned"), 300);
    CU_ASSERT_EQUAL(ksm_at(play, "woken", "ksm.pages_scanned"), 400);
    CU_ASSERT_EQUAL(ksm_at(play, "1119", "ksm.pages_scanned"), 400);
    CU_ASSERT_EQUAL(ksm_at(play, "1121", "ksm.pages_scanned"), 500);
    CU_ASSERT_EQUAL(ksm_at(play, "stopped", "ksm.pages_scanned"), 500);
    CU_ASSERT_EQUAL(ksm_at(play, "runs", "ksm.pages_scanned"), 507);
}

/* Passes of less than a second and of less than 20 ms of work: 1 % CPU, of which 10 may be used, so
 * each pass allows ten times the pages of the one before, and 30,000 at most. */
static void the_advisor_sets_pages_to_scan(void)
{
    static const char trace[] =
        "context a process\nmap a 0x100000 10 anon mergeable\nfill a 0x100000 10 id:1 step=1\n"
        "control ksm.advisor_mode scan-time\nmark \"chosen\"\ncontrol ksm.pages_to_scan 9\n"
        "scan pass 1\nmark \"1\"\nscan pass 1\nmark \"2\"\ncontrol ksm.advisor_mode none\n"
        "mark \"left\"\ncontrol ksm.pages_to_scan 9\nmark \"free\"\n";
    g_autoptr(KsmPlay) play = ksm_play("", TRACE_PACING, trace);
    CU_ASSERT_EQUAL(ksm_at(play, "chosen", "ksm.pages_to_scan"), 500);
    CU_ASSERT_EQUAL(ksm_at(play, "1", "policy.refused_controls"), 1);
    CU_ASSERT_EQUAL(ksm_at(play, "1", "ksm.pages_to_scan"), 5000);
    CU_ASSERT_EQUAL(ksm_at(play, "2", "ksm.pages_to_scan"), 30000);
    CU_ASSERT_EQUAL(ksm_at(play, "left", "ksm.pages_to_scan"), 100);
    CU_ASSERT_EQUAL(ksm_at(play, "free", "ksm.pages_to_scan"), 9);
}

/* 64 MiB, of which 12.8 have to be free. First 256 pages are in use, then 13,568 more: 53 MiB. */
static void ksmtuned_looks_once_a_minute(void)
{
    static const char trace[] =
        "context a process\nmap a 0x1000000 16384 anon mergeable\n"
        "fill a 0x1000000 256 id:1 step=1\ntime 59s\nmark \"59\"\ntime 61s\nmark \"61\"\n"
        "fill a 0x1100000 13568 id:1000 step=1\ntime 119s\nmark \"119\"\ntime 121s\n"
        "mark \"121\"\ntime 181s\nmark \"181\"\nunmap a 0x1000000 16384\ntime 241s\n"
        "mark \"241\"\n";
    g_autoptr(KsmPlay) play =
        ksm_play("machine = { memory = \"64MiB\"; };", "ksmtuned = true; ", trace);
    CU_ASSERT_EQUAL(ksm_at(play, "59", "ksm.run"), 1);
    CU_ASSERT_EQUAL(ksm_at(play, "61", "ksm.run"), 0);
    CU_ASSERT_EQUAL(ksm_at(play, "119", "ksm.run"), 0);
    CU_ASSERT_EQUAL(ksm_at(play, "121", "ksm.run"), 1);
    CU_ASSERT_EQUAL(ksm_at(play, "121", "ksm.pages_to_scan"), 300);
    CU_ASSERT_EQUAL(ksm_at(play, "181", "ksm.pages_to_scan"), 600);
    /* It sleeps 10 ms for 16 GiB, so 2560 ms here: 24 batches in 60 s, less what they take. */
    int64_t scanned = ksm_at(play, "181", "ksm.pages_scanned");
    scanned -= ksm_at(play, "121", "ksm.pages_scanned");
    CU_ASSERT_TRUE(scanned > 20 * 300 && scanned <= 24 * 300);
    CU_ASSERT_EQUAL(ksm_at(play, "241", "ksm.run"), 0);
}

static void scope_anon_needs_no_advice(void)
{
    static const char trace[] = "context a process\nmap a 0x10000 2 anon\nfill a 0x10000 2 id:1\n"
                                "scan pass 2\nmark \"end\"\n";
    g_autoptr(KsmPlay) advised = ksm_play("", NO_SMART, trace);
    CU_ASSERT_EQUAL(ksm_at(advised, "end", "ksm.pages_sharing"), 0);
    CU_ASSERT_EQUAL(ksm_at(advised, "end", "ksm.full_scans"), 0);
    g_autoptr(KsmPlay) all = ksm_play("", NO_SMART "scope = \"anon\"; ", trace);
    CU_ASSERT_EQUAL(ksm_at(all, "end", "ksm.pages_sharing"), 1);
}

/* Shared memory is never merged; of a private file mapping what was written is. */
static void files_merge_where_they_were_written(void)
{
    static const char trace[] =
        "context a process\nmap a 0x10000 2 shmem=s:0 mergeable\n"
        "map a 0x20000 3 file=f:0 mergeable\nfill a 0x10000 2 id:1\nfill a 0x20000 2 id:1\n"
        "read a 0x22000 1\nscan pass 3\nmark \"end\"\n";
    g_autoptr(KsmPlay) play = ksm_play("", NO_SMART, trace);
    CU_ASSERT_EQUAL(ksm_at(play, "end", "ksm.context.a.ksm_rmap_items"), 2);
    CU_ASSERT_EQUAL(ksm_at(play, "end", "ksm.pages_shared"), 1);
    CU_ASSERT_EQUAL(ksm_at(play, "end", "ksm.pages_sharing"), 1);
}

/* Each item and each node takes 64 bytes: five items, two nodes and a chain for the four equal
 * pages, of which two may share a frame. */
static void metadata_are_items_and_nodes(void)
{
    static const char trace[] = "context a process\nmap a 0x10000 5 anon mergeable\n"
                                "control ksm.max_page_sharing 2\nfill a 0x10000 4 id:1 step=0\n"
                                "fill a 0x14000 1 id:2\nscan pass 3\nmark \"end\"\n";
    g_autoptr(KsmPlay) play = ksm_play("", NO_SMART, trace);
    CU_ASSERT_EQUAL(ksm_at(play, "end", "ksm.stable_node_chains"), 1);
    CU_ASSERT_EQUAL(ksm_at(play, "end", "memory.metadata_bytes"), (5 + 2 + 1) * 64);
    CU_ASSERT_EQUAL(ksm_at(play, "end", "memory.saved_pages"), 2);
}

/* Pages 0 and 1 of a share a frame until both are written. The child, which is scanned first, has
 * its page 1 merged with its page 0, and so page 1 of a comes to a shared frame again without a
 * merge. Pages 3 and 4 of the child come to one too, but have not been on another. */
static void chances_to_overlook_a_page_are_told(void)
{
    static const char trace[] = "context a process\nmap a 0x10000 5 anon mergeable\n"
                                "fill a 0x10000 2 id:2\nfill a 0x13000 2 id:1\nscan pass 2\n"
                                "scan 3\nfill a 0x10000 2 id:3\nfork a b\nscan pass 2\n"
                                "mark \"before\"\nscan pass 1\nmark \"merged\"\n";
    g_autoptr(KsmPlay) play = ksm_play("", NO_SMART, trace);
    CU_ASSERT_EQUAL(ksm_at(play, "before", "ksm.overlookable"), 0);
    CU_ASSERT_EQUAL(ksm_at(play, "before", "ksm.pages_shared"), 1);
    CU_ASSERT_EQUAL(ksm_at(play, "merged", "ksm.pages_shared"), 2);
    CU_ASSERT_EQUAL(ksm_at(play, "merged", "ksm.pages_sharing"), 3 + 3);
    CU_ASSERT_EQUAL(ksm_at(play, "merged", "ksm.overlookable"), 1);
}

/* What a store to a merged page copies is told as the kernel does in vmstat. */
static void copies_of_merged_pages_are_counted(void)
{
    static const char trace[] = "context a process\nmap a 0x10000 3 anon mergeable\n"
                                "fill a 0x10000 3 id:1\nscan pass 2\ntouch a 0x10000 3\n"
                                "touch a 0x10000 3\nmark \"end\"\n";
    g_autoptr(KsmPlay) play = ksm_play("", NO_SMART, trace);
    CU_ASSERT_EQUAL(ksm_at(play, "end", "ksm.cow_ksm"), 3);
    CU_ASSERT_EQUAL(ksm_at(play, "end", "policy.broken"), 3);
}

#define TWO_NODES "machine = { numa = { nodes = 2; }; };"

/* Two pages of a, two of b, and one of c, all equal; a and c are on node 0, b is on node 1. */
static const char nodes_trace[] =
    "%scontext a process node=0\ncontext b process node=1\ncontext c process core=0\n"
    "map a 0x10000 2 anon mergeable\nmap b 0x10000 2 anon mergeable\n"
    "map c 0x10000 1 anon mergeable\nfill a 0x10000 2 id:1\nfill b 0x10000 2 id:1\n"
    "fill c 0x10000 1 id:1\nscan pass 2\nmark \"end\"\ncontrol ksm.merge_across_nodes %u\n"
    "control ksm.run 2\ncontrol ksm.merge_across_nodes %u\nmark \"empty\"\n"
    "control ksm.run 1\nscan pass 2\nmark \"again\"\n";

static void nodes_are_merged_across_only_if_allowed(void)
{
    for (unsigned across = 0; across < 2; across++) {
        g_autofree char *first = g_strdup_printf("control ksm.merge_across_nodes %u\n", across);
        g_autofree char *trace = g_strdup_printf(nodes_trace, first, 1 - across, 1 - across);
        g_autoptr(KsmPlay) play = ksm_play(TWO_NODES, NO_SMART, trace);
        /* Each tree has a frame of its own: of three pages and of two. */
        CU_ASSERT_EQUAL(ksm_at(play, "end", "ksm.pages_shared"), across ? 1 : 2);
        CU_ASSERT_EQUAL(ksm_at(play, "end", "ksm.pages_sharing"), across ? 4 : 3);
        CU_ASSERT_EQUAL(ksm_at(play, "end", "ksm.context.b.ksm_merging_pages"), 2);
        CU_ASSERT_EQUAL(ksm_at(play, "end", "ksm.context.c.ksm_merging_pages"), 1);
        /* Refused while pages are shared. */
        CU_ASSERT_EQUAL(ksm_at(play, "empty", "policy.refused_controls"), 1);
        CU_ASSERT_EQUAL(ksm_at(play, "empty", "ksm.pages_shared"), 0);
        CU_ASSERT_EQUAL(ksm_at(play, "empty", "memory.metadata_bytes"), 0);
        CU_ASSERT_EQUAL(ksm_at(play, "again", "ksm.pages_shared"), across ? 2 : 1);
        CU_ASSERT_EQUAL(ksm_at(play, "again", "ksm.pages_sharing"), across ? 3 : 4);
    }
}

static void exits_of_contexts_that_are_not_scanned_change_nothing(void)
{
    static const char trace[] = "context a process\nmap a 0x10000 2 anon mergeable\n"
                                "context b process\nmap b 0x10000 1 anon\nfill b 0x10000 1 id:1\n"
                                "fill a 0x10000 2 id:1\nscan pass 1\nexit b\nscan pass 1\n"
                                "mark \"end\"\n";
    g_autoptr(KsmPlay) play = ksm_play("", NO_SMART, trace);
    CU_ASSERT_EQUAL(ksm_at(play, "end", "ksm.full_scans"), 2);
    CU_ASSERT_EQUAL(ksm_at(play, "end", "ksm.pages_sharing"), 1);
}

/* On one node, and with one node used of two, it makes no difference. */
static void one_node_is_merged_either_way(void)
{
    static const char *const tops[] = {"", TWO_NODES};
    for (unsigned i = 0; i < 4; i++) {
        g_autofree char *trace = g_strdup_printf(
            "control ksm.merge_across_nodes %u\ncontext a process node=1\n"
            "map a 0x10000 8 anon mergeable\nfill a 0x10000 4 id:1 step=1\n"
            "fill a 0x14000 4 id:1 step=1\nscan pass 2\nmark \"end\"\n",
            i % 2);
        g_autoptr(KsmPlay) play = ksm_play(tops[i / 2], NO_SMART, trace);
        CU_ASSERT_EQUAL(ksm_at(play, "end", "ksm.pages_shared"), 4);
        CU_ASSERT_EQUAL(ksm_at(play, "end", "ksm.pages_sharing"), 4);
        CU_ASSERT_EQUAL(ksm_at(play, "end", "ksm.pages_unshared"), 0);
    }
}

/* Of eight frames four are on each node. The fifth page of b, which is on node 1, goes to node 0
 * and is equal to that of a. */
static void a_full_node_borrows_from_the_next(void)
{
    static const char trace[] =
        "control ksm.merge_across_nodes 0\ncontext a process node=0\ncontext b process node=1\n"
        "map a 0x10000 1 anon mergeable\nmap b 0x10000 5 anon mergeable\n"
        "fill a 0x10000 1 id:4\nfill b 0x10000 5 id:0 step=1\nscan pass 2\nmark \"end\"\n";
    g_autoptr(KsmPlay) play = ksm_play(
        "machine = { memory = \"32KiB\"; numa = { nodes = 2; }; };", NO_SMART, trace);
    CU_ASSERT_EQUAL(ksm_at(play, "end", "ksm.pages_shared"), 1);
    CU_ASSERT_EQUAL(ksm_at(play, "end", "ksm.pages_sharing"), 1);
    CU_ASSERT_EQUAL(ksm_at(play, "end", "ksm.pages_unshared"), 4);
}

static void scenarios_change_no_byte(void)
{
    g_autoptr(GDir) folder = g_dir_open(KSM_SCENARIOS, 0, NULL);
    const char *name;
    unsigned count = 0;
    CU_ASSERT_PTR_NOT_NULL_FATAL(folder);
    while ((name = g_dir_read_name(folder)) != NULL) {
        if (!g_str_has_suffix(name, ".trace"))
            continue;
        g_autofree char *path = g_build_filename(KSM_SCENARIOS, name, NULL);
        /* The second way of each thing: an old kernel, batches, cycles of the contexts, nodes. */
        g_autoptr(KsmPlay) one = ksm_play_file("", TRACE_PACING, path);
        g_autoptr(KsmPlay) other = ksm_play_file(
            "timing = \"full\"; " TWO_NODES,
            TRACE_PACING "version = \"6.6\"; lru_batch = 31; place = \"stolen\"; "
                         "merge_across_nodes = false; ",
            path);
        count += one != NULL && other != NULL;
    }
    CU_ASSERT_TRUE(count > 5);
}

static const PfCheck checks[] = {
    {"smart scan visits lonely pages ever less", smart_scan_visits_lonely_pages_ever_less},
    {"kernels before 6.11 ask the stable tree first",
     kernels_before_6_11_ask_the_stable_tree_first},
    {"kernel 6.6 forgets pages of batches that are cut short",
     kernel_6_6_forgets_pages_of_batches_cut_short},
    {"old kernels have no smart scan, and the first has no limit",
     old_kernels_have_no_smart_scan_and_the_first_no_limit},
    {"kernel 6.6 lets a child inherit counters", kernel_6_6_lets_a_child_inherit_counters},
    {"batches come with time", batches_come_with_time},
    {"the advisor sets pages_to_scan", the_advisor_sets_pages_to_scan},
    {"ksmtuned looks once a minute", ksmtuned_looks_once_a_minute},
    {"scope anon needs no advice", scope_anon_needs_no_advice},
    {"files merge where they were written", files_merge_where_they_were_written},
    {"metadata are items and nodes", metadata_are_items_and_nodes},
    {"chances to overlook a page are told", chances_to_overlook_a_page_are_told},
    {"pages of two nodes are merged only if that is allowed",
     nodes_are_merged_across_only_if_allowed},
    {"the exit of a context that is not scanned changes nothing",
     exits_of_contexts_that_are_not_scanned_change_nothing},
    {"pages of one node are merged either way", one_node_is_merged_either_way},
    {"a full node borrows from the next", a_full_node_borrows_from_the_next},
    {"copies of merged pages are counted", copies_of_merged_pages_are_counted},
    {"scenarios change no byte, whatever the settings", scenarios_change_no_byte},
};

PF_CHECK_MAIN("ksm", checks)
