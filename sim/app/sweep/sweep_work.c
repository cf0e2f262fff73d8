#include "sweep_work.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "progress.h"
#include "run_results.h"
#include "sweep_folder.h"
#include "sweep_share.h"

/* What all workers share, under `lock` but for what is constant. */
typedef struct {
    PfSweepPlan *plan;
    const PfSweepHow *how;
    PfSweepShare *share; /* has a lock of its own */
    GMutex lock;
    GCond changed;
    uint64_t next;      /* run to be taken: point x repeats + repeat */
    uint64_t total;     /* runs to play */
    uint64_t finished;
    GHashTable *taken;  /* "POINT/rREPEAT" by identity: two points may be the same */
    bool *is_at_work;   /* of each worker */
    double *shares;     /* how much of its run each worker has done */
    unsigned at_work;   /* threads that have not ended */
    PfSweepOutcome *outcome;
    GError *fatal;      /* nothing more is to be begun */
    uint64_t safe;      /* runs finished before the disk was last told to keep them */
} Work;

typedef struct {
    Work *work;
    unsigned number;
} Worker;

static bool is_mine(const Work *work, uint64_t point)
{
    return point % work->how->shards == work->how->shard;
}

/* Takes the next run that nobody did; false if there is none. */
static bool take(Work *work, unsigned worker, uint64_t *ret_point, uint64_t *ret_repeat)
{
    PfSweepPlan *plan = work->plan;
    uint64_t repeats = plan->axes->repeat;
    while (work->fatal == NULL && work->next < plan->points * repeats) {
        uint64_t point = work->next / repeats;
        uint64_t repeat = work->next++ % repeats;
        g_autofree char *place = pf_sweep_folder_run(plan, point, repeat);
        bool is_taken = g_hash_table_contains(work->taken, place);
        work->finished += is_mine(work, point) && is_taken;
        if (!is_mine(work, point) || is_taken || pf_sweep_folder_is_done(plan, point, repeat))
            continue;
        g_hash_table_add(work->taken, g_steal_pointer(&place));
        work->is_at_work[worker] = true;
        work->shares[worker] = 0;
        *ret_point = point;
        *ret_repeat = repeat;
        return true;
    }
    return false;
}

static void note_share(const PfProgress *progress, void *user)
{
    const Worker *worker = user;
    g_mutex_lock(&worker->work->lock);
    worker->work->shares[worker->number] = progress->share_done;
    g_mutex_unlock(&worker->work->lock);
}

/* One run of the sweep. */
typedef struct {
    PfSweepPlan *plan;
    const PfSweepHow *how;
    uint64_t point;
    uint64_t repeat;
    char *trace;    /* that it plays, once that is known; owned */
    double seconds; /* that it took */
} Run;

/* Plays RUN, for WORKER (may be NULL), and writes what it found to DIRECTORY (may be NULL). */
static bool play_lent(Run *run, PfConfig *config, const char *digest, const PfSweepLoan *loan,
                      Worker *worker, const char *directory, GError **error)
{
    const PfSweepHow *how = run->how;
    PfSimulationOptions options = {
        .threads = 1,
        .verify = how->verify,
        .paranoid = how->paranoid,
        .trace = run->trace,
        .trace_digest = digest,
        .tape = loan->tape,
        .store = loan->store,
        .window = {.last = UINT64_MAX},
        .progress = worker != NULL ? note_share : NULL,
        .progress_user = worker,
        .seconds = pf_progress_seconds,
        .interrupted = &how->app->interrupted,
    };
    g_autoptr(PfSimulation) simulation =
        pf_simulation_new(config, run->plan->registry, &options, error);
    if (simulation == NULL)
        return false;
    PfRunOutcome outcome = {0};
    pf_run_results_play(simulation, &outcome);
    run->seconds = outcome.wall_seconds;
    if (outcome.error != NULL) {
        g_propagate_error(error, outcome.error);
        return false;
    }
    if (directory != NULL)
        pf_sweep_folder_clear(directory);
    return directory == NULL || pf_run_results_write(how->app, directory, false, config, NULL,
                                                     simulation, &outcome, error);
}

