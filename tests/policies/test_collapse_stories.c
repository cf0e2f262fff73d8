/* The stories of US 9,069,477 B1 that lie under traces/stories, told with every finder, by policies
 * that collapse before a store and by some that do so later. Expected frames are the figures'. */
#include "check.h"

#include <string.h>

#include "policy_runs.h"
#include "run.h"

typedef struct {
    const char *mark;
    int64_t frames;
} Step;

static const Step figure_2[] = {{"200", 1}, {"202", 2}, {NULL, 0}};
static const Step figure_3[] = {{"300", 2}, {"302", 1}, {NULL, 0}};
static const Step figure_4[] = {{"404", 1}, {"406", 2}, {"408", 4},
                                {"410", 2}, {"412", 1}, {NULL, 0}};
/* 1,000 processes times 1,000 pages; three pages written. */
static const Step thousand[] = {{"initialised", 1}, {"written", 1 + 3}, {NULL, 0}};

static void check_steps(const char *story, const char *settings, const Step *steps)
{
    g_autofree char *path = g_strconcat(STORIES, "/", story, ".trace", NULL);
    /* The checks of all invariants take long for a million pages. */
    bool paranoid = steps != thousand;
    g_autoptr(PolicyPlay) play = policy_play_file("collapse", "", settings, path, paranoid);
    for (; steps->mark != NULL; steps++) {
        int64_t frames = policy_at(play, steps->mark, "memory.used_frames");
        if (frames != steps->frames)
            printf("# %s, %s, mark %s: %" G_GINT64_FORMAT " frames\n", story, settings,
                   steps->mark, frames);
        CU_ASSERT_EQUAL(frames, steps->frames);
    }
}

/* With each finder of the registry and each way to be timed. */
static void check_story(const char *story, const Step *steps)
{
    static const char *const ways[] = {
        "",
        "when = \"idle\"; ",
        "collapse_when = \"idle\"; ",
        "when = \"pressure\"; primary = \"oldest\"; ",
        "when = \"settled\"; primary = \"most-referenced\"; ",
        "look_up = \"settle\"; free = \"gc\"; ",
    };
    PfRegistry *registry = pf_registry_new();
    for (size_t i = 0; i < pf_registry_finder_count(registry); i++) {
        for (size_t j = 0; j < G_N_ELEMENTS(ways); j++) {
            g_autofree char *settings =
                g_strdup_printf("finder = \"%s\"; pacing = \"trace\"; %s",
                                pf_registry_finder(registry, i)->name, ways[j]);
            check_steps(story, settings, steps);
        }
    }
    CU_ASSERT(pf_registry_finder_count(registry) > 1);
    pf_registry_free(registry);
}

static void figure_2_splits_one_page_in_two(void)
{
    check_story("figure-2", figure_2);
}

static void figure_3_makes_one_page_of_two(void)
{
    check_story("figure-3", figure_3);
}

static void figure_4_takes_1_2_4_2_1_pages(void)
{
    check_story("figure-4", figure_4);
}

static void a_thousand_processes_of_a_thousand_pages_are_one_frame_until_written(void)
{
    PfRegistry *registry = pf_registry_new();
    for (size_t i = 0; i < pf_registry_finder_count(registry); i++) {
        g_autofree char *settings = g_strdup_printf("finder = \"%s\"; patterns = (\"zero\"); ",
                                                    pf_registry_finder(registry, i)->name);
        check_steps("thousand-processes", settings, thousand);
    }
    check_steps("thousand-processes", "patterns = (\"ones\", \"zero\"); when = \"pressure\"; ",
                thousand);
    pf_registry_free(registry);
}

/* The frame that page 0 of CONTEXT maps at the end. */
static uint32_t frame_of(const PolicyPlay *play, uint32_t context)
{
    PfMpn frame;
    bool present = pf_host_frame(policy_run(play)->host, (PfPage){context, {0}}, &frame);
    CU_ASSERT_TRUE(present);
    return present ? frame.number : UINT32_MAX;
}

/* Three equal pages in three frames, made in the order of A, B, C: 1, 2, 3. */
#define THREE \
    "context A process\ncontext B process\ncontext C process\n" \
    "map A 0x0 2 anon\nmap B 0x0 1 anon\nmap C 0x0 1 anon\n" \
    "fill A 0x0 1 id:1\nfill B 0x0 1 id:2\nfill C 0x0 1 id:3\n"

static void the_primary_page_is_the_lowest_or_the_one_that_is_given(void)
{
    static const char trace[] = THREE "fill C 0x0 1 id:4\nfill B 0x0 1 id:4\nfill A 0x0 1 id:4\n"
                                      "scan pass 1\nmark \"end\"\n";
    static const struct {
        const char *primary;
        uint32_t frame;
    } rows[] = {
        {"primary = \"lowest\"; ", 1},
        {"primary = \"oldest\"; ", 1},
        {"primary = \"given\"; given = (\"C:0x0\"); ", 3},
        {"primary = \"given\"; given = (\"A:0x1000\", \"B:0x0\"); ", 2},
        {"primary = \"given\"; given = (\"D:0x0\"); ", 1},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *settings =
            g_strconcat("when = \"idle\"; pacing = \"trace\"; ", rows[i].primary, NULL);
        g_autoptr(PolicyPlay) play = policy_play("collapse", "", settings, trace);
        for (uint32_t context = 0; context < 3; context++)
            CU_ASSERT_EQUAL(frame_of(play, context), rows[i].frame);
    }
}

/* B and C share frame 2; A, in frame 1, becomes equal. Two pages map the one, one the other. */
static void the_primary_page_is_the_most_referenced(void)
{
    static const char trace[] = THREE "fill B 0x0 1 id:5\nfill C 0x0 1 id:5\nscan pass 1\n"
                                      "fill A 0x0 1 id:5\nscan pass 1\nmark \"end\"\n";
    static const struct {
        const char *primary;
        uint32_t frame;
        uint64_t moved; /* C, then A, or B and C */
    } rows[] = {{"lowest", 1, 1 + 2}, {"most-referenced", 2, 1 + 1}};
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *settings = g_strdup_printf(
            "when = \"idle\"; pacing = \"trace\"; primary = \"%s\"; ", rows[i].primary);
        g_autoptr(PolicyPlay) play = policy_play("collapse", "", settings, trace);
        for (uint32_t context = 0; context < 3; context++)
            CU_ASSERT_EQUAL(frame_of(play, context), rows[i].frame);
        CU_ASSERT_EQUAL(policy_end(play, "collapse.collapsed").u, rows[i].moved);
    }
}

static const PfCheck checks[] = {
    {"figure 2 splits one page in two", figure_2_splits_one_page_in_two},
    {"figure 3 makes one page of two", figure_3_makes_one_page_of_two},
    {"figure 4 takes 1, 2, 4, 2, 1 pages", figure_4_takes_1_2_4_2_1_pages},
    {"a thousand processes of a thousand pages are one frame until written",
     a_thousand_processes_of_a_thousand_pages_are_one_frame_until_written},
    {"the primary page is the lowest, the oldest, or one that is given",
     the_primary_page_is_the_lowest_or_the_one_that_is_given},
    {"the primary page is the most referenced", the_primary_page_is_the_most_referenced},
};

int main(void)
{
    return pf_check_main("collapse-stories", checks, G_N_ELEMENTS(checks));
}
