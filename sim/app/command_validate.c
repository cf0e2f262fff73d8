#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "commands.h"
#include "error.h"
#include "interrupt.h"
#include "live_validate.h"
#include "presets.h"

/* How long another that drives KSM is waited for. */
enum { LOCK_WAIT_SECONDS = 120 };

/* One call of the command. */
typedef struct {
    PfValidator validator;
    PfKsmTeller pair[2];
    char *record;   /* --record, or NULL */
    char *obstacle; /* why the running kernel cannot be asked, or NULL */
    unsigned scenarios;
    unsigned differing;
} Validation;

static char *base_name(const char *path)
{
    char *name = g_path_get_basename(path);
    if (g_str_has_suffix(name, ".trace"))
        name[strlen(name) - strlen(".trace")] = '\0';
    return name;
}

static bool record(const Validation *validation, const char *path, const char *name, GError **error)
{
    g_autoptr(GArray) steps = pf_teller_tell(&validation->validator, PF_TELLER_LIVE, path, error);
    if (steps == NULL)
        return false;
    g_autoptr(GString) text = pf_ksm_steps_format(steps);
    g_autofree char *file = g_strconcat(name, ".live.jsonl", NULL);
    g_autofree char *target = g_build_filename(validation->record, file, NULL);
    g_autoptr(GError) cause = NULL;
    if (!g_file_set_contents(target, text->str, (gssize)text->len, &cause)) {
        g_set_error(error, PF_ERROR, PF_ERROR_IO, "%s", cause->message);
        return false;
    }
    printf("%s: %u marks in %s\n", name, steps->len, target);
    return true;
}

static bool uses(const Validation *validation, PfKsmTeller teller)
{
    return validation->record != NULL
               ? teller == PF_TELLER_LIVE
               : validation->pair[0] == teller || validation->pair[1] == teller;
}

/* Without the running kernel, what one like it once said does as well, where that is kept. */
static void choose_pair(const Validation *validation, const char *path, PfKsmTeller ret_pair[2])
{
    g_autofree char *stored = pf_teller_stored_path(path);
    bool has_stored =
        validation->validator.stored != NULL || g_file_test(stored, G_FILE_TEST_EXISTS);
    for (unsigned i = 0; i < 2; i++) {
        ret_pair[i] = validation->pair[i];
        if (ret_pair[i] == PF_TELLER_LIVE && validation->obstacle != NULL && has_stored &&
            validation->pair[1 - i] == PF_TELLER_MODEL)
            ret_pair[i] = PF_TELLER_STORED;
    }
}

static bool validate(Validation *validation, const char *path, const char *name, GError **error)
{
    PfKsmTeller pair[2];
    choose_pair(validation, path, pair);
    bool needs_live =
        validation->record != NULL || pair[0] == PF_TELLER_LIVE || pair[1] == PF_TELLER_LIVE;
    validation->scenarios++;
    if (needs_live && validation->obstacle != NULL) {
        printf("%s: skipped: %s\n", name, validation->obstacle);
        return true;
    }
    if (validation->record != NULL)
        return record(validation, path, name, error);
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    g_auto(PfVerdict) verdict = {0};
    if (!pf_teller_compare(&validation->validator, pair, path, lines, &verdict, error))
        return false;
    printf("%s: %u marks, %s and %s ", name, verdict.steps->len, pf_teller_name(pair[0]),
           pf_teller_name(pair[1]));
    if (lines->len == 0 && verdict.tries > 1)
        printf("agree at try %u: %s\n", verdict.tries,
               verdict.is_overlookable ? "the kernel overlooked pages before"
                                       : "the kernel was disturbed before");
    else if (lines->len == 0)
        printf("agree\n");
    else
        printf("differ in %u places\n", lines->len);
    for (guint i = 0; i < lines->len; i++)
        printf("    %s\n", (const char *)g_ptr_array_index(lines, i));
    fflush(stdout);
    validation->differing += lines->len > 0;
    return true;
}

static bool fail_unpack(const char *name, GError **error)
{
    g_set_error(error, PF_ERROR, PF_ERROR_IO, "built-in scenario %s: %s", name, g_strerror(errno));
    return false;
}

/* A built-in scenario, in a file without a name: a trace has a path. */
static bool validate_one_built_in(Validation *validation, const char *name, GError **error)
{
    const char *text = pf_preset_scenario(name);
    g_autofree char *stored = pf_teller_stored_path(name);
    g_autofree char *base = base_name(name);
    int file = memfd_create(name, MFD_CLOEXEC);
    if (file < 0)
        return fail_unpack(name, error);
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", file);
    validation->validator.stored = pf_preset_scenario(stored);
    bool is_done = write(file, text, strlen(text)) == (ssize_t)strlen(text)
                       ? validate(validation, path, base, error)
                       : fail_unpack(name, error);
    validation->validator.stored = NULL;
    close(file);
    return is_done;
}

