/* Policy `collapse` and its filter at the edges of their parameters, where parts of it meet, and
 * what they refuse. */
#include "check.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "policy_runs.h"

static int64_t end_of(const PolicyPlay *play, const char *name)
{
    return policy_end(play, name).i;
}

/* The second store of b is redirected: the caches see two stores, not three, and what it would have
 * written is read from a's frame. */
static void a_redirected_store_reaches_no_cache(void)
{
    static const char trace[] =
        "context a process core=0\nmap a 0x0 1 anon\ncontext b process core=1\nmap b 0x0 1 anon\n"
        "grain access\nwrite a 0x0 4 1\nwrite b 0x0 4 2\n";
    g_autofree char *third = g_strconcat(trace, "write b 0x0 4 1\n", NULL);
    static const char *const whens[] = {"when = \"immediate\"; ", "when = \"settled\"; "};
    for (size_t i = 0; i < G_N_ELEMENTS(whens); i++) {
        static const char top[] = "machine = { cores = 2; };";
        g_autoptr(PolicyPlay) two = policy_play("collapse", top, whens[i], trace);
        g_autoptr(PolicyPlay) three = policy_play("collapse", top, whens[i], third);
        int64_t more = end_of(three, "cache.l1d.writes") - end_of(two, "cache.l1d.writes");
        CU_ASSERT_EQUAL(more, i == 0 ? 0 : 1);
        CU_ASSERT_EQUAL(end_of(three, "collapse.redirected"), i == 0 ? 1 : 0);
        CU_ASSERT_EQUAL(policy_differences(three), 0);
    }
}

/* ---- Groups ---- */

/* Two groups of ten: found at the scan, collapsed when all wait. */
static void the_collapse_of_groups_may_be_put_off(void)
{
    static const char trace[] =
        "context a process\nmap a 0x0 10 anon group=1\nmap a 0x100000 10 anon group=2\n"
        "fill a 0x0 10 id:1 step=1\nfill a 0x100000 10 id:1 step=1\nscan pass 1\n"
        "scan pass 1\nscan pass 1\n";
    static const char *const ways[] = {"", "collapse_when = \"idle\"; "};
    for (size_t i = 0; i < G_N_ELEMENTS(ways); i++) {
        g_autofree char *settings = g_strconcat(
            "when = \"idle\"; pacing = \"trace\"; probe_pages = 2; ", ways[i], NULL);
        g_autoptr(PolicyPlay) play = policy_play("collapse", "", settings, trace);
        CU_ASSERT_EQUAL(end_of(play, "memory.used_frames"), 10);
    }
}

/* The second group has three pages; the page behind it, which is no group's, is like the fourth of
 * the first group. Compared are the probe and two more. */
static void a_group_is_compared_as_far_as_the_other_one_goes(void)
{
    static const char trace[] =
        "context a process\nmap a 0x0 10 anon group=1\nmap a 0x100000 3 anon group=2\n"
        "map a 0x103000 1 anon\nfill a 0x0 10 id:1 step=1\nfill a 0x100000 4 id:1 step=1\n"
        "scan pass 2\n";
    g_autoptr(PolicyPlay) play = policy_play(
        "collapse", "", "when = \"idle\"; pacing = \"trace\"; probe_pages = 1; ", trace);
    CU_ASSERT_EQUAL(end_of(play, "collapse.group_compares"), 1 + 2);
    CU_ASSERT_EQUAL(end_of(play, "memory.used_frames"), 10 + 1);
}

/* With three frames the fourth page has none. What the pages hold later is not the policy's any
 * more, whose statistics are told all the same. */
