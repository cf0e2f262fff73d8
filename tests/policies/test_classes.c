/* Classes under every policy, on the host and the engine that the program has: Overton, US 9,069,477
 * B1, "several shared copies", whose five pages of two classes are left with two frames. */
#include "check.h"

#include "policy_runs.h"

/* Pages 1, 3 and 5 are a's, 2 and 4 are b's. */
#define FIVE_PAGES(content) \
    "context a process node=0 label=low\nmap a 0x0 3 anon mergeable\n" \
    "context b vm node=1 label=high\nmap b 0x0 2 anon mergeable\n" \
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
    {"ksm", ""},
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
        {TWO_NODES, "classes = (\"kind\", \"node\", \"label\"); ", 2},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(sharers); i++)
        for (size_t j = 0; j < G_N_ELEMENTS(rows); j++) {
            g_autofree char *settings =
                g_strconcat(sharers[i].settings, rows[j].classes, NULL);
            int64_t frames = frames_of_five(sharers[i].policy, rows[j].top, settings);
            /* Two pages a frame at most: three of one class take two frames. */
            bool is_limited = strstr(settings, "max_page_sharing") != NULL;
            int64_t limited = rows[j].frames == 1 ? 3 : 3;
            CU_ASSERT_EQUAL(frames, is_limited ? limited : rows[j].frames);
            if (frames != (is_limited ? limited : rows[j].frames))
                printf("# %s, %s%s: %d frames\n", sharers[i].policy, rows[j].top, settings,
                       (int)frames);
        }
}

static const PfCheck checks[] = {
    {"five pages of two classes take two frames", five_pages_of_two_classes_take_two_frames},
};

PF_CHECK_MAIN("classes", checks)