static bool validate_built_in(Validation *validation, GError **error)
{
    g_auto(GStrv) names = pf_preset_scenario_names();
    for (char **name = names; *name != NULL; name++)
        if (g_str_has_suffix(*name, ".trace") && !validate_one_built_in(validation, *name, error))
            return false;
    return true;
}

static bool parse_pair(const char *text, Validation *validation, GError **error)
{
    if (text == NULL || pf_teller_parse_pair(text, validation->pair))
        return true;
    g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                "--compare %s: must be two of model, live and stored, as model-live", text);
    return false;
}

/* Takes the running kernel's KSM if it is needed and can be had. */
static bool open_ksm(const PfApp *app, Validation *validation, GError **error)
{
    g_autoptr(GError) cause = NULL;
    if (!uses(validation, PF_TELLER_LIVE))
        return true;
    validation->validator.ksm =
        pf_ksm_open(LOCK_WAIT_SECONDS, validation->validator.interrupted, &cause);
    if (validation->validator.ksm != NULL)
        return true;
    if (g_error_matches(cause, PF_ERROR, PF_ERROR_INTERRUPTED)) {
        g_propagate_error(error, g_steal_pointer(&cause));
        return false;
    }
    validation->obstacle = g_strdup(cause->message);
    pf_options_warn(app, "the running kernel is not asked: %s", cause->message);
    return true;
}

static bool validate_all(const PfApp *app, Validation *validation, char **paths, GError **error)
{
    if (!open_ksm(app, validation, error))
        return false;
    bool is_done = paths[0] != NULL || validate_built_in(validation, error);
    for (char **path = paths; *path != NULL && is_done; path++) {
        g_autofree char *name = base_name(*path);
        is_done = validate(validation, *path, name, error);
    }
    if (validation->validator.ksm != NULL && !pf_ksm_close(validation->validator.ksm) && is_done) {
        g_set_error(error, PF_ERROR, PF_ERROR_IO, "the knobs in %s could not all be put back",
                    PF_KNOB_FOLDER);
        is_done = false;
    }
    return is_done;
}

static int run(PfApp *app, const PfCommand *command, int argc, char **argv, GError **error)
{
    g_autofree char *pair = NULL;
    g_autofree char *folder = NULL;
    const GOptionEntry entries[] = {
        {"compare", 0, 0, G_OPTION_ARG_FILENAME, &pair,
         "two of model, live, stored (default: model-live)", "PAIR"},
        {"record", 0, 0, G_OPTION_ARG_FILENAME, &folder,
         "compare nothing; keep what the kernel counts in DIR/NAME.live.jsonl", "DIR"},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    g_auto(GStrv) paths = NULL;
    PfParse parsed = pf_options_parse(app, command, entries, argc, argv, &paths, error);
    if (parsed != PF_PARSE_GO)
        return parsed == PF_PARSE_DONE ? 0 : 2;
    g_autoptr(PfRegistry) registry = pf_registry_new();
    Validation validation = {
        .validator = {.registry = registry, .interrupted = &app->interrupted},
        .pair = {PF_TELLER_MODEL, PF_TELLER_LIVE},
        .record = folder,
    };
    if (!parse_pair(pair, &validation, error))
        return 2;
    pf_interrupt_watch(&app->interrupted);
    bool is_done = validate_all(app, &validation, paths, error);
    pf_ksm_free(validation.validator.ksm);
    g_free(validation.obstacle);
    if (is_done && validation.differing > 0)
        g_set_error(error, PF_ERROR, PF_ERROR_DIFFERENCE, "%u of %u scenarios differ",
                    validation.differing, validation.scenarios);
    return is_done && validation.differing == 0 ? 0 : 1;
}

const PfCommand pf_command_validate_ksm = {
    .name = "validate ksm",
    .arguments = "[SCENARIO...]",
    .summary = "Compare the policy ksm with the running kernel, counter by counter",
    .examples =
        "  pagefold validate ksm                             the built-in scenarios (as root)\n"
        "  pagefold validate ksm a.trace b.trace             these\n"
        "  pagefold validate ksm --compare model-stored      with what a kernel counted once\n"
        "  pagefold validate ksm --record . a.trace          keep what the kernel counts\n",
    .arguments_min = 0,
    .arguments_max = 1000,
    .run = run,
};