static void statistics_stand_where_memory_ran_out(void)
{
    static const char trace[] =
        "context a process\nmap a 0x0 4 anon group=1\nfill a 0x0 4 id:1 step=1\nunmap a 0x0 4\n"
        "map a 0x0 4 anon\nfill a 0x0 4 id:5\n";
    g_autoptr(PolicyPlay) play =
        policy_play("collapse", "machine = { memory = \"12KiB\"; };",
                    "when = \"idle\"; probe_pages = 1; pacing = \"trace\"; ", trace);
    CU_ASSERT_FALSE(policy_fitted(play));
    CU_ASSERT_EQUAL(end_of(play, "collapse.group_missed"), 0);
    CU_ASSERT_STRING_EQUAL(pf_run_remark(policy_run(play)), "out of memory");
    g_autoptr(PolicyPlay) lossy =
        policy_play("collapse", "machine = { memory = \"12KiB\"; };",
                    "identical = \"threshold\"; threshold = 1.0; ", trace);
    CU_ASSERT_STRING_EQUAL(pf_run_remark(policy_run(lossy)), "lossy, out of memory");
}

/* ---- Storage ---- */

/* Three pages of other bytes. While they wait to settle each takes 8 bytes in the queue and 8 for
 * the time; while idleness is waited for, 8. Oldest frames are known by 8 bytes a frame. The finder
 * `brute` takes none. */
static void the_queue_takes_memory_while_pages_wait(void)
{
    static const char trace[] =
        "context a process\nmap a 0x0 3 anon\nfill a 0x0 3 id:1 step=1\nrun a 100\n"
        "mark \"waiting\"\nidle a 2s\ntime 3s\nscan pass 1\nmark \"known\"\n";
    static const struct {
        const char *settings;
        int64_t queue_bytes;
        int64_t frame_bytes;
    } rows[] = {
        {"when = \"settled\"; settle = \"1s\"; ", 3 * (8 + 8), 8},
        {"look_up = \"settle\"; settle = \"1s\"; primary = \"oldest\"; ", 3 * (8 + 8), 16},
        {"when = \"pressure\"; pacing = \"trace\"; primary = \"most-referenced\"; ", 3 * 8, 8},
        {"", 0, 8},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *settings = g_strconcat("finder = \"brute\"; ", rows[i].settings, NULL);
        g_autoptr(PolicyPlay) play = policy_play("collapse", "", settings, trace);
        int64_t known = policy_at(play, "known", "memory.metadata_bytes");
        int64_t filed = known - 3 * (12 + rows[i].frame_bytes);
        CU_ASSERT(filed >= 0);
        CU_ASSERT_EQUAL(policy_at(play, "known", "collapse.waiting"), 0);
        CU_ASSERT_EQUAL(policy_at(play, "waiting", "memory.metadata_bytes"),
                        3 * (12 + rows[i].frame_bytes) + rows[i].queue_bytes +
                            (i == 3 ? filed : 0));
    }
}

/* ---- Edges of parameters ---- */

/* A share of 1 of idle contexts, of 0; no frame free, all frames. Two equal pages of a, which goes
 * on working while b waits all the time. */
static void shares_mean_what_they_say_at_their_ends(void)
{
    static const char trace[] =
        "context a process core=0\nmap a 0x0 2 anon\ncontext b process core=1\nmap b 0x0 1 anon\n"
        "fill b 0x0 1 id:9\nidle b 100ms\nfill a 0x0 2 id:1\nrun a 40000000\nread a 0x0 1\n"
        "run a 1000\nmark \"end\"\n";
    static const struct {
        const char *settings;
        int64_t frames;
    } rows[] = {
        {"when = \"idle\"; idle_share = 0.0; ", 2},
        {"when = \"idle\"; idle_share = 0.5; ", 2},
        {"when = \"idle\"; idle_share = 1.0; collapse_when = \"pressure\"; ", 3},
        {"when = \"pressure\"; pressure_free = 1.0; ", 2},
        {"when = \"pressure\"; pressure_free = 0.0; ", 3},
        {"collapse_when = \"pressure\"; pressure_free = 0.0; ", 3},
        {"collapse_when = \"pressure\"; pressure_free = 1.0; ", 2},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *settings = g_strconcat("sleep = \"1us\"; ", rows[i].settings, NULL);
        g_autoptr(PolicyPlay) play =
            policy_play("collapse", "machine = { cores = 2; memory = \"64KiB\"; };", settings,
                        trace);
        CU_ASSERT_EQUAL(policy_at(play, "end", "memory.used_frames"), rows[i].frames);
    }
}

