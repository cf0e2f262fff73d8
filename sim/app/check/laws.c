#include "laws.h"

#include <glib/gstdio.h>
#include <malloc.h>
#include <string.h>

#include "laws_classes.h"
#include "laws_compare.h"
#include "laws_large.h"
#include "laws_same.h"
#include "laws_ways.h"

/* Frames beside those that are pinned, where memory is small: for locked pages, too. */
enum { ROOM_FRAMES = 12 };

/* Plays after which the heap has what it keeps, and plays that are then watched. */
enum { PLAYS_BEFORE = 2, PLAYS_WATCHED = 3 };

bool pf_laws_trial_begin(PfLawsTrial *trial, GError **error)
{
    trial->path = g_strdup_printf("%s/%u.trace", trial->directory, trial->seed);
    trial->policies = pf_laws_ways(trial);
    trial->trace = pf_laws_trace_write(trial->path, trial->seed, trial->records, error);
    return trial->trace != NULL;
}

void pf_laws_trial_unlink(const PfLawsTrial *trial)
{
    g_autoptr(GDir) directory = g_dir_open(trial->directory, 0, NULL);
    const char *name;
    while (directory != NULL && (name = g_dir_read_name(directory)) != NULL) {
        g_autofree char *path = g_build_filename(trial->directory, name, NULL);
        g_unlink(path);
    }
}

void pf_laws_trial_end(PfLawsTrial *trial)
{
    pf_laws_play_clear(&trial->play);
    if (trial->obstacle != NULL)
        g_string_free(trial->obstacle, TRUE);
    if (trial->path != NULL)
        g_unlink(trial->path);
    pf_laws_trace_free(trial->trace);
    g_free(trial->path);
    g_free(trial->policies);
    trial->obstacle = NULL;
    trial->trace = NULL;
    trial->path = NULL;
    trial->policies = NULL;
}

unsigned pf_laws_way_count(const PfLawsTrial *trial)
{
    g_autofree char *ways = pf_laws_ways(trial);
    unsigned count = 0;
    for (const char *at = ways; (at = strstr(at, "label = \"")) != NULL; at++)
        count++;
    return count;
}

static PfLawsHow plain_play(const PfLawsTrial *trial)
{
    return (PfLawsHow){.registry = trial->registry,
                       .path = trial->path,
                       .policies = trial->policies,
                       .top = "",
                       .machine = pf_laws_frames(trial->path),
                       .threads = 1};
}

static void add_to_tally(PfLawsTally *tally, const PfLawsPlay *play)
{
    for (size_t i = 0; i < pf_simulation_run_count(play->simulation); i++) {
        const PfRun *run = pf_simulation_run_at(play->simulation, i);
        tally->scanned += pf_laws_figure(run, "policy.scanned");
        tally->shared += pf_laws_figure(run, "policy.shared");
        tally->swapped_out += pf_laws_figure(run, "swap.outs");
        tally->writes_skipped += pf_laws_figure(run, "swap.writes_skipped");
    }
}

/* Whether all policies can be played, by now or since another law asked; else PROBLEMS say why. */
static bool plays(PfLawsTrial *trial, GString *problems)
{
    if (trial->obstacle == NULL) {
        PfLawsHow how = plain_play(trial);
        trial->obstacle = g_string_new(NULL);
        if (pf_laws_play(&how, &trial->play, trial->obstacle))
            add_to_tally(&trial->tally, &trial->play);
    }
    g_string_append(problems, trial->obstacle->str);
    return trial->obstacle->len == 0;
}

/* ---- what single runs show ---- */

static bool labels_hold(PfLawsPlace *place)
{
    return !place->trace->keeps_labels_apart || pf_laws_classes_hold(place->run, place->problems);
}

/* Whether HOLDS is true of each run of PLAY. */
static bool each_holds(const PfLawsTrial *trial, const char *policies, const PfLawsPlay *play,
                       bool (*holds)(PfLawsPlace *place), GString *problems)
{
    bool all = true;
    for (size_t i = 0; i < pf_simulation_run_count(play->simulation); i++) {
        const PfRun *run = pf_simulation_run_at(play->simulation, i);
        g_autofree char *settings = pf_laws_settings(policies, pf_run_label(run));
        PfLawsPlace place = {.registry = trial->registry,
                             .trace = trial->trace,
                             .run = run,
                             .settings = settings,
                             .problems = problems};
        all &= holds(&place);
    }
    return all;
}

static bool counts(PfLawsTrial *trial, GString *problems)
{
    return plays(trial, problems) &&
           each_holds(trial, trial->policies, &trial->play, pf_laws_counts_hold, problems);
}

static bool cycles(PfLawsTrial *trial, GString *problems)
{
    return plays(trial, problems) &&
           each_holds(trial, trial->policies, &trial->play, pf_laws_cycles_hold, problems);
}