static bool play(Run *run, PfSweepShare *share, Worker *worker, const char *directory,
                 GError **error)
{
    PfSweepPlan *plan = run->plan;
    const int *interrupted = &run->how->app->interrupted;
    g_autoptr(PfConfig) config = pf_sweep_plan_begin(plan, run->point, run->repeat, error);
    if (config == NULL)
        return false;
    g_autofree char *digest = NULL;
    run->trace = pf_sweep_plan_trace(plan, config, run->repeat, interrupted, &digest, error);
    PfSweepLoan loan;
    if (run->trace == NULL || !pf_sweep_share_take(share, run->trace, &loan, error))
        return false;
    bool done = play_lent(run, config, digest, &loan, worker, directory, error);
    pf_sweep_share_give_back(share, &loan);
    return done;
}

/* The command that plays a run of a generated trace names the trace that was made. */
static char *describe(const Work *work, uint64_t point, uint64_t repeat, const char *trace,
                      const GError *cause)
{
    g_autofree char *command =
        pf_sweep_plan_command(work->plan, work->how->setup, point, repeat, trace);
    return g_strdup_printf("%s\n%s%s%s\n", cause->message, command,
                           work->how->verify ? " --verify" : "",
                           work->how->paranoid ? " --paranoid" : "");
}

static void tell_failure(const Work *work, uint64_t point, uint64_t repeat, const char *text)
{
    g_autoptr(GString) what = g_string_new(NULL);
    for (size_t key = 0; key < pf_sweep_plan_keys(work->plan); key++) {
        g_autofree char *value = pf_sweep_plan_text(work->plan, point, key);
        g_string_append_printf(what, "%s%s=%s", key > 0 ? ", " : "",
                               pf_sweep_plan_key(work->plan, key), value);
    }
    g_autofree char *name = work->plan->axes->repeat > 1
                                ? g_strdup_printf(", run %" G_GUINT64_FORMAT, repeat)
                                : g_strdup("");
    g_autofree char *message = g_strdup_printf("point %" G_GUINT64_FORMAT "%s (%s) failed: %s",
                                               point, name, what->str, text);
    g_strchomp(message);
    char *command = strrchr(message, '\n');
    *command++ = '\0';
    g_autoptr(GError) shown = g_error_new_literal(PF_ERROR, PF_ERROR_IO, message);
    pf_options_report(work->how->app, shown);
    fprintf(stderr, "pagefold: alone: %s\n", command);
}

/* What a run that is not done means for the sweep. */
static void settle_failure(Work *work, uint64_t point, uint64_t repeat, const char *trace,
                           GError *cause)
{
    bool ends = g_error_matches(cause, PF_ERROR, PF_ERROR_INTERRUPTED) ||
                g_error_matches(cause, PF_ERROR, PF_ERROR_IO);
    if (ends && work->fatal == NULL)
        work->fatal = g_error_copy(cause);
    if (ends)
        return;
    g_autofree char *text = describe(work, point, repeat, trace, cause);
    pf_sweep_folder_note(work->plan, point, repeat, text);
    work->outcome->failed++;
    tell_failure(work, point, repeat, text);
}

static void do_run(Worker *worker, uint64_t point, uint64_t repeat)
{
    Work *work = worker->work;
    Run run = {.plan = work->plan, .how = work->how, .point = point, .repeat = repeat};
    g_autofree char *directory = pf_sweep_folder_run(work->plan, point, repeat);
    g_autoptr(GError) cause = NULL;
    bool done = play(&run, work->share, worker, directory, &cause);
    g_mutex_lock(&work->lock);
    work->is_at_work[worker->number] = false;
    work->shares[worker->number] = 0;
    work->finished++;
    work->outcome->runs += done;
    work->outcome->run_seconds += run.seconds;
    if (done)
        pf_sweep_folder_note(work->plan, point, repeat, NULL);
    else
        settle_failure(work, point, repeat, run.trace, cause);
    g_mutex_unlock(&work->lock);
    g_free(run.trace);
}

static gpointer work_on(gpointer data)
{
    Worker *worker = data;
    Work *work = worker->work;
    uint64_t point;
    uint64_t repeat;
    for (;;) {
        g_mutex_lock(&work->lock);
        bool has_run = take(work, worker->number, &point, &repeat);
        work->at_work -= !has_run;
        g_cond_signal(&work->changed);
        g_mutex_unlock(&work->lock);
        if (!has_run)
            return NULL;
        do_run(worker, point, repeat);
    }
}

