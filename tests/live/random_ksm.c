/* Random scenarios, told twice and compared at each event: by the policy `ksm` and by the running
 * kernel, or as --compare says. What differs is made as small as it gets and printed as a trace.
 *
 *     random_ksm [--count N] [--seed S] [--first I] [--compare PAIR] [--seconds T] [--keep DIR]
 *
 * Speaks TAP. By hand, thousands: random_ksm --count 5000 --seed 7 --seconds 3600 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "deadline.h"
#include "error.h"
#include "interrupt.h"
#include "live_validate.h"
#include "random_events.h"

enum {
    LOCK_WAIT_SECONDS = 15,
    SESSION_SCENARIOS = 50, /* then KSM is offered to others, */
    OFFER_US = 100000,      /* who ask for it more often than that */
    SHRINK_TESTS_MAX = 3000,
    LINES_SHOWN_MAX = 6,
    ENOUGH_SCENARIOS = 50, /* fewer prove little */
};

/* What the scenarios reached, or the run would prove little. */
typedef enum {
    REACHED_SHARING,
    REACHED_UNSHARED,
    REACHED_CHAINS,
    REACHED_SKIPS,
    REACHED_ZERO_PAGES,
    REACHED_REFUSALS,
    REACHED_COUNT
} Reached;

static const char *const reached_names[REACHED_COUNT] = {"sharing", "unshared pages", "chains",
                                                         "skips",   "zero pages",     "refusals"};

typedef struct {
    int count;
    int first;
    gint64 seed;
    int seconds;
    char *compare;
    char *keep;
} Options;

typedef struct {
    PfValidator validator;
    PfKsmTeller pair[2];
    int file;      /* the scenario at hand, without a name */
    char *path;    /* of that */
    bool is_error; /* what is being made smaller is an error, not a difference */
    unsigned reached[REACHED_COUNT];
    unsigned differing;
    unsigned overlookable; /* scenarios where the kernel may overlook pages, */
    unsigned overlooked;   /* where it did at first, */
    unsigned disturbed;    /* and where it agreed at the second and third try for no known reason */
    unsigned done;
    unsigned events;
} Session;

static void note_reached(Session *session, const GArray *steps)
{
    bool reached[REACHED_COUNT] = {false};
    for (guint i = 0; i < steps->len; i++) {
        const PfKsmStep *step = &g_array_index(steps, PfKsmStep, i);
        reached[REACHED_SHARING] |= step->counters[PF_KSM_PAGES_SHARING] > 0;
        reached[REACHED_UNSHARED] |= step->counters[PF_KSM_PAGES_UNSHARED] > 0;
        reached[REACHED_CHAINS] |= step->counters[PF_KSM_CHAINS] > 0;
        reached[REACHED_SKIPS] |= step->counters[PF_KSM_PAGES_SKIPPED] > 0;
        reached[REACHED_ZERO_PAGES] |= step->counters[PF_KSM_ZERO_PAGES] > 0;
        reached[REACHED_REFUSALS] |= step->refusal != 0;
    }
    for (unsigned i = 0; i < REACHED_COUNT; i++)
        session->reached[i] += reached[i];
}

/* Both tell EVENTS. LINES gets what differs; false on error. */
static bool tell(Session *session, const GArray *events, GPtrArray *lines, bool is_first,
                 GError **error)
{
    g_autoptr(GString) text = events_print(events);
    g_auto(PfVerdict) verdict = {0};
    if (ftruncate(session->file, 0) != 0 ||
        pwrite(session->file, text->str, text->len, 0) != (ssize_t)text->len) {
        g_set_error(error, PF_ERROR, PF_ERROR_IO, "cannot write the scenario");
        return false;
    }
    if (!pf_teller_compare(&session->validator, session->pair, session->path, lines, &verdict,
                           error))
        return false;
    if (is_first) {
        bool is_late = lines->len == 0 && verdict.tries > 1;
        note_reached(session, verdict.steps);
        session->overlookable += verdict.is_overlookable;
        session->overlooked += is_late && verdict.is_overlookable;
        session->disturbed += is_late && !verdict.is_overlookable;
    }
    return true;
}

