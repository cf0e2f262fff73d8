#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#include "check_child.h"
#include "check_load.h"
#include "commands.h"
#include "error.h"
#include "laws.h"

/* Seeds that are tried where none is given, records of a trace, and the first number of them when a
 * shorter trace is looked for that shows the same. */
enum { SEED_COUNT = 4, RECORD_COUNT = 200, SHORTEST_RECORDS = 8, RECORDS_MAX = 1000000 };

/* Lines that are told of what is wrong. */
enum { LINES_MAX = 4 };

typedef struct {
    char *law;      /* only this one; NULL: all */
    char *settings; /* for every way to configure the policy; NULL: none */
    char *keep;     /* a file for the trace that shows what is wrong; NULL: none */
    char **plugins; /* whose finders are tried, too; NULL: none */
    int seed;       /* only this one; 0: the first ones */
    int records;
    int cpu_seconds;
} CheckOptions;

static void clear_options(CheckOptions *options)
{
    g_free(options->law);
    g_free(options->settings);
    g_free(options->keep);
    g_strfreev(options->plugins);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CheckOptions, clear_options)

/* The check of one policy. */
typedef struct {
    const CheckOptions *options;
    int interrupts;   /* pf_check_watch */
    const char *file; /* as the user named it */
    PfLawsTrial trial;
    const PfLaw *only; /* of the laws; NULL: all */
    PfLawsTally tally;
    char *wrote; /* a line that it wrote to the terminal, or would have; owned, or NULL */
} Check;

/* What came of a trial. */
typedef struct {
    bool has_ended;    /* of itself */
    unsigned held;     /* laws from the first */
    const PfLaw *law;  /* the one that is broken; NULL: none */
    GString *problems; /* lines */
} Outcome;

/* In the child: "try LAW", then "held", or lines that begin with a blank and the end. */
static void try_laws(int descriptor, void *user)
{
    const Check *check = user;
    PfLawsTrial trial = check->trial;
    g_autoptr(GError) error = NULL;
    bool holds = pf_laws_trial_begin(&trial, &error);
    if (!holds)
        dprintf(descriptor, "cannot %s\n", error->message);
    for (unsigned i = 0; holds && i < pf_laws_count; i++) {
        if (check->only != NULL && check->only != &pf_laws[i])
            continue;
        g_autoptr(GString) problems = g_string_new(NULL);
        dprintf(descriptor, "try %u\n", i);
        holds = pf_laws[i].holds(&trial, problems);
        g_auto(GStrv) lines = g_strsplit(problems->str, "\n", -1);
        for (char **line = lines; !holds && *line != NULL && **line != '\0'; line++)
            dprintf(descriptor, " %s\n", *line);
        if (holds)
            dprintf(descriptor, "held\n");
    }
    dprintf(descriptor, "tally %" G_GINT64_FORMAT " %" G_GINT64_FORMAT "\n", trial.tally.scanned,
            trial.tally.shared);
    pf_laws_trial_end(&trial);
}

/* Takes what the child said. */
static bool hear(Check *check, const PfCheckChild *child, Outcome *outcome, GError **error)
{
    g_auto(GStrv) lines = g_strsplit(child->told, "\n", -1);
    int64_t scanned = 0;
    int64_t shared = 0;
    for (char **at = lines; *at != NULL; at++) {
        const char *line = *at;
        unsigned law;
        if (sscanf(line, "try %u", &law) == 1 && law < pf_laws_count) {
            outcome->law = &pf_laws[law];
        } else if (g_str_equal(line, "held")) {
            outcome->law = NULL;
            outcome->held++;
        } else if (line[0] == ' ') {
            g_string_append_printf(outcome->problems, "%s\n", line + 1);
        } else if (g_str_has_prefix(line, "cannot ")) {
            g_set_error(error, PF_ERROR, PF_ERROR_IO, "%s", line + strlen("cannot "));
            return false;
        } else if (sscanf(line, "tally %" G_GINT64_FORMAT " %" G_GINT64_FORMAT, &scanned,
                          &shared) == 2) {
            outcome->has_ended = true;
            check->tally.scanned += scanned;
            check->tally.shared += shared;
        }
    }
    return true;
}

