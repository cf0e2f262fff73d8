/* Policy `ksm`: what its files in /sys/kernel/mm/ksm take, and what follows from them with time:
 * when batches come, and what the advisor makes of it. */
#include "check.h"

#include "ksm_runs.h"

#define NO_SMART "smart_scan = false; "

/* A cycle is a microsecond: a page takes a millisecond or more. */
#define SLOW "machine = { clock = \"1MHz\"; }; "

enum { CYCLES_A_MS = 1000 };

/* As Linux 6.18 does, asked file by file. */
static void files_take_what_the_kernel_takes(void)
{
    static const struct {
        const char *key;
        const char *taken[4];
        const char *refused[5];
    } rows[] = {
        {"run", {"0", "1", "2"}, {"3", "-1", "x", ""}},
        {"pages_to_scan", {"0", "4294967295"}, {"4294967296", "-1", "x"}},
        {"sleep_millisecs", {"0", "4294967295"}, {"4294967296", "-1", "x"}},
        {"stable_node_chains_prune_millisecs", {"0", "4294967295"}, {"4294967296", "-1"}},
        {"max_page_sharing", {"2", "2147483647"}, {"1", "0", "2147483648", "x"}},
        {"merge_across_nodes", {"0", "1"}, {"2", "-1", "x"}},
        {"smart_scan", {"0", "1", "101", "Yes"}, {"2", "4294967295", "-1", "x", "o"}},
        {"use_zero_pages", {"true", "on", "no", "off"}, {"2", "x", "oh"}},
        {"advisor_max_cpu", {"0", "101", "4294967296"}, {"-1", "x"}},
        {"advisor_min_pages_to_scan", {"0", "4294967296"}, {"-1", "x"}},
        {"advisor_max_pages_to_scan", {"0", "4294967296"}, {"-1", "x"}},
        {"advisor_target_scan_time", {"1", "4294967296"}, {"0", "-1", "x"}},
        {"advisor_mode", {"scan-time", "none"}, {"scan", "fast"}},
        {"lru_batch", {NULL}, {"0", "31"}},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GString) trace = g_string_new(NULL);
        unsigned refused = 0;
        for (unsigned j = 0; j < 4 && rows[i].taken[j] != NULL; j++)
            g_string_append_printf(trace, "control ksm.%s \"%s\"\n", rows[i].key,
                                   rows[i].taken[j]);
        g_string_append(trace, "mark \"taken\"\n");
        for (; refused < 5 && rows[i].refused[refused] != NULL; refused++)
            g_string_append_printf(trace, "control ksm.%s \"%s\"\n", rows[i].key,
                                   rows[i].refused[refused]);
        g_string_append(trace, "mark \"refused\"\n");
        g_autoptr(KsmPlay) play = ksm_play("", "pacing = \"trace\"; ", trace->str);
        CU_ASSERT_EQUAL(ksm_at(play, "taken", "policy.refused_controls"), 0);
        CU_ASSERT_EQUAL(ksm_at(play, "refused", "policy.refused_controls"), refused);
    }
}

/* Which of the files there are: 3 of the first kernel, 7 of 6.6. */
static void old_kernels_have_fewer_files(void)
{
    static const char *const keys[] = {
        "run 1",           "pages_to_scan 9",         "sleep_millisecs 9",
        "use_zero_pages 1", "merge_across_nodes 1",    "max_page_sharing 9",
        "stable_node_chains_prune_millisecs 9",        "smart_scan 1",
        "advisor_max_cpu 9", "advisor_mode scan-time", "advisor_target_scan_time 9",
    };
    static const struct {
        const char *version;
        int refused;
    } rows[] = {{"6.18", 0}, {"6.6", 4}, {"2.6.32", 8}};
    g_autoptr(GString) trace = g_string_new(NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(keys); i++)
        g_string_append_printf(trace, "control ksm.%s\n", keys[i]);
    g_string_append(trace, "mark \"end\"\n");
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *settings =
            g_strdup_printf("pacing = \"trace\"; version = \"%s\"; ", rows[i].version);
        g_autoptr(KsmPlay) play = ksm_play("", settings, trace->str);
        CU_ASSERT_EQUAL(ksm_at(play, "end", "policy.refused_controls"), rows[i].refused);
    }
}

/* Passes that keep the daemon busy for more than 50 s before the advisor is chosen. Then one of
 * less than a second: all that counts as its work, over 5000 % CPU, so 500/5000 = 0, made 1 page a
 * percent, of which ten may always be taken; 500*100/20000 * 30/100 = 0 is less. */
