/* Filter `flagged` under the policies, on the host and the engine that the program has: the three
 * intervals of Overton, US 9,069,477 B1, the way back of what it left out, and what it takes. */
#include "check.h"

#include "policy_runs.h"

/* A cycle is a nanosecond, and neither a visit nor a line of a table takes any: the policy looks at
 * pages just when the trace says "scan". */
#define FREE_LOOKS \
    "machine = { clock = \"1GHz\"; costs = { visit = 0; line = 0; near_line = 0; wake = 0; }; };"

#define FLAGGED(interval) \
    "pacing = \"trace\"; filters = (\"flagged\"); flagged = { " interval " }; "

/* Two equal pages of context a; context b has pages of its own to read. */
#define TWO_PAGES \
    "context a process\nmap a 0x0 16 anon\ncontext b process\nmap b 0x0 16 anon\n" \
    "time 1ms\nfill a 0x0 2 id:1\n"

static int64_t figure(const char *policy, const char *flagged, const char *trace, const char *name)
{
    g_autoptr(PolicyPlay) play = policy_play(policy, FREE_LOOKS, flagged, trace);
    return policy_end(play, name).i;
}

/* Pages that `brute` has saved at the end. */
static int64_t saved(const char *flagged, const char *trace)
{
    return figure("brute", flagged, trace, "memory.saved_pages");
}

/* ---- The three intervals, at the edge and one before ---- */

/* The second fill ends after the first page was written, so the touch is what counts. */
static void a_page_written_within_ten_nanoseconds_is_left_out(void)
{
    static const struct {
        const char *scan_at;
        int64_t saved;
    } rows[] = {{"2000009ns", 0}, {"2000010ns", 1}};
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *trace = g_strdup_printf(
            TWO_PAGES "time 2ms\ntouch a 0x0 1\ntime %s\nscan pass 1\n", rows[i].scan_at);
        CU_ASSERT_EQUAL(saved(FLAGGED("time = \"10ns\";"), trace), rows[i].saved);
        CU_ASSERT_EQUAL(saved(FLAGGED(""), trace), rows[i].saved); /* what auto is */
        CU_ASSERT_EQUAL(saved("pacing = \"trace\";", trace), 1);
        CU_ASSERT_EQUAL(figure("brute", FLAGGED(""), trace, "filter.left_out"),
                        1 - rows[i].saved);
        CU_ASSERT_EQUAL(figure("brute", FLAGGED(""), trace, "reason.volatile"),
                        1 - rows[i].saved);
    }
}

/* The fill writes page 0 with access F and page 1 with access F + 1; with N reads after that, page
 * 0 has been left alone for N + 1 accesses and page 1 for N. */
static void a_page_written_within_five_accesses_is_left_out(void)
{
    g_autofree char *four = g_strconcat(
        TWO_PAGES "read b 0x0 8\nread b 0x1000 8\nread b 0x0 8\nread b 0x8 8\nscan pass 1\n", NULL);
    g_autofree char *five = g_strconcat(
        TWO_PAGES "read b 0x0 8\nread b 0x1000 8\nread b 0x0 8\nfetch b 0x8 8\ntouch b 0x2000 1\n"
                  "scan pass 1\n",
        NULL);
    CU_ASSERT_EQUAL(saved(FLAGGED("accesses = 5;"), four), 0);
    CU_ASSERT_EQUAL(figure("brute", FLAGGED("accesses = 5;"), four, "filter.left_out"), 1);
    CU_ASSERT_EQUAL(saved(FLAGGED("accesses = 5;"), five), 1);
    CU_ASSERT_EQUAL(saved(FLAGGED("accesses = 6;"), five), 0);
}

/* A timer of 1000 ticks of a nanosecond. A page written again and again finds it at 1000 - 999 at
 * the least, and is not looked at; one that is left alone for 1000 is. */