/* Tries the laws on the trace of the trial. OUTCOME is the caller's to clear. */
static bool try_once(Check *check, Outcome *outcome, GError **error)
{
    unsigned cpu_seconds = (unsigned)check->options->cpu_seconds;
    PfCheckChild child;
    *outcome = (Outcome){.problems = g_string_new(NULL)};
    bool tried = pf_check_child(try_laws, check, cpu_seconds, check->interrupts, &child, error);
    pf_laws_trial_unlink(&check->trial);
    if (!tried)
        return false;
    bool heard = hear(check, &child, outcome, error);
    if (heard && !outcome->has_ended) {
        g_autofree char *death = pf_check_child_death(&child, cpu_seconds);
        g_string_append_printf(outcome->problems, "%s\n%s", death, child.errors);
        if (outcome->law == NULL && outcome->held == 0) {
            heard = false;
            g_set_error(error, PF_ERROR, PF_ERROR_LIMIT, "the trace of %u records: %s",
                        check->trial.records, death);
        } else if (outcome->law == NULL) {
            outcome->law = &pf_laws[0];
        }
    }
    if (heard && outcome->has_ended && child.errors[0] != '\0' && check->wrote == NULL) {
        g_auto(GStrv) lines = g_strsplit(g_strstrip(child.errors), "\n", -1);
        check->wrote = g_strdup(lines[g_strv_length(lines) - 1]);
    }
    pf_check_child_clear(&child);
    return heard;
}

/* A shorter beginning of the trace may break LAW, too: that is the one to look at. OUTCOME becomes
 * that of it. */
static bool shorten(Check *check, Outcome *outcome, GError **error)
{
    unsigned records = check->trial.records;
    const PfLaw *law = outcome->law;
    check->only = law;
    for (unsigned fewer = SHORTEST_RECORDS; fewer < records; fewer *= 2) {
        Outcome other;
        check->trial.records = fewer;
        bool tried = try_once(check, &other, error);
        bool shows = tried && other.law == law;
        GString *problems = shows ? outcome->problems : other.problems;
        if (shows)
            *outcome = other;
        g_string_free(problems, TRUE);
        if (!tried || shows)
            return tried;
    }
    check->trial.records = records;
    return true;
}

static bool keep_trace(const Check *check, GError **error)
{
    const PfLawsTrial *trial = &check->trial;
    if (check->options->keep == NULL)
        return true;
    PfLawsTrace *trace =
        pf_laws_trace_write(check->options->keep, trial->seed, trial->records, error);
    pf_laws_trace_free(trace);
    return trace != NULL;
}

/* GLib frames an assertion that failed with lines that tell nothing more. */
static bool is_told(const char *line)
{
    return !g_str_equal(line, "**") && !g_str_has_prefix(line, "Bail out!");
}

/* A word of a command, as a shell takes it. */
static void tell_word(const char *word)
{
    g_autofree char *quoted = g_shell_quote(word);
    printf(" %s", strpbrk(word, " '\"\\$&;|<>()*?`") == NULL ? word : quoted);
}

/* Tells which law is broken, by what, and how to see it again. */
static void tell_broken(const Check *check, const Outcome *outcome)
{
    const PfLawsTrial *trial = &check->trial;
    g_auto(GStrv) lines = g_strsplit(outcome->problems->str, "\n", -1);
    printf("BROKEN  %-8s %s\n", outcome->law->name, outcome->law->sentence);
    unsigned told = 0;
    for (unsigned i = 0; told < LINES_MAX && lines[i] != NULL; i++) {
        if (lines[i][0] == '\0' || !is_told(lines[i]))
            continue;
        printf("        %s\n", lines[i]);
        told++;
    }
    printf("again:  pagefold check-policy");
    tell_word(check->file);
    printf(" --law %s --seed %u --records %u", outcome->law->name, trial->seed, trial->records);
    char **plugins = check->options->plugins;
    for (; plugins != NULL && *plugins != NULL; plugins++) {
        printf(" --plugin");
        tell_word(*plugins);
    }
    if (trial->settings[0] != '\0') {
        printf(" --with");
        tell_word(trial->settings);
    }
    printf("\n");
}

