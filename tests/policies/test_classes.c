/* Classes under every policy, on the host and the engine that the program has: Waldspurger, US
 * 6,789,156 B1, "Multiple Sharing Mechanisms" to "Extra Security Measures". */
#include "check.h"

#include "policy_runs.h"

/* Pages 1, 3 and 5 are a's, 2 and 4 are b's ("Page Coloring Effects on Cache Interference"). */
#define FIVE_PAGES(content) \
    "context a process node=0 label=low user=ann\nmap a 0x0 3 anon mergeable\n" \
    "context b vm node=1 label=high user=bob\nmap b 0x0 2 anon mergeable\n" \
    "fill a 0x0 1 " content "\nfill b 0x0 1 " content "\nfill a 0x1000 1 " content "\n" \
    "fill b 0x1000 1 " content "\nfill a 0x2000 1 " content "\nscan pass 4\nmark \"end\"\n"

#define TWO_NODES "machine = { numa = { nodes = 2; }; };"

/* The frames that POLICY with SETTINGS leaves of five equal pages. */
static int64_t frames_of_five(const char *policy, const char *top, const char *settings)
{
    bool is_zero = g_str_equal(policy, "zero");
    g_autofree char *all = g_strconcat(
        "pacing = \"trace\"; ", settings,
        g_str_equal(policy, "esx") ? "candidates = \"sequential\"; " : "", NULL);
    g_autoptr(PolicyPlay) play =
        policy_play(policy, top, all, is_zero ? FIVE_PAGES("zero") : FIVE_PAGES("id:1"));
    CU_ASSERT_EQUAL(policy_end(play, "memory.saved_pages").i,
                    5 - policy_end(play, "memory.used_frames").i);
    return policy_end(play, "memory.used_frames").i;
}

/* Who shares between equal pages, with each finder that it can have. */
static const struct {
    const char *policy;
    const char *settings;
} sharers[] = {
    {"brute", ""},
    {"esx", "finder = \"table\"; "},
    {"esx", "finder = \"tree\"; "},
    {"esx", "finder = \"brute\"; "},
    {"esx", "finder = \"table\"; marking = \"cow\"; hash_bits = 2; "},
    {"esx", "finder = \"cam\"; hash_bits = 2; "},
    {"collapse", ""},
    {"ksm", ""},
    {"ksm", "finder = \"cam\"; "},
    {"ksm", "use_zero_pages = true; max_page_sharing = 2; "},
    {"zero", ""},
};

/* By colour: frames are given out in order, of two colours in turn. */
static void five_pages_of_two_classes_take_two_frames(void)
{
    static const struct {
        const char *top;
        const char *classes;
        int64_t frames;
    } rows[] = {
        {TWO_NODES, "", 1},
        {TWO_NODES, "classes = \"node\"; ", 2},
        {"", "classes = \"node\"; ", 1},
        {"machine = { colors = 2; };", "classes = \"color\"; ", 2},
        {"machine = { colors = 1; };", "classes = \"color\"; ", 1},
        {"", "classes = \"label\"; ", 2},
        {"", "classes = \"kind\"; ", 2},
        {"", "classes = \"user\"; ", 2},
        {TWO_NODES, "classes = (\"kind\", \"node\", \"label\"); ", 2},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(sharers); i++)
        for (size_t j = 0; j < G_N_ELEMENTS(rows); j++) {
            g_autofree char *settings =
                g_strconcat(sharers[i].settings, rows[j].classes, NULL);
            int64_t frames = frames_of_five(sharers[i].policy, rows[j].top, settings);
            /* Two pages a frame at most: five take three frames, three and two do too. */
            bool is_limited = strstr(settings, "max_page_sharing") != NULL;
            CU_ASSERT_EQUAL(frames, is_limited ? 3 : rows[j].frames);
        }
}

/* ---- What the system shares by itself ---- */

/* Page 0 of a is b's too, whose label is another: nothing more comes to their frame, or it would be
 * a way to see what the other one holds. Without a rule all three pages are on one frame; with it,
 * page 1 stays where it is. */
static void a_frame_of_two_labels_takes_no_further_page(void)
{
    static const char trace[] =
        "context a process label=low\nmap a 0x0 2 anon mergeable\nfill a 0x0 2 id:1\n"
        "context b process label=high\nmap b 0x0 1 anon mergeable\nalias b 0x0 1 a 0x0\n"
        "scan pass 4\n";
    static const char *const policies[] = {"brute", "esx", "ksm"};
    for (size_t i = 0; i < G_N_ELEMENTS(policies); i++) {
        g_autofree char *settings = g_strconcat(
            "pacing = \"trace\"; ", i == 1 ? "candidates = \"sequential\"; " : "", NULL);
        g_autofree char *apart = g_strconcat(settings, "classes = \"label\"; ", NULL);
        g_autoptr(PolicyPlay) together = policy_play(policies[i], "", settings, trace);
        g_autoptr(PolicyPlay) play = policy_play(policies[i], "", apart, trace);
        CU_ASSERT_EQUAL(policy_end(together, "memory.used_frames").i, 1);
        CU_ASSERT_EQUAL(policy_end(play, "memory.used_frames").i, 2);
        CU_ASSERT_EQUAL(policy_end(play, "class.forgone_pages").i, 1);
    }
}

/* Nor do pages come to the page cache, which is everybody's, and here they meet that first. */
static void the_page_cache_is_in_nobodys_class(void)
{
    static const char trace[] =
        "context a process label=low\nmap a 0x10000 1 anon\nfill a 0x10000 1 id:1\n"
        "map a 0x0 1 file=lib:0\nstate a 0x0 1 id:1\nread a 0x0 8\nscan pass 3\n";
    g_autoptr(PolicyPlay) together = policy_play("brute", "", "pacing = \"trace\"; ", trace);
    CU_ASSERT_EQUAL(policy_end(together, "memory.saved_pages").i, 1);
    static const char apart[] = "pacing = \"trace\"; classes = \"label\"; ";
    g_autoptr(PolicyPlay) play = policy_play("brute", "", apart, trace);
    CU_ASSERT_EQUAL(policy_end(play, "memory.saved_pages").i, 0);
}