static void a_timer_that_each_write_restarts_keeps_a_page_out(void)
{
    static const struct {
        unsigned period;
        int64_t saved;
    } rows[] = {{999, 0}, {1000, 0}, {1001, 1}};
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GString) trace = g_string_new(TWO_PAGES);
        unsigned now = 2000000;
        for (unsigned k = 0; k < 10; k++, now += rows[i].period)
            g_string_append_printf(trace, "time %uns\ntouch a 0x0 1\ntime %uns\nscan pass 1\n", now,
                                   now + rows[i].period - 1);
        static const char flagged[] = FLAGGED("timer = \"1000ns\"; bits = 10;");
        g_string_append(trace, "mark \"end\"\n");
        CU_ASSERT_EQUAL(figure("brute", flagged, trace->str, "policy.shared") > 0, rows[i].saved);
        CU_ASSERT_EQUAL(figure("brute", flagged, trace->str, "filter.left_out") == 10,
                        !rows[i].saved);
    }
}

/* Two bits count 3, 2, 1, 0: three ticks of 1000 ns for 3000 ns. Whatever was written in tick 2001
 * is let go when tick 2004 begins, 3000 ns after the earliest of such writes and 2001 ns after the
 * latest. */
static void a_timer_of_few_bits_is_coarse(void)
{
    static const struct {
        const char *write_at;
        const char *scan_at;
        int64_t saved;
    } rows[] = {
        {"2001000ns", "2003999ns", 0}, {"2001000ns", "2004000ns", 1},
        {"2001999ns", "2003999ns", 0}, {"2001999ns", "2004000ns", 1},
        {"2002000ns", "2004000ns", 0},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *trace =
            g_strdup_printf(TWO_PAGES "time %s\ntouch a 0x0 1\ntime %s\nscan pass 1\n",
                            rows[i].write_at, rows[i].scan_at);
        CU_ASSERT_EQUAL(saved(FLAGGED("timer = \"3us\"; bits = 2;"), trace), rows[i].saved);
    }
}

static void reads_count_where_accesses_are_asked_for(void)
{
    static const char read[] = TWO_PAGES "time 2ms\nread a 0x1000 8\nscan pass 1\n";
    static const char fetched[] = TWO_PAGES "time 2ms\nfetch a 0xffc 8\nscan pass 1\n";
    CU_ASSERT_EQUAL(saved(FLAGGED("time = \"500us\";"), read), 1);
    CU_ASSERT_EQUAL(saved(FLAGGED("time = \"500us\"; of = \"access\";"), read), 0);
    CU_ASSERT_EQUAL(figure("brute", FLAGGED("time = \"500us\"; of = \"access\";"), fetched,
                           "filter.left_out"),
                    2); /* the fetch is of both pages */
    CU_ASSERT_EQUAL(figure("brute", FLAGGED("time = \"500us\"; of = \"access\";"), read,
                           "filter.left_out"),
                    1);
}

/* What the trace tells as a state is a write where it changes something. */
static void a_state_flags_what_it_changes(void)
{
    static const char same[] = TWO_PAGES "time 2ms\nstate a 0x0 2 id:1\nscan pass 1\n";
    static const char other[] = TWO_PAGES "time 2ms\nstate a 0x0 2 id:2\nscan pass 1\n";
    CU_ASSERT_EQUAL(saved(FLAGGED("time = \"500us\";"), same), 1);
    CU_ASSERT_EQUAL(saved(FLAGGED("time = \"500us\";"), other), 0);
}

/* ---- Under every policy ---- */