static bool still_fails(const GArray *events, void *user)
{
    Session *session = user;
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) error = NULL;
    bool is_told = tell(session, events, lines, false, &error);
    return session->is_error ? !is_told : lines->len > 0;
}

static void print_commented(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL; line++)
        if ((*line)[0] != '\0')
            printf("#   %s\n", *line);
}

static void keep_trace(const Options *options, unsigned index, const char *text)
{
    g_autofree char *name =
        g_strdup_printf("random-%" G_GINT64_FORMAT "-%u.trace", options->seed, index);
    g_autofree char *path = g_build_filename(options->keep, name, NULL);
    g_autoptr(GError) error = NULL;
    if (g_file_set_contents(path, text, -1, &error))
        printf("# kept as %s\n", path);
    else
        printf("# %s\n", error->message);
}

static void show_smallest(Session *session, const Options *options, unsigned index,
                          const GArray *events)
{
    g_autoptr(GArray) smallest = events_shrink(events, still_fails, session, SHRINK_TESTS_MAX);
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) error = NULL;
    printf("# seed %" G_GINT64_FORMAT ", scenario %u, made smaller:\n", options->seed, index);
    g_autoptr(GString) text = events_print(smallest);
    print_commented(text->str);
    if (options->keep != NULL)
        keep_trace(options, index, text->str);
    if (!tell(session, smallest, lines, false, &error))
        printf("# error: %s\n", error->message);
    for (guint i = 0; i < MIN(lines->len, LINES_SHOWN_MAX); i++)
        printf("# %s\n", (const char *)g_ptr_array_index(lines, i));
}

/* False where the run has to end. */
static bool run_one(Session *session, const Options *options, unsigned index, GError **error)
{
    g_autoptr(GArray) events = events_make((uint64_t)options->seed, index);
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) cause = NULL;
    bool is_told = tell(session, events, lines, true, &cause);
    /* The host, not the scenario. */
    if (!is_told && !g_error_matches(cause, PF_ERROR, PF_ERROR_TRACE)) {
        g_propagate_error(error, g_steal_pointer(&cause));
        return false;
    }
    session->done++;
    session->events += events->len;
    if (is_told && lines->len == 0)
        return true;
    session->differing++;
    session->is_error = !is_told;
    show_smallest(session, options, index, events);
    return true;
}

static bool uses_live(const Session *session)
{
    return session->pair[0] == PF_TELLER_LIVE || session->pair[1] == PF_TELLER_LIVE;
}

/* The kernel's KSM for the next scenarios; it was free before. */
static bool next_session(Session *session, GError **error)
{
    if (session->validator.ksm != NULL) {
        pf_ksm_free(session->validator.ksm);
        session->validator.ksm = NULL;
        g_usleep(OFFER_US);
    }
    if (!uses_live(session))
        return true;
    session->validator.ksm = pf_ksm_open(LOCK_WAIT_SECONDS, session->validator.interrupted, error);
    return session->validator.ksm != NULL;
}

static bool run_all(Session *session, const Options *options, GError **error)
{
    for (int i = 0; i < options->count; i++) {
        if (i % SESSION_SCENARIOS == 0 && !next_session(session, error))
            return false;
        if (!run_one(session, options, (unsigned)(options->first + i), error))
            return false;
    }
    return true;
}