/* Tells that the first HELD laws hold, or the one that was tried. */
static void tell_held(const Check *check, unsigned held)
{
    for (unsigned i = 0; i < pf_laws_count; i++)
        if (check->only != NULL ? check->only == &pf_laws[i] && held > 0 : i < held)
            printf("holds   %-8s %s\n", pf_laws[i].name, pf_laws[i].sentence);
}

/* Tries the policy of CHECK on all seeds, until a law is broken. */
static bool check_policy(Check *check, GError **error)
{
    const CheckOptions *options = check->options;
    PfLawsTrial *trial = &check->trial;
    unsigned first = options->seed > 0 ? (unsigned)options->seed : 1;
    unsigned count = options->seed > 0 ? 1 : SEED_COUNT;
    printf("%s: %u random trace%s of %d records, %u ways to configure it\n", trial->ops->name,
           count, count == 1 ? "" : "s", options->records, pf_laws_way_count(trial));
    unsigned held = pf_laws_count;
    for (unsigned seed = first; seed < first + count; seed++) {
        Outcome outcome;
        trial->seed = seed;
        bool tried = try_once(check, &outcome, error);
        const PfLaw *only = check->only;
        held = MIN(held, outcome.held);
        tried = tried && (outcome.law == NULL || shorten(check, &outcome, error));
        check->only = only;
        bool is_broken = tried && outcome.law != NULL;
        if (is_broken) {
            tell_held(check, outcome.held == 0 ? held : MIN(held, outcome.held));
            tell_broken(check, &outcome);
        }
        g_string_free(outcome.problems, TRUE);
        if (is_broken && keep_trace(check, error))
            g_set_error(error, PF_ERROR, PF_ERROR_DIFFERENCE, "%s breaks the law `%s`: %s",
                        trial->ops->name, outcome.law->name, outcome.law->sentence);
        if (!tried || is_broken)
            return false;
    }
    tell_held(check, held);
    printf("%s keeps the laws; it looked at %" G_GINT64_FORMAT " pages and shared %" G_GINT64_FORMAT
           "\n",
           trial->ops->name, check->tally.scanned, check->tally.shared);
    if (check->wrote != NULL)
        printf("note:   it writes to the terminal, among the results of a run: %s\n", check->wrote);
    return true;
}

/* Checks each policy that comes with the file, or the built-in one of that name. */
static bool check_all(Check *check, GError **error)
{
    g_autoptr(PfRegistry) registry = pf_registry_new();
    const PfPolicyOps *named = pf_registry_find_policy(registry, check->file);
    unsigned cpu_seconds = (unsigned)check->options->cpu_seconds;
    check->trial.registry = registry;
    check->trial.ops = named;
    if (named != NULL)
        return check_policy(check, error);
    char **plugins = check->options->plugins;
    for (; plugins != NULL && *plugins != NULL; plugins++)
        if (!pf_check_load(registry, *plugins, cpu_seconds, check->interrupts, error))
            return false;
    size_t first = pf_registry_policy_count(registry);
    if (!pf_check_load(registry, check->file, cpu_seconds, check->interrupts, error))
        return false;
    if (pf_registry_policy_count(registry) == first) {
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG, "%s: has no policy", check->file);
        return false;
    }
    for (size_t i = first; i < pf_registry_policy_count(registry); i++) {
        check->trial.ops = pf_registry_policy(registry, i);
        check->tally = (PfLawsTally){0};
        g_clear_pointer(&check->wrote, g_free);
        if (!check_policy(check, error))
            return false;
    }
    return true;
}

static bool find_law(const char *name, const PfLaw **ret_law, GError **error)
{
    g_autoptr(GString) names = g_string_new(NULL);
    *ret_law = NULL;
    for (unsigned i = 0; i < pf_laws_count; i++) {
        if (name != NULL && g_str_equal(name, pf_laws[i].name))
            *ret_law = &pf_laws[i];
        g_string_append_printf(names, "%s%s", i > 0 ? ", " : "", pf_laws[i].name);
    }
    if (name == NULL || *ret_law != NULL)
        return true;
    g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "--law %s: there are %s", name, names->str);
    return false;
}