static void the_advisor_first_charges_the_whole_life(void)
{
    static const char trace[] =
        "context a process\nmap a 0x100000 400 anon mergeable\nfill a 0x100000 400 id:1 step=1\n"
        "scan pass 120\nunmap a 0x100000 390\nscan pass 1\n"
        "control ksm.advisor_mode scan-time\nmark \"chosen\"\nscan pass 1\nmark \"end\"\n";
    g_autoptr(KsmPlay) play = ksm_play(SLOW, "pacing = \"trace\"; " NO_SMART, trace);
    CU_ASSERT_TRUE(ksm_at_end(play, "cycles.policy") > 50000 * CYCLES_A_MS);
    CU_ASSERT_EQUAL(ksm_at(play, "chosen", "ksm.pages_to_scan"), 500);
    CU_ASSERT_EQUAL(ksm_at(play, "end", "ksm.pages_to_scan"), 10);
}

/* Chosen in the middle of a pass, the advisor takes the pass to have begun at 0, here 300 s ago.
 * F = 20000/300 = 66, change = 30, 500*100/66 * 30/100 = 227; CPU p = busy ms * 100 / 300,000 of
 * which 70 p allow more than that and 10 p less. */
static void an_advisor_in_mid_pass_counts_from_the_start(void)
{
    static const char trace[] =
        "context a process\nmap a 0x100000 400 anon mergeable\nfill a 0x100000 400 id:1 step=1\n"
        "scan pass 45\nunmap a 0x100000 390\nscan pass 1\nscan 1\ntime 300s\n"
        "control ksm.advisor_mode scan-time\nscan pass 1\nmark \"end\"\n";
    g_autoptr(KsmPlay) play = ksm_play(SLOW, "pacing = \"trace\"; " NO_SMART, trace);
    int64_t busy_ms = ksm_at_end(play, "cycles.policy") / CYCLES_A_MS;
    int64_t percent = busy_ms * 100 / (300 * 1000);
    CU_ASSERT_TRUE_FATAL(percent > 0);
    CU_ASSERT_TRUE(500 / percent * 10 < 227 && 500 / percent * 70 > 227);
    CU_ASSERT_EQUAL(ksm_at(play, "end", "ksm.pages_to_scan"), 227);
}

/* Batches of a hundred pages, ten a pass and one that ends it, take a good part of a second, and a
 * second of sleep follows each: sleeps and work make up 100 s, but for what is at hand. */
static void the_sleep_begins_when_the_batch_ends(void)
{
    static const char trace[] =
        "context a process\nmap a 0x100000 1000 anon mergeable\n"
        "fill a 0x100000 1000 id:1 step=1\ntime 100s\nmark \"100\"\n";
    g_autoptr(KsmPlay) play = ksm_play(SLOW, NO_SMART "sleep_millisecs = 1000; ", trace);
    int64_t batches = ksm_at(play, "100", "ksm.pages_scanned") / 100;
    batches += ksm_at(play, "100", "ksm.full_scans");
    int64_t busy_ms = ksm_at_end(play, "cycles.policy") / CYCLES_A_MS;
    CU_ASSERT_TRUE(busy_ms > 10 * 1000);
    CU_ASSERT_TRUE(ABS(batches * 1000 + busy_ms - 100 * 1000) < 3000);
}

/* A daemon that sleeps its second does so, whatever is written to run. */
static void stopping_does_not_end_the_sleep(void)
{
    static const char trace[] =
        "context a process\nmap a 0x100000 10 anon mergeable\nfill a 0x100000 10 id:1 step=1\n"
        "time 1500ms\nmark \"once\"\ncontrol ksm.run 0\ncontrol ksm.run 1\ntime 1900ms\n"
        "mark \"sleeps\"\ntime 2500ms\nmark \"twice\"\ncontrol ksm.run 0\n"
        "control ksm.sleep_millisecs 999\ntime 2510ms\nmark \"stopped\"\ncontrol ksm.run 1\n"
        "time 2520ms\nmark \"at once\"\n";
    g_autoptr(KsmPlay) play = ksm_play("", NO_SMART "sleep_millisecs = 1000; ", trace);
    CU_ASSERT_EQUAL(ksm_at(play, "once", "ksm.pages_scanned"), 10);
    CU_ASSERT_EQUAL(ksm_at(play, "sleeps", "ksm.pages_scanned"), 10);
    CU_ASSERT_EQUAL(ksm_at(play, "twice", "ksm.pages_scanned"), 20);
    /* Another sleep ends the one at hand; then the daemon waits for run = 1 alone. */
    CU_ASSERT_EQUAL(ksm_at(play, "stopped", "ksm.pages_scanned"), 20);
    CU_ASSERT_EQUAL(ksm_at(play, "at once", "ksm.full_scans"), 4);
    CU_ASSERT_EQUAL(ksm_at(play, "at once", "ksm.pages_scanned"), 30);
}

/* The first map wakes the daemon, whose batch finds no page. Its context has gone when it sleeps:
 * the next one has to wait; when the daemon found nothing at all, it comes at once. */