/* STOPPED is why there were not more, or NULL. */
static void tell_results(const Session *session, const Options *options, const char *stopped,
                         double seconds)
{
    printf("# %u of %d scenarios, %u events in %.1f s: %.0f scenarios a minute%s%s\n# reached",
           session->done, options->count, session->events, seconds, 60.0 * session->done / seconds,
           stopped != NULL ? "; stopped: " : "", stopped != NULL ? stopped : "");
    unsigned missing = 0;
    for (unsigned i = 0; i < REACHED_COUNT; i++) {
        printf("%s %s %u", i > 0 ? "," : "", reached_names[i], session->reached[i]);
        missing += session->reached[i] == 0;
    }
    printf("\n# alike at the first try: all but %u; of %u where the kernel may overlook pages it "
           "did in %u; in %u it was disturbed\n",
           session->overlooked + session->disturbed + session->differing, session->overlookable,
           session->overlooked, session->disturbed);
    /* Few scenarios prove little and need not come across everything. */
    bool is_enough = session->done >= ENOUGH_SCENARIOS;
    const char *remark = is_enough ? "" : " # SKIP too few scenarios: ";
    const char *reason = is_enough ? "" : stopped != NULL ? stopped : "no more were asked for";
    printf("1..2\n%s 1 random scenarios from seed %" G_GINT64_FORMAT " count alike%s%s\n",
           session->differing == 0 ? "ok" : "not ok", options->seed,
           session->differing == 0 && stopped != NULL ? remark : "",
           session->differing == 0 && stopped != NULL ? reason : "");
    printf("%s 2 they reach chains, zero pages, skips and refusals%s%s\n",
           missing == 0 || !is_enough ? "ok" : "not ok", remark, reason);
}

static bool parse_options(int *argc, char ***argv, Options *options, GError **error)
{
    const GOptionEntry entries[] = {
        {"count", 0, 0, G_OPTION_ARG_INT, &options->count, "how many scenarios", "N"},
        {"first", 0, 0, G_OPTION_ARG_INT, &options->first, "number of the first", "I"},
        {"seed", 0, 0, G_OPTION_ARG_INT64, &options->seed, "seed of all", "S"},
        {"seconds", 0, 0, G_OPTION_ARG_INT, &options->seconds, "stop after so long", "T"},
        {"compare", 0, 0, G_OPTION_ARG_FILENAME, &options->compare,
         "two of model and live (default: model-live)", "PAIR"},
        {"keep", 0, 0, G_OPTION_ARG_FILENAME, &options->keep, "write failing scenarios there",
         "DIR"},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_option_context_add_main_entries(context, entries, NULL);
    return g_option_context_parse(context, argc, argv, error);
}

int main(int argc, char **argv)
{
    static int interrupted;
    Options options = {.count = 120, .seed = 1, .seconds = 100};
    g_autoptr(GError) error = NULL;
    g_autoptr(PfRegistry) registry = pf_registry_new();
    Session session = {.validator = {.registry = registry, .interrupted = &interrupted},
                       .pair = {PF_TELLER_MODEL, PF_TELLER_LIVE}};
    if (!parse_options(&argc, &argv, &options, &error) ||
        (options.compare != NULL && !pf_teller_parse_pair(options.compare, session.pair))) {
        fprintf(stderr, "random_ksm: %s\n", error != NULL ? error->message : "no such pair");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    pf_interrupt_watch(&interrupted);
    Deadline deadline = {options.seconds, &interrupted};
    deadline_start(&deadline);
    session.file = memfd_create("scenario", MFD_CLOEXEC);
    session.path = g_strdup_printf("/proc/self/fd/%d", session.file);
    gint64 begun_us = g_get_monotonic_time();
    bool is_done = run_all(&session, &options, &error);
    pf_ksm_free(session.validator.ksm);
    close(session.file);
    g_free(session.path);
    if (session.done == 0)
        printf("1..0 # SKIP %s\n", is_done ? "none asked for" : error->message);
    else
        tell_results(&session, &options, is_done ? NULL : error->message,
                     (double)(g_get_monotonic_time() - begun_us) / (double)G_USEC_PER_SEC);
    g_free(options.compare);
    g_free(options.keep);
    return 0;
}