/* Pages of zeros that are read only map the zero page, whoever they are; those that the policy
 * finds are shared inside their label, and the zero page gets nobody. */
static void pages_of_zeros_keep_their_labels(void)
{
    static const char *const settings[][2] = {
        {"zero", "classes = \"label\"; "},
        {"ksm", "use_zero_pages = true; classes = \"label\"; "},
        {"brute", "classes = \"label\"; "},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(settings); i++) {
        g_autofree char *all = g_strconcat("pacing = \"trace\"; ", settings[i][1], NULL);
        g_autoptr(PolicyPlay) play =
            policy_play(settings[i][0], "", all, FIVE_PAGES("zero") "read a 0x0 8\n");
        CU_ASSERT_EQUAL(policy_end(play, "memory.used_frames").i, 2);
        CU_ASSERT_EQUAL(policy_end(play, "reason.shared").i, 5);
    }
}

/* ---- What a rule costs ---- */

/* Contents by label: low 1, 2, 2, 3; high 1, 3, 4. Without classes 4 frames would do, with them low
 * needs 3 and high 3: two pages more, and that is what is saved less. Four pages, of contents 1 and
 * 3, are apart from equal ones; content 4 is unique; both pages of 2 are shared. */
static void pages_forgone_are_counted_from_contents(void)
{
    static const char trace[] =
        "context a process label=low\nmap a 0x0 4 anon mergeable\n"
        "context b process label=high\nmap b 0x0 3 anon mergeable\n"
        "fill a 0x0 2 id:1 step=1\nfill a 0x2000 2 id:2 step=1\nfill b 0x0 1 id:1\n"
        "fill b 0x1000 2 id:3 step=1\nscan pass 4\n";
    static const char *const policies[] = {"brute", "esx", "ksm"};
    for (size_t i = 0; i < G_N_ELEMENTS(policies); i++) {
        g_autofree char *settings = g_strconcat(
            "pacing = \"trace\"; ", i == 1 ? "candidates = \"sequential\"; " : "", NULL);
        g_autofree char *apart = g_strconcat(settings, "classes = \"label\"; ", NULL);
        g_autoptr(PolicyPlay) together = policy_play(policies[i], "", settings, trace);
        g_autoptr(PolicyPlay) play = policy_play(policies[i], "", apart, trace);
        CU_ASSERT_EQUAL(policy_end(together, "memory.used_frames").i, 4);
        CU_ASSERT_EQUAL(policy_end(together, "class.forgone_pages").kind, PF_STAT_NULL);
        CU_ASSERT_EQUAL(policy_end(play, "memory.used_frames").i, 6);
        CU_ASSERT_EQUAL(policy_end(play, "class.forgone_pages").i, 2);
        CU_ASSERT_EQUAL(policy_end(play, "class.count").i, 2);
        CU_ASSERT_EQUAL(policy_end(play, "reason.class").i, 4);
        CU_ASSERT_EQUAL(policy_end(play, "reason.unique").i, 1);
        CU_ASSERT_EQUAL(policy_end(play, "reason.shared").i, 2);
    }
}

/* ---- What a rule buys ---- */

/* Core 0 and a's frames are on node 0, core 1 and b's on node 1. b reads the 64 lines of its page,
 * which no cache has: from its own node unless the page was moved to a's frame. */
static void the_class_of_a_node_keeps_accesses_local(void)
{
    g_autoptr(GString) trace = g_string_new(
        "context a process core=0\nmap a 0x0 1 anon\nfill a 0x0 1 id:1\n"
        "context b process core=1\nmap b 0x0 1 anon\nfill b 0x0 1 id:1\nscan pass 1\n"
        "grain access\n");
    for (unsigned line = 0; line < 64; line++)
        g_string_append_printf(trace, "read b 0x%x 8\n", line * 64);
    static const struct {
        const char *settings;
        int64_t local;
    } rows[] = {
        {"pacing = \"trace\"; ", 0},
        {"pacing = \"trace\"; classes = \"label\"; ", 0},
        {"pacing = \"trace\"; classes = \"node\"; ", 64},
    };
    static const char top[] = "machine = { cores = 2; numa = { nodes = 2; }; };";
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(PolicyPlay) play = policy_play("brute", top, rows[i].settings, trace->str);
        CU_ASSERT_EQUAL(policy_end(play, "numa.local").i, rows[i].local);
        CU_ASSERT_EQUAL(policy_end(play, "numa.remote").i, 64 - rows[i].local);
    }
    g_autoptr(PolicyPlay) bus =
        policy_play("brute", top, "pacing = \"trace\"; remap = \"controller\"; ", trace->str);
    CU_ASSERT_EQUAL(policy_end(bus, "numa.remote").i, 64); /* by frames, not by bus addresses */
}

static const PfCheck checks[] = {
    {"the class of a node keeps accesses local", the_class_of_a_node_keeps_accesses_local},
    {"a frame of two labels takes no further page", a_frame_of_two_labels_takes_no_further_page},
    {"the page cache is in nobody's class", the_page_cache_is_in_nobodys_class},
    {"pages of zeros keep their labels", pages_of_zeros_keep_their_labels},
    {"pages forgone are counted from contents", pages_forgone_are_counted_from_contents},
    {"five pages of two classes take two frames", five_pages_of_two_classes_take_two_frames},
};

PF_CHECK_MAIN("classes", checks)
