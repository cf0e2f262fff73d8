/* A simulation that plays nothing: canned runs behind the interface of the engine, so that what
 * the program makes of results is tested without one. Its keys: `trace`, `seed`, `dilation`,
 * `policies`, `output.epoch`, and `fake.outcome`. */
#include <string.h>

#include "error.h"
#include "fake_canned.h"
#include "simulation.h"

enum { RUNS_MAX = 8 };

typedef enum {
    OUTCOME_DONE,
    OUTCOME_INTERRUPTED, /* as if a signal had come */
    OUTCOME_WAIT,        /* runs until a signal comes */
    OUTCOME_DIFFERENCE,
    OUTCOME_TRACE,
} Outcome;

typedef struct {
    char *trace;
    uint64_t seed;
    double dilation;
} Root;

typedef struct {
    char *name;
    char *label;
    uint64_t rate;
} Policy;

typedef struct {
    int outcome;
} Fake;

typedef struct {
    uint64_t epoch_ps;
} Output;

static const char *const outcome_names[] = {"done",       "interrupted", "wait",
                                            "difference", "trace",       NULL};

static const PfConfigField root_fields[] = {
    {.key = "trace",
     .type = PF_CONFIG_STRING,
     .offset = offsetof(Root, trace),
     .standard = "dir/canned.trace",
     .description = "the trace"},
    {.key = "seed",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(Root, seed),
     .standard = "1",
     .description = "seed of all that is random"},
    {.key = "dilation",
     .type = PF_CONFIG_DOUBLE,
     .offset = offsetof(Root, dilation),
     .standard = "1.0",
     .description = "multiplies the rates of policies"},
};

static const PfConfigField policy_fields[] = {
    {.key = "name",
     .type = PF_CONFIG_STRING,
     .offset = offsetof(Policy, name),
     .description = "which policy"},
    {.key = "label",
     .type = PF_CONFIG_STRING,
     .offset = offsetof(Policy, label),
     .description = "its name in results"},
    {.key = "rate",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(Policy, rate),
     .standard = "50",
     .min = 1,
     .max = 1000,
     .unit = "pages/s",
     .description = "pages looked at in a second"},
};

static const PfConfigField fake_fields[] = {
    {.key = "outcome",
     .type = PF_CONFIG_ENUM,
     .offset = offsetof(Fake, outcome),
     .standard = "done",
     .choices = outcome_names,
     .description = "how the run ends"},
};

static const PfConfigField output_fields[] = {
    {.key = "epoch",
     .type = PF_CONFIG_TIME,
     .offset = offsetof(Output, epoch_ps),
     .standard = "auto",
     .automatic = true,
     .description = "time between two rows of epochs.csv"},
};

struct PfRun {
    size_t number; /* in fake_canned */
    char *label;
    PfStats *stats;
};

struct PfSimulation {
    Root root;
    Fake fake;
    PfTraceHeader header;
    char *path;
    const int *interrupted;
    void (*progress)(const PfProgress *progress, void *user);
    void *progress_user;
    bool complete;
    size_t count;
    PfRun runs[RUNS_MAX];
};

static PfStatValue read_value(const void *user)
{
    return *(const PfStatValue *)user;
}

static PfStats *canned_stats(size_t number)
{
    PfStats *stats = pf_stats_new();
    for (size_t i = 0; i < FAKE_STATS; i++)
        pf_stats_level(pf_stats_group(stats, ""), fake_infos[i].name, fake_infos[i].unit,
                       fake_infos[i].description, read_value, &fake_canned[number].values[i]);
    pf_stats_freeze(stats);
    return stats;
}

static bool add_run(PfSimulation *simulation, const char *name, const char *label)
{
    for (size_t i = 0; i < FAKE_RUNS && name != NULL; i++) {
        if (strcmp(fake_canned[i].policy, name) != 0 || simulation->count == RUNS_MAX)
            continue;
        simulation->runs[simulation->count++] =
            (PfRun){i, g_strdup(label != NULL ? label : name), canned_stats(i)};
        return true;
    }
    return false;
}