/* A threshold of nothing makes all pages one, of everything only equal ones. */
static void a_threshold_of_nothing_and_of_all(void)
{
    static const char trace[] =
        "pagefold-trace 1\npage 4\ngrain page\ncontext a process\nmap a 0x0 4 anon\n"
        "fill a 0x0 1 ones\nfill a 0x4 1 hex:00000001\nfill a 0x8 1 hex:fffffffe\n"
        "fill a 0xc 1 ones\nmark \"end\"\n";
    static const struct {
        const char *threshold;
        int64_t frames;
    } rows[] = {
        {"0.0", 1},
        {"1.0", 3},
        /* 31 of 32 bits agree between the first and the third: at least 0.96875. */
        {"0.96875", 2},
        {"0.96876", 3},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *settings =
            g_strdup_printf("identical = \"threshold\"; threshold = %s; ", rows[i].threshold);
        g_autoptr(PolicyPlay) play = policy_play_text("collapse", "", settings, trace);
        CU_ASSERT_EQUAL(policy_at(play, "end", "memory.used_frames"), rows[i].frames);
        CU_ASSERT_TRUE(g_str_has_prefix(pf_run_remark(policy_run(play)), "lossy"));
    }
}

/* ---- What is refused ---- */

static GError *error_of(const char *settings)
{
    GError *error = NULL;
    g_autofree char *path = NULL;
    close(g_file_open_tmp("pagefold-edges-XXXXXX", &path, NULL));
    g_file_set_contents(path, "pagefold-trace 1\ncontext a process\n", -1, NULL);
    g_autofree char *text =
        g_strdup_printf("policies = ( { name = \"collapse\"; %s } );\n", settings);
    PfRegistry *registry = pf_registry_new();
    PfConfig *config = pf_config_load_text(text, strlen(text), "test", NULL, &error);
    if (config != NULL) {
        PfSimulationOptions options = {.threads = 1, .trace = path};
        pf_simulation_free(pf_simulation_new(config, registry, &options, &error));
    }
    pf_config_free(config);
    pf_registry_free(registry);
    g_unlink(path);
    return error;
}