static bool passes(PfLawsTrial *trial, GString *problems)
{
    return plays(trial, problems) &&
           each_holds(trial, trial->policies, &trial->play, pf_laws_passes_hold, problems);
}

static bool labels(PfLawsTrial *trial, GString *problems)
{
    return plays(trial, problems) &&
           each_holds(trial, trial->policies, &trial->play, labels_hold, problems);
}

bool pf_laws_play_holds(PfLawsTrial *trial, const PfLawsHow *how, const PfLawsPlay *play,
                        GString *problems)
{
    static bool (*const judges[])(PfLawsPlace *) = {pf_laws_counts_hold, pf_laws_cycles_hold,
                                                    labels_hold};
    bool all = true;
    for (unsigned i = 0; i < G_N_ELEMENTS(judges); i++)
        all &= each_holds(trial, how->policies, play, judges[i], problems);
    return all;
}

/* ---- what takes plays of its own ---- */

/* The bytes of half the frames that `none` needs at its most, and room for what cannot be out. */
static uint64_t small_memory(const PfLawsTrace *trace)
{
    uint64_t frames = 0;
    uint64_t pins = 0;
    for (unsigned i = 0; i < trace->marks->len; i++) {
        const PfLawsMark *mark = &g_array_index(trace->marks, PfLawsMark, i);
        frames = MAX(frames, mark->baseline_frames);
        pins = MAX(pins, mark->pins);
    }
    return MAX(frames / 2, pins + ROOM_FRAMES) * trace->page_bytes;
}

/* Calls JUDGE with a play where memory is small, if it can be played. */
static bool judge_small(PfLawsTrial *trial,
                        bool (*judge)(PfLawsTrial *, const PfLawsHow *, const PfLawsPlay *,
                                      GString *),
                        GString *problems)
{
    g_autofree char *machine = g_strdup_printf(
        "on_full = \"swap\"; memory = %" G_GUINT64_FORMAT "; swap = { queue = 1; }; %s",
        small_memory(trial->trace), trial->seed % 2 == 0 ? "numa = { nodes = 2; };" : "");
    PfLawsHow how = plain_play(trial);
    how.machine = machine;
    how.top = trial->seed % 3 == 0 ? "timing = \"full\";" : "";
    PfLawsPlay play;
    bool holds = pf_laws_play(&how, &play, problems);
    if (holds)
        add_to_tally(&trial->tally, &play);
    holds = holds && judge(trial, &how, &play, problems);
    pf_laws_play_clear(&play);
    return holds;
}

static bool swap(PfLawsTrial *trial, GString *problems)
{
    return judge_small(trial, pf_laws_play_holds, problems);
}

/* Whether the runs of a policy, which PLAY has one after the other, share the same. */
static bool finders_agree(const PfLawsPlay *play, const char *policies, GString *problems)
{
    const PfRun *first = NULL;
    bool holds = true;
    for (size_t i = 0; i < pf_simulation_run_count(play->simulation); i++) {
        const PfRun *run = pf_simulation_run_at(play->simulation, i);
        if (first == NULL || !g_str_equal(pf_run_policy(run), pf_run_policy(first)))
            first = run;
        g_autofree char *wanted = pf_laws_sharings_text(first);
        g_autofree char *found = pf_laws_sharings_text(run);
        g_autofree char *settings = pf_laws_settings(policies, pf_run_label(first));
        g_autofree char *others = pf_laws_settings(policies, pf_run_label(run));
        g_autofree char *name = g_strdup_printf("of %s with %s", pf_run_policy(run), settings);
        g_autofree char *other = g_strdup_printf("with %s", others);
        holds &= pf_laws_is_same(name, wanted, other, found, problems);
    }
    return holds;
}

static bool finders(PfLawsTrial *trial, GString *problems)
{
    static const char *const extras[] = {"", "scope = \"anon\"; place = \"stolen\"; ",
                                         "place = \"controller\"; remap = \"controller\"; ",
                                         "classes = (\"label\", \"color\"); class_runs = false; "};
    bool holds = true;
    for (unsigned i = 0; holds && i < G_N_ELEMENTS(extras); i++) {
        g_autofree char *policies = pf_laws_finders(trial, extras[i]);
        if (policies[0] == '\0')
            break;
        PfLawsHow how = plain_play(trial);
        how.policies = policies;
        how.machine = "numa = { nodes = 2; }; cam = \"ideal\"; ";
        PfLawsPlay play;
        holds = pf_laws_play(&how, &play, problems) && finders_agree(&play, policies, problems);
        if (holds)
            add_to_tally(&trial->tally, &play);
        pf_laws_play_clear(&play);
    }
    return holds;
}

