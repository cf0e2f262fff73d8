/* `explain`: the last picture is what a run of the same trace, which nobody watches, ends with: for
 * every policy, on traces that hold every kind of event. */
#include "check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "run.h"
#include "simulation.h"
#include "spawn.h"

/* What a picture has no row for, and what it sums up, is left out: frames are few here. */
static const char events[] =
    "pagefold-trace 1\npage 8\n"
    "context v1 vm\ncontext p2 process label=low\ncontext c3 process\ncontext c4 process\n"
    "context c5 process\ncontext c6 process\ncontext c7 process\ncontext c8 process\n"
    "context c9 process\ncontext c10 process\n"
    "map v1 0x0 1024 anon huge=4KiB mergeable\nmap p2 0x0 8 anon mergeable\n"
    "map c3 0x0 4 file=lib.so:0\nmap c4 0x0 4 shmem=seg:0\nmap c5 0x0 4 anon\n"
    "map c10 0x0 2 anon\nfill v1 0x0 4 id:5\nfill p2 0x0 8 zero\nread c3 0x0 8\nread c3 0x8 8\n"
    "write c4 0x0 4 0x41424344\nread c5 0x0 8\ninit c5 0x0 2 zero\ninit c5 0x10 1 ones\n"
    "fill c10 0x0 2 id:5\ndma p2 0x8 1 disk:7 id:3\ntouch p2 0x0 2\nstate p2 0x10 2 id:5\n"
    "attr p2 0x10 1 pinned\nadvise v1 0x0 4 nohuge\nfork p2 f11\nalias c5 0x18 1 p2 0x10\n"
    "write f11 0x0 4 0x01020304\nwrite f11 0x8 4\nfetch c3 0x0 8\nwrite c3 0x0 4 0x00000001\n"
    "scan pass 2\nremap p2 0x0 1 0x1000\nadvise p2 0x8 1 dontneed\nrun p2 100\nidle p2 5us\n"
    "begin p2 \"x\"\nend p2 \"x\"\ntime 1ms\ncontrol esx.rate 5\ngrain page\ngrain access\n"
    "scan pass 2\nscan 3\nmark \"m\"\nwrite c10 0x8 4 0x09\nunmap f11 0x10 1\nexit c9\n";

/* The frames of RUN, one a line as pictures have them: number, references, state of those that need
 * no knowledge of the policy. */
static char *frames_of(const PfRun *run)
{
    const PfFramePool *frames = &run->memory.frames;
    GString *text = g_string_new(NULL);
    for (uint32_t number = 0; number < frames->limit; number++) {
        const PfFrame *frame = pf_frame_at(frames, (PfMpn){number});
        uint64_t refs = 0;
        bool is_writable = false;
        PfPage page = {0, {0}};
        for (; pf_host_cursor_next(run->host, page, &page); page.cpn.number++) {
            PfMpn mapped;
            unsigned flags = pf_host_look(run->host, page, &mapped);
            refs += mapped.number == number;
            is_writable |= mapped.number == number && (flags & PF_FLAG_WRITABLE) != 0;
        }
        bool is_zero = number == PF_ZERO_FRAME.number;
        if (is_zero ? refs == 0 : !pf_frame_is_used(frame))
            continue;
        const char *state = (frame->count & PF_FRAME_FILE) != 0 ? "page cache"
                            : refs == 0                         ? "held"
                            : is_zero                           ? "zero page"
                            : is_writable                       ? "open"
                                                                : "COW";
        g_string_append_printf(text, "%" PRIu32 " %" PRIu64 " %s\n", number, refs, state);
    }
    return g_string_free(text, FALSE);
}