static void bind_all(PfConfig *config, PfSimulation *simulation)
{
    PfConfigSection *root = pf_config_section(config, "");
    Output output;
    pf_config_bind(root, root_fields, G_N_ELEMENTS(root_fields), &simulation->root);
    pf_config_bind(pf_config_section(config, "fake"), fake_fields, G_N_ELEMENTS(fake_fields),
                   &simulation->fake);
    pf_config_bind(pf_config_section(config, "output"), output_fields, G_N_ELEMENTS(output_fields),
                   &output);
    for (size_t i = 0; i < pf_config_list_length(root, "policies"); i++) {
        PfConfigSection *section = pf_config_list_section(root, "policies", i);
        Policy policy = {NULL, NULL, 0};
        pf_config_bind(section, policy_fields, G_N_ELEMENTS(policy_fields), &policy);
        if (i == 0 && g_strcmp0(policy.name, "none") != 0)
            add_run(simulation, "none", NULL);
        if (!add_run(simulation, policy.name, policy.label))
            pf_config_complain(section, "name", "unknown policy");
    }
}

PfSimulation *pf_simulation_new(PfConfig *config, const PfRegistry *registry,
                                const PfSimulationOptions *options, GError **error)
{
    (void)registry;
    g_autoptr(PfSimulation) simulation = g_new0(PfSimulation, 1);
    bind_all(config, simulation);
    if (!pf_config_finish(config, error))
        return NULL;
    simulation->path = options->trace != NULL
                           ? g_strdup(options->trace)
                           : pf_config_path(pf_config_section(config, ""), "trace");
    simulation->header =
        (PfTraceHeader){.page_bytes = 4096, .clock_hz = 1000000000, .description = "{}"};
    simulation->interrupted = options->interrupted;
    simulation->progress = options->progress;
    simulation->progress_user = options->progress_user;
    return g_steal_pointer(&simulation);
}

void pf_simulation_free(PfSimulation *simulation)
{
    if (simulation == NULL)
        return;
    for (size_t i = 0; i < simulation->count; i++) {
        g_free(simulation->runs[i].label);
        pf_stats_free(simulation->runs[i].stats);
    }
    g_free(simulation->path);
    g_free(simulation);
}

static bool wait_for_signal(PfSimulation *simulation)
{
    gint64 start_us = g_get_monotonic_time();
    while (__atomic_load_n(simulation->interrupted, __ATOMIC_RELAXED) == 0) {
        double seconds = (double)(g_get_monotonic_time() - start_us) / G_USEC_PER_SEC;
        if (seconds > 60.0)
            return false;
        simulation->progress(&(PfProgress){.share_done = 0.25,
                                           .records = (uint64_t)(seconds * 2e6),
                                           .simulated_ps = 1500000000000,
                                           .seconds = seconds},
                             simulation->progress_user);
        g_usleep(10000);
    }
    return true;
}

bool pf_simulation_run(PfSimulation *simulation, GError **error)
{
    switch ((Outcome)simulation->fake.outcome) {
    case OUTCOME_DONE:
        simulation->complete = true;
        return true;
    case OUTCOME_WAIT:
        if (!wait_for_signal(simulation))
            g_error("no signal came");
        g_set_error(error, PF_ERROR, PF_ERROR_INTERRUPTED, "interrupted");
        return false;
    case OUTCOME_INTERRUPTED:
        g_set_error(error, PF_ERROR, PF_ERROR_INTERRUPTED, "interrupted");
        return false;
    case OUTCOME_DIFFERENCE:
        g_set_error(error, PF_ERROR, PF_ERROR_DIFFERENCE, "page 7 of vm1 differs");
        return false;
    case OUTCOME_TRACE:
        g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "canned.trace:3: unknown event");
        return false;
    }
    return false;
}

bool pf_simulation_complete(const PfSimulation *simulation)
{
    return simulation->complete;
}

