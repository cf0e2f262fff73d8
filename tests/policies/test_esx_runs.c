/* Policy `esx` on the host and the engine that the program has: what its looks cost, and what
 * happens in time. A third of these are numbers of Waldspurger, US 6,789,156 B1. */
#include "check.h"

#include "policy_runs.h"

/* What the tests speak of, whatever the machine at hand costs. */
#define COSTS "machine = { costs = { read_page = 1500; flush_local = 500; }; };"

#define EACH_ONCE "pacing = \"trace\"; candidates = \"sequential\"; "

static int64_t end_of(const PolicyPlay *play, const char *name)
{
    return policy_end(play, name).i;
}

/* ---- Classes ---- */

/* Pages 1, 3 and 5 of five equal ones are in one class, 2 and 4 in the other: two machine pages are
 * left, three freed. By node: contexts of two nodes. By colour: frames are given out in order, of
 * two colours in turn. */
static void five_pages_of_two_classes_take_two_frames(void)
{
    static const char trace[] =
        "context a process node=0\nmap a 0x0 3 anon\ncontext b process node=1\nmap b 0x0 2 anon\n"
        "fill a 0x0 1 id:1\nfill b 0x0 1 id:1\nfill a 0x1000 1 id:1\nfill b 0x1000 1 id:1\n"
        "fill a 0x2000 1 id:1\nscan pass 2\nmark \"end\"\n";
    static const struct {
        const char *top;
        const char *parameters;
        int64_t freed;
    } rows[] = {
        {"machine = { numa = { nodes = 2; }; };", EACH_ONCE, 4},
        {"machine = { numa = { nodes = 2; }; };", EACH_ONCE "salting = \"node\"; ", 3},
        {"", EACH_ONCE "salting = \"node\"; ", 4},
        {"machine = { colors = 2; };", EACH_ONCE "salting = \"color\"; ", 3},
        {"machine = { colors = 1; };", EACH_ONCE "salting = \"color\"; ", 4},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(PolicyPlay) play = policy_play("esx", rows[i].top, rows[i].parameters, trace);
        CU_ASSERT_EQUAL(end_of(play, "esx.shared"), rows[i].freed);
        CU_ASSERT_EQUAL(end_of(play, "memory.used_frames"), 5 - rows[i].freed);
    }
}

/* ---- Keys ---- */

/* Reading a page costs 1500 cycles and Jenkins' hash 768 a KiB: 1500 + 4 * 768 for a page;
 * 1500 * 64 / 4096 = 23.4 and 768 / 16 for 64 bytes. */
static void a_part_of_a_page_costs_its_part(void)
{
    static const char trace[] = "context a process\nmap a 0x0 1 anon\nfill a 0x0 1 id:1\n"
                                "scan pass 1\n";
    g_autoptr(PolicyPlay) whole = policy_play("esx", COSTS, EACH_ONCE, trace);
    g_autoptr(PolicyPlay) part =
        policy_play("esx", COSTS, EACH_ONCE "hash_bytes = 64; hash_offset = 4032; ", trace);
    CU_ASSERT_EQUAL(end_of(whole, "cycles.account.hash"), 1500 + 4 * 768);
    CU_ASSERT_EQUAL(end_of(part, "cycles.account.hash"), 24 + 768 / 16);
}

/* Two pages that differ at byte K, of which the last 8 are hashed: a false match. They are compared
 * in words of 4 bytes up to the one that differs, so K / 4 + 1 words; equal ones take 1024. */
static void a_comparison_ends_at_the_first_word_that_differs(void)
{
    static const int bytes[] = {0, 3, 4, 1000, 4087};
    for (size_t i = 0; i < G_N_ELEMENTS(bytes); i++) {
        g_autofree char *trace =
            g_strdup_printf("context a process\nmap a 0x0 2 anon\nfill a 0x0 1 id:1\n"
                            "fill a 0x1000 1 id:1^%d=1\nscan pass 1\n",
                            bytes[i]);
        g_autoptr(PolicyPlay) play =
            policy_play("esx", "", EACH_ONCE "hash_bytes = 8; hash_offset = 4088; ", trace);
        CU_ASSERT_EQUAL(end_of(play, "policy.compares"), 1);
        CU_ASSERT_EQUAL(end_of(play, "policy.compared_words"), bytes[i] / 4 + 1);
        CU_ASSERT_EQUAL(end_of(play, "esx.false_matches"), 1);
        CU_ASSERT_EQUAL(end_of(play, "esx.shared"), 0);
    }
    g_autoptr(PolicyPlay) equal =
        policy_play("esx", "", EACH_ONCE,
                    "context a process\nmap a 0x0 2 anon\nfill a 0x0 2 id:1\nscan pass 1\n");
    CU_ASSERT_EQUAL(end_of(equal, "policy.compared_words"), 1024);
    CU_ASSERT_EQUAL(end_of(equal, "esx.shared"), 1);
}