/* Nothing is shared while the pages are flagged; the next scans after that share both. */
static void every_policy_leaves_flagged_pages_out_and_comes_back_to_them(void)
{
    static const char trace[] =
        "context a process\nmap a 0x0 2 anon mergeable\nfill a 0x0 2 zero\n"
        "time 500ms\nscan pass 3\nmark \"flagged\"\n"
        "time 1100ms\nscan pass 3\nmark \"expired\"\n";
    static const struct {
        const char *policy;
        const char *settings;
    } rows[] = {
        {"brute", FLAGGED("time = \"1s\";")},
        {"esx", FLAGGED("time = \"1s\";") "candidates = \"sequential\";"},
        {"esx", FLAGGED("timer = \"1s\";") "candidates = \"sequential\"; marking = \"cow\";"},
        {"ksm", FLAGGED("time = \"1s\";")},
        {"ksm", FLAGGED("timer = \"1s\";") "smart_scan = false;"},
        {"zero", FLAGGED("timer = \"1s\";")},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(PolicyPlay) play =
            policy_play(rows[i].policy, FREE_LOOKS, rows[i].settings, trace);
        CU_ASSERT_EQUAL(policy_at(play, "flagged", "memory.saved_pages"), 0);
        CU_ASSERT_EQUAL(policy_at(play, "flagged", "reason.volatile"), 2);
        CU_ASSERT_EQUAL(policy_at(play, "expired", "memory.saved_pages"), 1);
    }
}

/* Pages 8 and 9 are equal and were written first, so they are the first in the queue; a scan of two
 * pages in order would have seen pages 0 and 1. */
static void pages_whose_interval_is_over_are_looked_at_first(void)
{
    static const char trace[] =
        "context a process\nmap a 0x0 16 anon\nfill a 0x8000 2 id:1\nfill a 0x0 8 id:100 step=1\n"
        "time 2ms\nscan 1\nmark \"one\"\nscan 1\nmark \"two\"\n";
    static const char *const policies[] = {"brute", "esx"};
    for (size_t i = 0; i < G_N_ELEMENTS(policies); i++) {
        g_autofree char *settings =
            g_strconcat(FLAGGED("time = \"1us\";"),
                        i == 1 ? "candidates = \"sequential\";" : "", NULL);
        g_autoptr(PolicyPlay) play = policy_play(policies[i], FREE_LOOKS, settings, trace);
        CU_ASSERT_EQUAL(policy_at(play, "one", "memory.saved_pages"), 0);
        CU_ASSERT_EQUAL(policy_at(play, "two", "memory.saved_pages"), 1);
        CU_ASSERT_EQUAL(policy_end(play, "filter.expired").i, 2);
        CU_ASSERT_EQUAL(figure(policies[i],
                               i == 1 ? "pacing = \"trace\"; candidates = \"sequential\";"
                                      : "pacing = \"trace\";",
                               trace, "memory.saved_pages"),
                        0);
    }
}

/* A page that is written again while it waits is not in the queue before its new interval ends; one
 * that went away is not in it any more. */
static void the_queue_holds_what_is_still_there(void)
{
    static const char trace[] =
        "context a process\nmap a 0x0 16 anon\nfill a 0x0 4 id:100 step=1\n"
        "time 1ms\ntouch a 0x0 1\nunmap a 0x1000 1\nremap a 0x2000 1 0x8000\ntime 1500us\n"
        "scan pass 1\nmark \"first\"\ntime 2500us\nscan pass 1\n";
    g_autoptr(PolicyPlay) play =
        policy_play("brute", FREE_LOOKS, FLAGGED("time = \"1ms\";"), trace);
    CU_ASSERT_EQUAL(policy_end(play, "filter.left_out").i, 1); /* page 0, in the first pass */
    CU_ASSERT_EQUAL(policy_end(play, "filter.expired").i, 2);  /* page 3, then page 0 */
}

/* ---- What it takes ---- */

/* 1024 frames. An interval of five accesses takes 3 bits, and one says that there is one. 10 ns
 * are 10 cycles, 4 bits and one; the timer 8. Two pages wait, 8 bytes each, until they are seen. */