const PfTraceHeader *pf_simulation_trace_header(const PfSimulation *simulation)
{
    return &simulation->header;
}

const char *pf_simulation_trace_path(const PfSimulation *simulation)
{
    return simulation->path;
}

const char *pf_simulation_trace_digest(const PfSimulation *simulation)
{
    (void)simulation;
    return "00112233445566778899aabbccddeeff";
}

const char *pf_simulation_trace_damage(const PfSimulation *simulation)
{
    (void)simulation;
    return NULL;
}

uint64_t pf_simulation_records(const PfSimulation *simulation)
{
    (void)simulation;
    return 4321;
}

uint64_t pf_simulation_clock_hz(const PfSimulation *simulation)
{
    return simulation->header.clock_hz;
}

uint64_t pf_simulation_seed(const PfSimulation *simulation)
{
    return simulation->root.seed;
}

bool pf_simulation_has_access_grain(const PfSimulation *simulation)
{
    (void)simulation;
    return true;
}

double pf_simulation_dilation(const PfSimulation *simulation)
{
    return simulation->root.dilation;
}

const char *pf_simulation_timing(const PfSimulation *simulation)
{
    (void)simulation;
    return "full";
}

uint64_t pf_simulation_differences(const PfSimulation *simulation)
{
    return simulation->fake.outcome == OUTCOME_DIFFERENCE ? 1 : 0;
}

const char *const *pf_simulation_warnings(const PfSimulation *simulation)
{
    static const char *const none[] = {NULL};
    (void)simulation;
    return none;
}

size_t pf_simulation_run_count(const PfSimulation *simulation)
{
    return simulation->count;
}

const PfRun *pf_simulation_run_at(const PfSimulation *simulation, size_t index)
{
    return &simulation->runs[index];
}

const char *pf_run_label(const PfRun *run)
{
    return run->label;
}

const char *pf_run_policy(const PfRun *run)
{
    return fake_canned[run->number].policy;
}

const char *pf_run_scope(const PfRun *run)
{
    return fake_canned[run->number].scope;
}

const char *pf_run_remark(const PfRun *run)
{
    return fake_canned[run->number].remark;
}

const PfStats *pf_run_stats(const PfRun *run)
{
    return run->stats;
}

size_t pf_simulation_epoch_columns(const PfSimulation *simulation, const char *const **ret_names)
{
    static const char *const names[FAKE_EPOCH_COLUMNS] = {"memory.used_frames",
                                                          "memory.saved_pages"};
    (void)simulation;
    *ret_names = names;
    return FAKE_EPOCH_COLUMNS;
}

size_t pf_run_epoch_count(const PfRun *run)
{
    (void)run;
    return FAKE_EPOCHS;
}

uint64_t pf_run_epoch(const PfRun *run, size_t index, const PfStatValue **ret_values)
{
    *ret_values = fake_canned[run->number].epochs[index];
    return fake_canned[run->number].epoch_cycles[index];
}

size_t pf_run_mark_count(const PfRun *run)
{
    (void)run;
    return 1;
}

const char *pf_run_mark_label(const PfRun *run, size_t index)
{
    (void)run;
    (void)index;
    return "after \"boot\", warm";
}

uint64_t pf_run_mark_cycle(const PfRun *run, size_t index)
{
    return fake_canned[run->number].epoch_cycles[index + 1];
}

void pf_run_mark_visit(const PfRun *run, size_t index, PfStatVisitor visit, void *user)
{
    visit(&fake_infos[3], fake_canned[run->number].epochs[index + 1][1], user);
}

void pf_simulation_list_stats(const PfRegistry *registry, PfStatVisitor visit, void *user)
{
    (void)registry;
    for (size_t i = 0; i < FAKE_STATS; i++)
        visit(&fake_infos[i], fake_canned[0].values[i], user);
}

void pf_simulation_bind(PfConfig *config, const PfRegistry *registry)
{
    (void)registry;
    g_autoptr(PfSimulation) simulation = g_new0(PfSimulation, 1);
    bind_all(config, simulation);
}