static void the_first_context_wakes_an_idle_daemon_only(void)
{
    static const char trace[] =
        "context a process\nmap a 0x100000 1 anon mergeable\ntime 10ms\nexit a\n"
        "context b process\nmap b 0x100000 10 anon mergeable\nfill b 0x100000 10 id:1 step=1\n"
        "time 900ms\nmark \"waits\"\ntime 1100ms\nmark \"came\"\nexit b\ntime 5s\n"
        "context c process\nmap c 0x100000 1 anon\nfill c 0x100000 1 id:1\n"
        "advise c 0x100000 1 mergeable\ntime 5010ms\nmark \"at once\"\n";
    g_autoptr(KsmPlay) play = ksm_play("", NO_SMART "sleep_millisecs = 1000; ", trace);
    CU_ASSERT_EQUAL(ksm_at(play, "waits", "ksm.pages_scanned"), 0);
    CU_ASSERT_EQUAL(ksm_at(play, "came", "ksm.pages_scanned"), 10);
    CU_ASSERT_EQUAL(ksm_at(play, "at once", "ksm.pages_scanned"), 11);
}

/* A chain of two frames, made at 10 s, of which the second one, of pages 0 to 2, is stale when page
 * 5 comes. The first one has room, so the second is looked at only if the chain is to be pruned,
 * which is 2 s after it was made. */
static void a_new_chain_is_not_pruned_at_once(void)
{
    for (unsigned is_due = 0; is_due < 2; is_due++) {
        g_autofree char *trace = g_strdup_printf(
            "control ksm.max_page_sharing 3\ncontext a process\nmap a 0x10000 6 anon mergeable\n"
            "time 10s\nfill a 0x10000 5 id:1\nscan pass 3\nfill a 0x15000 1 id:1\nscan pass 1\n"
            "scan 3\nfill a 0x10000 3 id:20 step=1\ntime %ums\nscan 3\nmark \"end\"\n",
            is_due ? 12100 : 11900);
        g_autoptr(KsmPlay) play = ksm_play("", "pacing = \"trace\"; " NO_SMART, trace);
        CU_ASSERT_EQUAL(ksm_at(play, "end", "ksm.stable_node_dups"), is_due ? 0 : 2);
        CU_ASSERT_EQUAL(ksm_at(play, "end", "ksm.pages_shared"), is_due ? 1 : 2);
        CU_ASSERT_EQUAL(ksm_at(play, "end", "ksm.pages_sharing"), is_due ? 2 : 4);
    }
}

/* Ten times the rate: a sleep of a second takes a tenth, so 20 batches come after the one at the
 * map. Of three one has the first five pages, one the others, and one ends the pass. */
static void dilation_shortens_the_sleep(void)
{
    static const char trace[] =
        "context a process\nmap a 0x100000 10 anon mergeable\nfill a 0x100000 10 id:1 step=1\n"
        "time 2050ms\nmark \"end\"\n";
    static const char settings[] = NO_SMART "sleep_millisecs = 1000; pages_to_scan = 5; ";
    g_autoptr(KsmPlay) play = ksm_play("dilation = 10.0; ", settings, trace);
    CU_ASSERT_EQUAL(ksm_at(play, "end", "ksm.pages_scanned"), 20 / 3 * 10 + 10);
}

/* 15,000 of 16,384 frames are in use, so that ksmtuned would have 300 pages a batch: but the file
 * takes no number while there is an advisor, whose minimum stays as no pass ends. */
static void ksmtuned_does_not_overrule_the_advisor(void)
{
    static const char trace[] = "context a process\nmap a 0x1000000 15000 anon\n"
                                "fill a 0x1000000 15000 id:1 step=1\ntime 61s\nmark \"end\"\n";
    g_autoptr(KsmPlay) play = ksm_play("machine = { memory = \"64MiB\"; };",
                                       "ksmtuned = true; advisor_mode = \"scan-time\"; run = 0; ",
                                       trace);
    CU_ASSERT_EQUAL(ksm_at(play, "end", "ksm.pages_to_scan"), 500);
    CU_ASSERT_EQUAL(ksm_at(play, "end", "ksm.run"), 1);
}

static const PfCheck checks[] = {
    {"files take what the kernel takes", files_take_what_the_kernel_takes},
    {"old kernels have fewer files", old_kernels_have_fewer_files},
    {"the advisor first charges the daemon's whole life",
     the_advisor_first_charges_the_whole_life},
    {"an advisor in mid-pass counts from the start", an_advisor_in_mid_pass_counts_from_the_start},
    {"the sleep begins when the batch ends", the_sleep_begins_when_the_batch_ends},
    {"stopping does not end the sleep, another sleep does", stopping_does_not_end_the_sleep},
    {"the first context wakes an idle daemon only", the_first_context_wakes_an_idle_daemon_only},
    {"a new chain is not pruned at once", a_new_chain_is_not_pruned_at_once},
    {"dilation shortens the sleep", dilation_shortens_the_sleep},
    {"ksmtuned does not overrule the advisor", ksmtuned_does_not_overrule_the_advisor},
};

PF_CHECK_MAIN("ksm_knobs", checks)