static void flags_and_queue_take_memory(void)
{
    static const struct {
        const char *flagged;
        int64_t table_bytes;
    } rows[] = {
        {FLAGGED("accesses = 5;"), 1024 * 4 / 8},
        {FLAGGED("accesses = 8;"), 1024 * 5 / 8},
        {FLAGGED("time = \"10ns\";"), 1024 * 5 / 8},
        {FLAGGED("timer = \"10us\";"), 1024 * 8 / 8},
        {FLAGGED("timer = \"10us\"; bits = 3;"), 1024 * 3 / 8},
        {FLAGGED("time = \"10ns\"; bits = 64;"), 1024 * 64 / 8},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(PolicyPlay) play = policy_play(
            "zero", "machine = { clock = \"1GHz\"; memory = \"4MiB\"; };", rows[i].flagged,
            TWO_PAGES "mark \"flagged\"\nread b 0x0 8\nread b 0x0 8\nread b 0x0 8\nread b 0x0 8\n"
                      "read b 0x0 8\nread b 0x0 8\nread b 0x0 8\nread b 0x0 8\ntime 5ms\n"
                      "scan pass 1\n");
        CU_ASSERT_EQUAL(policy_at(play, "flagged", "filter.metadata_bytes"),
                        rows[i].table_bytes + 2 * 8);
        CU_ASSERT_EQUAL(policy_end(play, "filter.metadata_bytes").i, rows[i].table_bytes);
        CU_ASSERT_EQUAL(policy_end(play, "memory.metadata_bytes").i, rows[i].table_bytes);
    }
}

/* Lines cost 100 cycles. With 64 bits a page a line holds 8 flags: the nine pages of a fill lie on
 * two lines. Another write to a page whose line is the last one used costs nothing, and one to the
 * page at the other end costs its line. A timer that is at its beginning is not set again. */
static void a_change_of_flags_costs_a_line_of_the_table(void)
{
    static const struct {
        const char *flagged;
        const char *writes;
        int64_t cycles;
    } rows[] = {
        {FLAGGED("time = \"1s\"; bits = 64;"), "touch a 0x0 1\n", 100},
        {FLAGGED("time = \"1s\"; bits = 64;"), "touch a 0x0 9\n", 200},
        {FLAGGED("time = \"1s\"; bits = 64;"), "touch a 0x0 9\ntouch a 0x8000 1\n", 200},
        {FLAGGED("time = \"1s\"; bits = 64;"), "touch a 0x0 9\ntime 2ms\ntouch a 0x0 1\n", 300},
        {FLAGGED("timer = \"1s\"; bits = 64;"), "touch a 0x0 9\ntime 2ms\ntouch a 0x0 1\n", 300},
        {FLAGGED("timer = \"1s\"; bits = 2;"), "touch a 0x0 9\ntime 2ms\ntouch a 0x0 1\n", 100},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *trace = g_strconcat("context a process\nmap a 0x0 16 anon\n",
                                             rows[i].writes, NULL);
        g_autoptr(PolicyPlay) play =
            policy_play("brute", "machine = { clock = \"1GHz\"; costs = { line = 100; }; };",
                        rows[i].flagged, trace);
        CU_ASSERT_EQUAL(policy_end(play, "filter.cycles").i, rows[i].cycles);
        CU_ASSERT_EQUAL(policy_end(play, "cycles.account.scan").i, rows[i].cycles);
        CU_ASSERT_EQUAL(policy_end(play, "cycles.stolen").i, rows[i].cycles);
    }
}

static const PfCheck checks[] = {
    {"a page written within 10 ns is left out", a_page_written_within_ten_nanoseconds_is_left_out},
    {"a page written within 5 accesses is left out",
     a_page_written_within_five_accesses_is_left_out},
    {"a timer that each write restarts keeps a page out",
     a_timer_that_each_write_restarts_keeps_a_page_out},
    {"a timer of few bits is coarse", a_timer_of_few_bits_is_coarse},
    {"reads count where accesses are asked for", reads_count_where_accesses_are_asked_for},
    {"a state flags what it changes", a_state_flags_what_it_changes},
    {"every policy leaves flagged pages out and comes back to them",
     every_policy_leaves_flagged_pages_out_and_comes_back_to_them},
    {"pages whose interval is over are looked at first",
     pages_whose_interval_is_over_are_looked_at_first},
    {"the queue holds what is still there", the_queue_holds_what_is_still_there},
    {"flags and queue take memory", flags_and_queue_take_memory},
    {"a change of flags costs a line of the table", a_change_of_flags_costs_a_line_of_the_table},
};

PF_CHECK_MAIN("filters", checks)