/* n^2 / 2^65 for 64 bits: 2^-17 for the 2^24 pages of 64 GB; here 2 pages, and with 8 bits. */
static void chance_collisions_follow_the_square_of_the_pages(void)
{
    static const char trace[] = "context a process\nmap a 0x0 2 anon\nfill a 0x0 2 id:1\n";
    g_autoptr(PolicyPlay) wide = policy_play("esx", "", EACH_ONCE, trace);
    g_autoptr(PolicyPlay) narrow = policy_play("esx", "", EACH_ONCE "hash_bits = 9; ", trace);
    CU_ASSERT_EQUAL(policy_end(wide, "esx.expected_collisions").d, 4.0 / 0x1p65);
    CU_ASSERT_EQUAL(policy_end(narrow, "esx.expected_collisions").d, 4.0 / 0x1p10);
}

/* ---- Tables ---- */

/* 112,640 frames are 440 MiB; the next power of two is 131,072. 3 bytes a chain, 16 a frame. */
static void tables_are_sized_by_the_machine(void)
{
    static const char trace[] = "context a process\nmap a 0x0 1 anon\nmark here\n";
    g_autoptr(PolicyPlay) patent =
        policy_play("esx", "machine = { memory = \"440MiB\"; };", "", trace);
    CU_ASSERT_EQUAL(policy_at(patent, "here", "esx.chains"), 131072);
    CU_ASSERT_EQUAL(policy_at(patent, "here", "esx.chain_bytes"), 131072 * 3);
    CU_ASSERT_EQUAL(policy_at(patent, "here", "esx.frames"), 112640);
    CU_ASSERT_EQUAL(policy_at(patent, "here", "esx.frame_bytes"), 112640 * 16);
    CU_ASSERT_EQUAL(policy_at(patent, "here", "memory.metadata_bytes"), 131072 * 3 + 112640 * 16);
    /* A power of two of frames: 19 bytes a page, 0.4639 %. A lock a chain is 4 bytes more. */
    g_autoptr(PolicyPlay) even =
        policy_play("esx", "machine = { memory = \"128MiB\"; };", "locks = \"chain\"; ", trace);
    CU_ASSERT_EQUAL(policy_at(even, "here", "memory.metadata_bytes"), 32768 * (19 + 4));
}

static void metadata_do_not_grow_with_sharers(void)
{
    g_autoptr(PolicyPlay) play =
        policy_play("esx", "", EACH_ONCE,
                    "context a process\nmap a 0x0 9 anon\nfill a 0x0 2 id:1\nscan pass 1\n"
                    "mark two\nfill a 0x2000 7 id:1\nscan pass 1\nmark nine\n");
    CU_ASSERT_EQUAL(policy_at(play, "two", "esx.cow"), 2);
    CU_ASSERT_EQUAL(policy_at(play, "nine", "esx.cow"), 9);
    CU_ASSERT_EQUAL(policy_at(play, "two", "memory.metadata_bytes"),
                    policy_at(play, "nine", "memory.metadata_bytes"));
}

/* Two VMs of 128 MB in 192 MB, 49,152 frames: they fit if 16,384 pages of theirs are shared. A pass
 * of 49,152 candidates, in turn, meets 24,576 pages of each. */
static void two_vms_of_128_mb_fit_into_192_mb_by_sharing(void)
{
    for (int equal = 16383; equal <= 16384; equal++) {
        g_autofree char *trace = g_strdup_printf(
            "context a vm memory=128MiB\ncontext b vm memory=128MiB\n"
            "map a 0x0 32768 anon\nmap b 0x0 32768 anon\n"
            "fill a 0x0 32768 id:1 step=1\nfill b 0x0 %d id:1 step=1\nscan pass 1\n"
            "fill b 0x%x %d id:100000 step=1\n",
            equal, equal * 4096, 32768 - equal);
        g_autoptr(PolicyPlay) play =
            policy_play("esx", "machine = { memory = \"192MiB\"; };", EACH_ONCE, trace);
        CU_ASSERT_EQUAL(policy_fitted(play), equal >= 16384);
    }
}

/* ---- Mappings ---- */

/* A VM maps guest-physical pages, a process virtual ones; in each of them two pages are equal, and
 * to those of the other. A store then goes to a frame of its own. */