static bool check_numbers(const CheckOptions *options, GError **error)
{
    if (options->seed < 0)
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "--seed %d: must be above 0", options->seed);
    else if (options->records < 1 || options->records > RECORDS_MAX)
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "--records %d: must be from 1 to %d",
                    options->records, RECORDS_MAX);
    else if (options->cpu_seconds < 1)
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "--limit %d: must be above 0",
                    options->cpu_seconds);
    else
        return true;
    return false;
}

/* What the user says of the policy must be a group's inside, lest the policy be blamed for it. */
static bool check_settings(const char *settings, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autofree char *text = g_strdup_printf("policy = { %s };\n", settings);
    g_autoptr(PfConfig) config = pf_config_load_text(text, strlen(text), "--with", NULL, &cause);
    if (config != NULL)
        return true;
    g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "%s", cause->message);
    return false;
}

static int run(PfApp *app, const PfCommand *command, int argc, char **argv, GError **error)
{
    g_auto(CheckOptions) options = {.records = RECORD_COUNT, .cpu_seconds = 60};
    const GOptionEntry entries[] = {
        {"law", 0, 0, G_OPTION_ARG_FILENAME, &options.law, "try this law only", "LAW"},
        {"seed", 0, 0, G_OPTION_ARG_INT, &options.seed,
         "try the random trace of this seed only (default: 1 to 4)", "N"},
        {"records", 0, 0, G_OPTION_ARG_INT, &options.records, "length of a trace (default: 200)",
         "N"},
        {"with", 0, 0, G_OPTION_ARG_FILENAME, &options.settings,
         "parameters of the policy, as in a configuration: \"rate = 5;\"", "SETTINGS"},
        {"plugin", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options.plugins,
         "try the finders of this shared object, too (may be repeated)", "FILE"},
        {"limit", 0, 0, G_OPTION_ARG_INT, &options.cpu_seconds,
         "processor time that a trace may take, or wait (default: 60)", "SECONDS"},
        {"keep", 0, 0, G_OPTION_ARG_FILENAME, &options.keep,
         "write the trace that shows what is wrong to FILE", "FILE"},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    g_auto(GStrv) arguments = NULL;
    Check check = {.options = &options, .interrupts = -1};
    PfParse parsed = pf_options_parse(app, command, entries, argc, argv, &arguments, error);
    if (parsed != PF_PARSE_GO)
        return parsed == PF_PARSE_DONE ? 0 : 2;
    if (!find_law(options.law, &check.only, error) || !check_numbers(&options, error) ||
        (options.settings != NULL && !check_settings(options.settings, error)) ||
        (options.keep != NULL &&
         !pf_options_keep_input("--keep", options.keep, arguments[0], error)))
        return 2;
    g_autoptr(GError) cause = NULL;
    g_autofree char *directory = g_dir_make_tmp("pagefold-laws-XXXXXX", &cause);
    if (directory == NULL) {
        g_set_error(error, PF_ERROR, PF_ERROR_IO, "%s", cause->message);
        return 1;
    }
    check.file = arguments[0];
    check.trial = (PfLawsTrial){.settings = options.settings != NULL ? options.settings : "",
                                .directory = directory,
                                .records = (unsigned)options.records};
    check.interrupts = pf_check_watch(error);
    bool holds = check.interrupts >= 0 && check_all(&check, error);
    g_rmdir(directory);
    g_free(check.wrote);
    return holds ? 0 : 1;
}

const PfCommand pf_command_check_policy = {
    .name = "check-policy",
    .arguments = "FILE",
    .summary = "Try the laws that every policy keeps on one of your own",
    .examples =
        "  pagefold check-policy ./mine.so                   a shared object, as for --plugin\n"
        "  pagefold check-policy ./mine.so --law alone --seed 3 --keep shows.trace\n"
        "  pagefold check-policy ksm                         a built-in one\n",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