static void tell_progress(const Work *work, PfProgressLine *line, double seconds)
{
    if (!pf_progress_is_due(line, seconds))
        return;
    double share = (double)work->finished;
    unsigned busy = 0;
    for (unsigned i = 0; i < work->how->workers; i++) {
        share += work->shares[i];
        busy += work->is_at_work[i];
    }
    g_autofree char *what = g_strdup_printf(
        "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " runs, %u at work, %" G_GUINT64_FORMAT
        " failed",
        work->finished, work->total, busy, work->outcome->failed);
    pf_progress_tell(line, seconds, share / (double)work->total, what);
}

/* Sees to the disk what is finished. Each file by itself would cost more than a short run does;
 * what a crash of the machine takes of the last second is noticed and made anew. */
static void synchronise(Work *work, int folder)
{
    uint64_t finished = work->finished;
    g_mutex_unlock(&work->lock);
    bool is_safe = syncfs(folder) == 0;
    int why = errno;
    g_mutex_lock(&work->lock);
    work->safe = finished;
    if (!is_safe && work->fatal == NULL)
        work->fatal = g_error_new(PF_ERROR, PF_ERROR_IO, "%s: %s", work->plan->directory,
                                  g_strerror(why));
}

/* Until all workers have ended, and what they did is safe. */
static void watch(Work *work, int folder)
{
    PfProgressLine line;
    pf_progress_init(&line, stderr, isatty(STDERR_FILENO) != 0);
    double start = pf_progress_seconds();
    double last = start;
    g_mutex_lock(&work->lock);
    while (work->at_work > 0) {
        g_cond_wait_until(&work->changed, &work->lock,
                          g_get_monotonic_time() + G_TIME_SPAN_SECOND / 5);
        double now = pf_progress_seconds();
        tell_progress(work, &line, now - start);
        if (work->finished > work->safe && now - last >= 1) {
            synchronise(work, folder);
            last = pf_progress_seconds();
        }
    }
    if (work->finished > work->safe)
        synchronise(work, folder);
    g_mutex_unlock(&work->lock);
    pf_progress_finish(&line);
    work->outcome->seconds = pf_progress_seconds() - start;
}

static void count_runs(Work *work)
{
    const PfSweepPlan *plan = work->plan;
    for (uint64_t point = 0; point < plan->points; point++) {
        for (uint64_t repeat = 0; is_mine(work, point) && repeat < plan->axes->repeat; repeat++) {
            bool done = pf_sweep_folder_check(plan, point, repeat);
            work->outcome->done_before += done;
            work->total += !done;
        }
    }
}

bool pf_sweep_work(PfSweepPlan *plan, const PfSweepHow *how, int folder, PfSweepOutcome *outcome,
                   GError **error)
{
    *outcome = (PfSweepOutcome){0};
    g_autoptr(GHashTable) taken = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autofree bool *is_at_work = g_new0(bool, how->workers);
    g_autofree double *shares = g_new0(double, how->workers);
    g_autofree Worker *workers = g_new0(Worker, how->workers);
    g_autofree GThread **threads = g_new0(GThread *, how->workers);
    g_autoptr(PfSweepShare) share = pf_sweep_share_new();
    Work work = {.plan = plan, .how = how, .share = share, .taken = taken, .is_at_work = is_at_work,
                 .shares = shares, .at_work = how->workers, .outcome = outcome};
    g_mutex_init(&work.lock);
    g_cond_init(&work.changed);
    count_runs(&work);
    for (unsigned i = 0; i < how->workers; i++) {
        workers[i] = (Worker){&work, i};
        threads[i] = g_thread_new("sweep", work_on, &workers[i]);
    }
    watch(&work, folder);
    for (unsigned i = 0; i < how->workers; i++)
        g_thread_join(threads[i]);
    g_mutex_clear(&work.lock);
    g_cond_clear(&work.changed);
    if (work.fatal == NULL)
        return true;
    g_propagate_error(error, work.fatal);
    return false;
}

double pf_sweep_time(PfSweepPlan *plan, const PfSweepHow *how, GError **error)
{
    g_autoptr(PfSweepShare) share = pf_sweep_share_new();
    Run run = {.plan = plan, .how = how};
    bool done = play(&run, share, NULL, NULL, error);
    g_free(run.trace);
    return done ? run.seconds : -1;
}