static void vms_and_processes_share_with_each_other_and_themselves(void)
{
    g_autoptr(PolicyPlay) play =
        policy_play("esx", "", EACH_ONCE,
                    "context guest vm memory=1MiB\ncontext web process\n"
                    "map guest 0x0 2 anon\nmap web 0x7f0000000000 2 anon\n"
                    "fill guest 0x0 2 id:1\nfill web 0x7f0000000000 2 id:1\nscan pass 1\n"
                    "mark shared\nwrite guest 0x1000 8 7\n"
                    "read web 0x7f0000001000 8\nmark stored\n");
    CU_ASSERT_EQUAL(policy_at(play, "shared", "memory.used_frames"), 1);
    CU_ASSERT_EQUAL(policy_at(play, "shared", "esx.shared"), 3);
    CU_ASSERT_EQUAL(policy_at(play, "stored", "memory.used_frames"), 2);
    uint64_t inside;
    uint64_t across;
    PfSharedContent top[2];
    pf_run_shared_split(policy_run(play), &inside, &across);
    /* Of the three pages left: the guest's is the first, web's first page shares with that, and
     * web's second with its first. */
    CU_ASSERT_EQUAL(inside, 1);
    CU_ASSERT_EQUAL(across, 1);
    CU_ASSERT_EQUAL(pf_run_top_shared(policy_run(play), top, 2), 1);
    CU_ASSERT_EQUAL(top[0].pages, 3);
    CU_ASSERT_FALSE(top[0].is_zero || top[0].is_ones);
}

static void zeros_and_ones_are_told_apart_among_the_most_shared(void)
{
    g_autoptr(PolicyPlay) play =
        policy_play("esx", "", EACH_ONCE,
                    "context a process\nmap a 0x0 12 anon\nfill a 0x0 5 ones\n"
                    "fill a 0x5000 4 zero\nfill a 0x9000 2 id:1\nscan pass 1\n");
    PfSharedContent top[8];
    CU_ASSERT_EQUAL_FATAL(pf_run_top_shared(policy_run(play), top, 8), 3);
    CU_ASSERT(top[0].is_ones && !top[0].is_zero && top[0].pages == 5);
    CU_ASSERT(top[1].is_zero && !top[1].is_ones && top[1].pages == 4);
    CU_ASSERT(!top[2].is_zero && !top[2].is_ones && top[2].pages == 2);
    CU_ASSERT_EQUAL(pf_run_top_shared(policy_run(play), top, 1), 1);
}

/* A hint's match remaps one page and write-protects the other, a third page is remapped. Contexts
 * wait for the scan, so none is interrupted: 500 cycles each. */
static void every_change_of_a_mapping_flushes_it(void)
{
    static const struct {
        const char *rest;
        int64_t changes;
    } rows[] = {{"fill a 0x0 2 id:1\nscan pass 1\n", 2}, {"fill a 0x0 3 id:1\nscan pass 1\n", 3}};
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *trace =
            g_strconcat("context a process\nmap a 0x0 3 anon\n", rows[i].rest, NULL);
        g_autoptr(PolicyPlay) play = policy_play("esx", COSTS, EACH_ONCE, trace);
        CU_ASSERT_EQUAL(end_of(play, "cycles.account.shootdown"), rows[i].changes * 500);
    }
}

/* The pinned page gets a frame of its own before; its translation is dropped on its own core. */
static void a_shared_page_that_is_pinned_is_copied_first(void)
{
    static const char trace[] = "context a process\nmap a 0x0 3 anon\nfill a 0x0 3 id:1\n"
                                "scan pass 1\nmark shared\nattr a 0x1000 1 pinned\nmark pinned\n"
                                "scan pass 2\nmark scanned\n";
    g_autoptr(PolicyPlay) play = policy_play("esx", COSTS, EACH_ONCE, trace);
    CU_ASSERT_EQUAL(policy_at(play, "shared", "memory.used_frames"), 1);
    CU_ASSERT_EQUAL(policy_at(play, "pinned", "memory.used_frames"), 2);
    CU_ASSERT_EQUAL(policy_at(play, "pinned", "esx.cow"), 2);
    CU_ASSERT_EQUAL(policy_at(play, "scanned", "memory.used_frames"), 2);
    CU_ASSERT_EQUAL(end_of(play, "cycles.account.shootdown"), (3 + 1) * 500);
}