/* The rows of the last picture in TEXT, likewise. */
static char *last_picture(const char *text)
{
    GString *picture = g_string_new(NULL);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    bool is_within = false;
    for (char **line = lines; *line != NULL; line++) {
        const char *frame = strstr(*line, "frame ");
        const char *state = strstr(*line, " ref");
        bool is_row = strstr(*line, "->") != NULL || strstr(*line, "frame ") == *line + 14;
        unsigned number;
        if (**line == '\0' || frame == NULL || state == NULL || !is_row ||
            sscanf(frame, "frame %u", &number) != 1) {
            is_within = is_within && **line != '\0';
            continue;
        }
        if (!is_within)
            g_string_truncate(picture, 0);
        is_within = true;
        const char *count = state;
        while (count > *line && g_ascii_isdigit(count[-1]))
            count--;
        state += strcspn(state + 1, " ") + 1;
        state += strspn(state, " ");
        bool is_open = g_str_has_prefix(state, "private") || g_str_has_prefix(state, "hint");
        g_autofree char *word = g_strndup(state, strcspn(state, ","));
        g_string_append_printf(picture, "%u %u %s\n", number, (unsigned)atoi(count),
                               is_open ? "open" : word);
    }
    return g_string_free(picture, FALSE);
}

/* The last picture of the trace at PATH under POLICY is that of a run, and what is told at the end,
 * too. */
static void check_policy(const PfRegistry *registry, const char *path, const char *policy)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text =
        g_strdup_printf("policies = ( { name = \"%s\"; pacing = \"trace\"; } );", policy);
    g_autoptr(PfConfig) config = pf_config_load_text(text, strlen(text), "test", NULL, &error);
    g_assert_no_error(error);
    PfSimulationOptions options = {.threads = 1, .trace = path};
    g_autoptr(PfSimulation) simulation = pf_simulation_new(config, registry, &options, &error);
    g_assert_no_error(error);
    CU_ASSERT_TRUE(pf_simulation_run(simulation, &error));
    const PfRun *run = pf_simulation_run_at(simulation, 0);
    g_autofree char *wanted = frames_of(run);
    g_auto(Spawned) told = spawn(NULL, "explain", path, "--policy", policy, "--ascii");
    g_autofree char *found = last_picture(told.out);
    if (strcmp(found, wanted) != 0)
        printf("# %s: drawn\n# %s# and not\n# %s", policy, found, wanted);
    CU_ASSERT_STRING_EQUAL(found, wanted);
    PfStatValue populated;
    PfStatValue used;
    CU_ASSERT_TRUE(pf_stats_find(pf_run_stats(run), "memory.populated_pages", &populated));
    CU_ASSERT_TRUE(pf_stats_find(pf_run_stats(run), "memory.used_frames", &used));
    /* What a bound counts is not what is mapped. */
    g_strdelimit(told.out, "\n", ' ');
    bool is_bound = (run->setup->ops->flags & PF_POLICY_BOUND) != 0;
    g_autofree char *end = g_strdup_printf(
        " In the end, %" PRId64 " page%s that got bytes in %" PRIu64 " frame", populated.i,
        populated.i == 1 ? "" : "s",
        is_bound ? run->memory.frames.used_frames : (uint64_t)used.i);
    g_autofree char *bound = g_strdup_printf(" of the policy. %" PRId64 " frame%s would do. ",
                                              used.i, used.i == 1 ? "" : "s");
    CU_ASSERT_EQUAL(strstr(told.out, bound) != NULL, is_bound);
    CU_ASSERT_PTR_NOT_NULL(strstr(told.out, end));
}

static void the_last_picture_is_what_a_run_ends_with(void)
{
    static const char *const samples[] = {"samples/tiny.trace", "stories/figure-4.trace",
                                          "stories/fork.trace", "stories/two-visits.trace"};
    PfRegistry *registry = pf_registry_new();
    char *place = spawn_make_place();
    spawn_write(place, "events.trace", events);
    g_autofree char *path = g_build_filename(place, "events.trace", NULL);
    for (size_t i = 0; i < pf_registry_policy_count(registry); i++) {
        const char *policy = pf_registry_policy(registry, i)->name;
        check_policy(registry, path, policy);
        for (unsigned j = 0; j < G_N_ELEMENTS(samples); j++) {
            g_autofree char *sample =
                g_build_filename(g_getenv("PAGEFOLD_TRACES"), samples[j], NULL);
            check_policy(registry, sample, policy);
        }
    }
    spawn_clear_place(place);
    pf_registry_free(registry);
}

static const PfCheck checks[] = {
    {"the last picture is what a run ends with, for every policy",
     the_last_picture_is_what_a_run_ends_with},
};

PF_CHECK_MAIN("app-explain-counts", checks)