static void a_mistake_is_one_error_that_names_the_key(void)
{
    static const struct {
        const char *settings;
        const char *key;
    } rows[] = {
        {"when = \"later\"; ", "when"},
        {"collapse_when = \"settled\"; ", "collapse_when"},
        {"look_up = \"byte\"; ", "look_up"},
        {"idle_share = 1.01; ", "idle_share"},
        {"pressure_free = -0.01; ", "pressure_free"},
        {"gc_interval = \"0ns\"; ", "gc_interval"},
        {"threshold = 1.01; identical = \"threshold\"; ", "threshold"},
        {"primary = \"given\"; ", "given"},
        {"given = \"a:0x0\"; ", "given"},
        {"primary = \"given\"; given = \"a\"; ", "given"},
        {"primary = \"given\"; given = \"a:\"; ", "given"},
        {"primary = \"given\"; given = \":0x0\"; ", "given"},
        {"primary = \"given\"; given = \"a:-1\"; ", "given"},
        {"primary = \"given\"; given = \"a:0x10000000000000000\"; ", "given"},
        {"patterns = \"debug\"; ", "pattern"},
        {"patterns = \"hex:\"; ", "pattern"},
        {"patterns = \"hex:abc\"; ", "pattern"},
        {"patterns = \"hex:0g\"; ", "pattern"},
        {"ignored_bits = \"3\"; ", "ignored_bits"},
        {"identical = \"masked\"; ", "ignored_bits"},
        {"identical = \"masked\"; ignored_bits = \"32768\"; ", "ignored_bits"}, /* 8 x 4096 */
        {"identical = \"masked\"; ignored_bits = \"9-8\"; ", "ignored_bits"},
        {"used_bytes = 4; ", "used_bytes"},
        {"identical = \"range\"; used_offset = 4096; ", "used_offset"},
        {"identical = \"range\"; used_offset = 1; used_bytes = 4096; ", "used_bytes"},
        {"probe_pages = 1; ", "probe_pages"},
        {"classes = \"colour\"; ", "classes"},
        {"filters = \"flag\"; ", "filters"},
        {"filters = \"flagged\"; flagged = { accesses = 0; }; ", "accesses"},
        {"filters = \"flagged\"; flagged = { time = \"1us\"; timer = \"1us\"; }; ", "time"},
        {"filters = \"flagged\"; flagged = { accesses = 8; bits = 4; }; ", "bits"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = error_of(rows[i].settings);
        CU_ASSERT(g_error_matches(error, PF_ERROR, PF_ERROR_CONFIG));
        bool names = error != NULL && strstr(error->message, rows[i].key) != NULL &&
                     strchr(error->message, '\n') == NULL;
        if (!names)
            printf("# %s: %s\n", rows[i].settings, error != NULL ? error->message : "no error");
        CU_ASSERT_TRUE(names);
    }
    g_autoptr(GError) none = error_of("primary = \"given\"; given = \"a:0xffffffffffffffff\"; ");
    CU_ASSERT_PTR_NULL(none);
}

/* Two equal pages, written at 0 and after 9 us at most. While their flags are set nothing is looked
 * up; when they expire, it is. */
static void a_flagged_page_is_left_out_and_comes_back(void)
{
    static const char begin[] = "grain access\ncontext a process\nmap a 0x0 3 anon\n"
                                "read a 0x2000 1\nwrite a 0x0 4 1\nwrite a 0x1000 4 1\n";
    static const struct {
        const char *flagged;
        const char *before;
        const char *after;
    } rows[] = {
        {"time = \"100us\"; ", "time 90us\n", "time 120us\n"},
        {"timer = \"100us\"; ", "time 90us\n", "time 120us\n"},
        {"accesses = 5; ", "read a 0x2000 1\nread a 0x2000 1\nread a 0x2000 1\n",
         "read a 0x2000 1\nread a 0x2000 1\nread a 0x2000 1\ntime 210us\n"},
        {"time = \"100us\"; of = \"access\"; ",
         "time 90us\nread a 0x0 1\nread a 0x1000 1\ntime 180us\n", "time 210us\n"},
    };
    static const char *const whens[] = {"immediate", "settled", "idle"};
    for (size_t i = 0; i < G_N_ELEMENTS(rows) * G_N_ELEMENTS(whens); i++) {
        size_t row = i % G_N_ELEMENTS(rows);
        g_autofree char *settings = g_strdup_printf(
            "when = \"%s\"; settle = \"1ns\"; sleep = \"1us\"; filters = (\"flagged\"); "
            "flagged = { %s};", whens[i / G_N_ELEMENTS(rows)], rows[row].flagged);
        g_autofree char *trace = g_strconcat(begin, rows[row].before, "mark \"before\"\n",
                                             rows[row].after, "mark \"after\"\n", NULL);
        g_autoptr(PolicyPlay) play = policy_play("collapse", "", settings, trace);
        CU_ASSERT_EQUAL(policy_at(play, "before", "collapse.collapsed"), 0);
        CU_ASSERT_EQUAL(policy_at(play, "before", "policy.shared"), 0);
        CU_ASSERT_EQUAL(policy_at(play, "after", "collapse.collapsed"), 1);
    }
}

static const PfCheck checks[] = {
    {"a flagged page is left out and comes back", a_flagged_page_is_left_out_and_comes_back},
    {"a redirected store reaches no cache", a_redirected_store_reaches_no_cache},
    {"the collapse of groups may be put off", the_collapse_of_groups_may_be_put_off},
    {"a group is compared as far as the other one goes",
     a_group_is_compared_as_far_as_the_other_one_goes},
    {"statistics stand where memory ran out", statistics_stand_where_memory_ran_out},
    {"the queue takes memory while pages wait", the_queue_takes_memory_while_pages_wait},
    {"shares mean what they say at their ends", shares_mean_what_they_say_at_their_ends},
    {"a threshold of nothing and of all", a_threshold_of_nothing_and_of_all},
    {"a mistake is one error that names the key", a_mistake_is_one_error_that_names_the_key},
};

PF_CHECK_MAIN("collapse-edges", checks)