/* Four unique pages are looked at and then written. */
static void hints_spare_unique_pages_the_fault(void)
{
    static const char trace[] = "context a process\nmap a 0x0 4 anon\n"
                                "fill a 0x0 4 id:1 step=1\nscan pass 1\nfill a 0x0 4 id:9 step=1\n";
    g_autoptr(PolicyPlay) hint = policy_play("esx", "", EACH_ONCE, trace);
    g_autoptr(PolicyPlay) cow = policy_play("esx", "", EACH_ONCE "marking = \"cow\"; ", trace);
    CU_ASSERT_EQUAL(end_of(hint, "cycles.account.break"), 0);
    CU_ASSERT(end_of(cow, "cycles.account.break") > 0);
    CU_ASSERT_EQUAL(end_of(cow, "memory.used_frames"), 4);
}

/* ---- Time ---- */

/* 5 ms of work at 2 instructions a cycle and 2.6 GHz, then 10 ms of idleness. */
static void idle_contexts_are_looked_at_and_busy_ones_are_not(void)
{
    g_autoptr(PolicyPlay) play =
        policy_play("esx", "", "rate = 1000; candidates = \"idle\"; ",
                    "context a process\nmap a 0x0 4 anon\nfill a 0x0 4 id:1\n"
                    "run a 26000000\ntouch a 0x0 1\nmark busy\n"
                    "idle a 10ms\ntouch a 0x0 1\nmark idle\n");
    CU_ASSERT_EQUAL(policy_at(play, "busy", "policy.scanned"), 0);
    int64_t scanned = policy_at(play, "idle", "policy.scanned");
    CU_ASSERT(scanned >= 9 && scanned <= 11);
}

/* A context that is busy for 200 ms, 0.1 ms at a time. */
static void scanning_takes_no_more_than_its_share(void)
{
    g_autoptr(GString) trace =
        g_string_new("context a process\nmap a 0x0 64 anon\nfill a 0x0 64 id:1 step=1\n");
    for (int i = 0; i < 2000; i++)
        g_string_append(trace, "run a 520000\ntouch a 0x0 1\n");
    g_autoptr(PolicyPlay) play =
        policy_play("esx", "", "candidates = \"cpu_fraction\"; cpu_fraction = 0.005; ", trace->str);
    int64_t policy = end_of(play, "cycles.policy");
    int64_t total = end_of(play, "cycles.total");
    CU_ASSERT(policy * 200 <= total);
    /* It is used up but for what the next candidate may cost: 2^17 cycles are kept back for it. */
    CU_ASSERT(policy * 200 > total - 200 * ((1 << 17) + 10000));
    CU_ASSERT(end_of(play, "policy.scanned") > 100);
}

/* 500 cycles at a time; a candidate every 10 us, 26,000 cycles, of which each takes thousands. */
static void a_synchronous_request_makes_the_context_wait(void)
{
    static const char synchronous[] = "rate = 100000; requests = \"synchronous\"; ";
    g_autoptr(GString) trace = g_string_new("context a process\nmap a 0x0 1 anon\n"
                                            "fill a 0x0 1 id:1\n");
    for (int i = 0; i < 200; i++)
        g_string_append(trace, "run a 1000\n");
    g_autoptr(PolicyPlay) free = policy_play("esx", "", "rate = 100000; ", trace->str);
    g_autoptr(PolicyPlay) blocked = policy_play("esx", "", synchronous, trace->str);
    int64_t candidates = end_of(blocked, "policy.scanned");
    int64_t missed = end_of(blocked, "cycles.policy") - end_of(blocked, "time.idle_cycles");
    CU_ASSERT(candidates >= 3);
    CU_ASSERT_EQUAL(end_of(free, "time.idle_cycles"), 0);
    /* It waits for all that is done but what of it passes before its record ends. */
    CU_ASSERT(missed >= 0 && missed <= candidates * 500);
}

/* The page that the disk writes has the bytes of the other; its input is over after 1 ms. */
static void a_page_that_a_device_writes_is_left_alone(void)
{
    g_autoptr(PolicyPlay) play =
        policy_play("esx", "", EACH_ONCE "io_active = \"1ms\"; ",
                    "context a process\nmap a 0x0 2 anon\nfill a 0x0 1 id:1\n"
                    "dma a 0x1000 1 disk:7:42 id:1\nscan pass 2\nmark busy\n"
                    "time 2ms\nscan pass 2\nmark later\n");
    CU_ASSERT_EQUAL(policy_at(play, "busy", "esx.shared"), 0);
    CU_ASSERT_EQUAL(policy_at(play, "busy", "esx.busy"), 2);
    CU_ASSERT_EQUAL(policy_at(play, "busy", "reason.pinned"), 1);
    CU_ASSERT_EQUAL(policy_at(play, "later", "esx.shared"), 1);
}