/* Whether PLAY, played as HOW says but under POLICIES and by THREADS, comes out the same. */
static bool is_same(const PfLawsHow *how, const PfLawsPlay *play, const char *policies,
                    unsigned threads, GString *problems)
{
    bool is_part = !g_str_equal(policies, how->policies);
    g_autofree char *name =
        is_part ? g_strdup("by itself") : g_strdup_printf("with %u threads", threads);
    PfLawsHow again = *how;
    again.policies = policies;
    again.threads = threads;
    PfLawsPlay other;
    bool holds = pf_laws_play(&again, &other, problems) &&
                 pf_laws_plays_are_same(play, &other, how->policies, name, problems);
    pf_laws_play_clear(&other);
    return holds;
}

static bool is_same_with_threads(PfLawsTrial *trial, const PfLawsHow *how, const PfLawsPlay *play,
                                 GString *problems)
{
    (void)trial;
    return is_same(how, play, how->policies, 2, problems);
}

static bool alone(PfLawsTrial *trial, GString *problems)
{
    PfLawsHow how = plain_play(trial);
    bool holds = plays(trial, problems);
    for (unsigned threads = 2; holds && threads <= 4; threads += 2)
        holds = is_same(&how, &trial->play, trial->policies, threads, problems);
    g_auto(GStrv) ways = g_strsplit(trial->policies, PF_LAWS_NEXT, -1);
    for (unsigned i = 0; holds && ways[i] != NULL; i++)
        holds = is_same(&how, &trial->play, ways[i], 1, problems);
    return holds && judge_small(trial, is_same_with_threads, problems);
}

/* ---- the host's memory ---- */

/* There where the program is built with AddressSanitizer, which has a heap of its own. */
extern size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

/* Bytes that the program has of its heap now. */
static size_t heap_bytes(void)
{
    if (__sanitizer_get_current_allocated_bytes != NULL)
        return __sanitizer_get_current_allocated_bytes();
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

typedef struct {
    PfLawsHow how;
    GString *problems;
    bool played;
} Visit;

static gpointer play_and_forget(gpointer user)
{
    Visit *visit = user;
    PfLawsPlay play;
    visit->played = pf_laws_play(&visit->how, &play, visit->problems);
    pf_laws_play_clear(&play);
    return NULL;
}

/* What the program has open. */
static size_t open_files(void)
{
    size_t count = 0;
    g_autoptr(GDir) directory = g_dir_open("/proc/self/fd", 0, NULL);
    while (directory != NULL && g_dir_read_name(directory) != NULL)
        count++;
    return count;
}

/* What each of several plays adds to LEVEL at the least. */
typedef struct {
    size_t (*level)(void);
    const char *what;
    size_t before;
    size_t growth;
} Growth;

static void watch(Growth *growth, bool is_warm)
{
    size_t now = growth->level();
    if (is_warm)
        growth->growth = now > growth->before ? MIN(growth->growth, now - growth->before) : 0;
    growth->before = now;
}

static bool leaks(PfLawsTrial *trial, GString *problems)
{
    Visit visit = {plain_play(trial), problems, true};
    Growth growths[] = {{heap_bytes, "bytes more of the heap in use", 0, SIZE_MAX},
                        {open_files, "more files open", 0, SIZE_MAX}};
    bool holds = true;
    for (unsigned i = 0; i < PLAYS_BEFORE + PLAYS_WATCHED; i++) {
        /* What the C library keeps at hand for a thread counts as in use until the thread ends. */
        g_thread_join(g_thread_new("play", play_and_forget, &visit));
        if (!visit.played)
            return false;
        for (unsigned j = 0; j < G_N_ELEMENTS(growths); j++)
            watch(&growths[j], i >= PLAYS_BEFORE);
    }
    for (unsigned j = 0; j < G_N_ELEMENTS(growths); j++) {
        if (growths[j].growth == 0)
            continue;
        g_string_append_printf(problems,
                               "each of %d plays of the same trace leaves at least %zu %s\n",
                               PLAYS_WATCHED, growths[j].growth, growths[j].what);
        holds = false;
    }
    return holds;
}

/* What depends on chance or on time breaks the last one, too: that it does is told before. */
const PfLaw pf_laws[] = {
    {"plays", "every trace is played to its end, and no byte that a context reads changes", plays},
    {"counts", "pages and frames at every mark are those of a plain model of memory, and add up",
     counts},
    {"cycles", "each cycle has one account and one payer, each sharing one end", cycles},
    {"passes", "passes that a trace asks for (scan pass) are made and counted", passes},
    {"labels", "where contexts are kept apart by label, no frame is mapped under two", labels},
    {"leaks", "what was taken of the host's memory and files is given back", leaks},
    {"swap", "all of that holds where memory is too small", swap},
    {"large", "all of that holds where pages are mapped large and caches are timed",
     pf_laws_large_hold},
    {"alone", "a run is the same by itself, beside others, on any number of threads, and again",
     alone},
    {"finders", "the same pages are shared with every finder", finders},
};

const unsigned pf_laws_count = G_N_ELEMENTS(pf_laws);