/* Two contexts on two cores look at a page each at 20 and 40 ms, in cycles of their own. The first
 * time each looks at its chain (a line) and files a frame (two), under the lock of free frames,
 * that all have in common. The second time each finds its frame behind the head of its chain; that
 * of key 0x10 behind that of 0x20, for there are two chains. */
static void requests_wait_for_the_lock_of_their_key(void)
{
    static const struct {
        const char *locks;
        const char *second_key; /* the first is 0x10 */
        int64_t waits;
        int64_t lines; /* how long they waited in all, in accesses to the table */
    } rows[] = {{"16", "0x20", 1, 3 + 3},
                {"16", "0x21", 0, 2},
                {"16", "0x18", 0, 1}, /* at first its chain has a frame already: it comes later */
                {"1", "0x21", 1, 3 + 2},
                {"chain", "0x11", 0, 2}};
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *trace = g_strdup_printf(
            "context a process core=0\ncontext b process core=1\nmap a 0x0 1 anon\n"
            "map b 0x0 1 anon\nstate a 0x0 1 hash:0x10\nstate b 0x0 1 hash:%s\n"
            "time 30ms\nmark entered\ntime 50ms\nmark again\n",
            rows[i].second_key);
        g_autofree char *settings =
            g_strdup_printf("place = \"stolen\"; locks = \"%s\"; ", rows[i].locks);
        g_autoptr(PolicyPlay) play =
            policy_play("esx", "machine = { cores = 2; costs = { line = 450; }; };", settings,
                        trace);
        CU_ASSERT_EQUAL(policy_at(play, "again", "policy.scanned"), 4);
        CU_ASSERT_EQUAL(policy_at(play, "again", "esx.lock_waits") -
                            policy_at(play, "entered", "esx.lock_waits"),
                        rows[i].waits);
        CU_ASSERT_EQUAL(end_of(play, "cycles.account.lock"), rows[i].lines * 450);
    }
}

/* On a core of its own the policy does one thing after the other. */
static void a_daemon_never_waits_for_its_locks(void)
{
    g_autoptr(PolicyPlay) play =
        policy_play("esx", "machine = { cores = 2; };", "locks = \"1\"; rate = 1000; ",
                    "context a process\ncontext b process\nmap a 0x0 9 anon\nmap b 0x0 9 anon\n"
                    "fill a 0x0 9 id:1\nfill b 0x0 9 id:1\ntime 100ms\n");
    CU_ASSERT_EQUAL(end_of(play, "esx.lock_waits"), 0);
    CU_ASSERT_EQUAL(end_of(play, "cycles.account.lock"), 0);
}

static const PfCheck checks[] = {
    {"five pages of two classes take two frames", five_pages_of_two_classes_take_two_frames},
    {"a part of a page costs its part", a_part_of_a_page_costs_its_part},
    {"a comparison ends at the first word that differs",
     a_comparison_ends_at_the_first_word_that_differs},
    {"chance collisions follow the square of the pages",
     chance_collisions_follow_the_square_of_the_pages},
    {"tables are sized by the machine", tables_are_sized_by_the_machine},
    {"metadata do not grow with sharers", metadata_do_not_grow_with_sharers},
    {"two VMs of 128 MB fit into 192 MB by sharing", two_vms_of_128_mb_fit_into_192_mb_by_sharing},
    {"VMs and processes share with each other and themselves",
     vms_and_processes_share_with_each_other_and_themselves},
    {"zeros and ones are told apart among the most shared",
     zeros_and_ones_are_told_apart_among_the_most_shared},
    {"every change of a mapping flushes it", every_change_of_a_mapping_flushes_it},
    {"a shared page that is pinned is copied first", a_shared_page_that_is_pinned_is_copied_first},
    {"hints spare unique pages the fault", hints_spare_unique_pages_the_fault},
    {"idle contexts are looked at and busy ones are not",
     idle_contexts_are_looked_at_and_busy_ones_are_not},
    {"scanning takes no more than its share", scanning_takes_no_more_than_its_share},
    {"a synchronous request makes the context wait", a_synchronous_request_makes_the_context_wait},
    {"a page that a device writes is left alone", a_page_that_a_device_writes_is_left_alone},
    {"requests wait for the lock of their key", requests_wait_for_the_lock_of_their_key},
    {"a daemon never waits for its locks", a_daemon_never_waits_for_its_locks},
};

PF_CHECK_MAIN("esx_runs", checks)
