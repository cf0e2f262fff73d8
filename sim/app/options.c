#include "options.h"

#include <glib/gstdio.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "error.h"
#include "installed.h"
#include "version.h"

/* In the order of `pagefold --help`. */
static const PfCommand *const commands[] = {
    &pf_command_run,
    &pf_command_compare,
    &pf_command_plot,
    &pf_command_bundle,
    &pf_command_sweep_expand,
    &pf_command_sweep_run,
    &pf_command_sweep_status,
    &pf_command_sweep_collect,
    &pf_command_sweep_frontier,
    &pf_command_potential,
    &pf_command_explain,
    &pf_command_trace_snapshot,
    &pf_command_trace_record,
    &pf_command_trace_import,
    &pf_command_trace_generate,
    &pf_command_trace_info,
    &pf_command_trace_text,
    &pf_command_trace_binary,
    &pf_command_trace_verify,
    &pf_command_trace_cut,
    &pf_command_trace_mix,
    &pf_command_config_check,
    &pf_command_config_dump,
    &pf_command_config_explain,
    &pf_command_list,
    &pf_command_check_policy,
    &pf_command_calibrate,
    &pf_command_validate_ksm,
    &pf_command_validate_curve,
    &pf_command_validate_cam,
};

static const char program_examples[] =
    "  pagefold run configs/tiny.cfg                     simulate, print the comparison\n"
    "  pagefold run configs/tiny.cfg -o out              ... and keep everything in out/\n"
    "  pagefold plot out --figure savings                draw memory saved over time\n"
    "  pagefold trace snapshot -o live.pft 1234 1235     record two live processes\n"
    "  pagefold config explain machine.dram              what can be configured there\n";

/* Insertions, deletions, replacements and swaps of neighbours that lead from A to B. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t rows = strlen(a) + 1;
    size_t columns = strlen(b) + 1;
    g_autofree size_t *cells = g_new(size_t, rows * columns);
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < columns; j++) {
            size_t *cell = &cells[i * columns + j];
            if (i == 0 || j == 0) {
                *cell = i + j;
                continue;
            }
            size_t replaced = cell[-(ptrdiff_t)columns - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            size_t shifted = MIN(cell[-1], cell[-(ptrdiff_t)columns]) + 1;
            *cell = MIN(replaced, shifted);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                *cell = MIN(*cell, cells[(i - 2) * columns + j - 2] + 1);
        }
    }
    return cells[rows * columns - 1];
}

const char *pf_options_nearest(const char *text, const char *const *candidates)
{
    const char *best = NULL;
    size_t length = strlen(text);
    size_t best_distance = (length + 2) / 3 + 1;
    for (size_t c = 0; candidates[c] != NULL; c++) {
        /* Lengths that differ by more need no table, which keeps an absurdly long word cheap. */
        size_t other = strlen(candidates[c]);
        if (MAX(length, other) - MIN(length, other) >= best_distance)
            continue;
        size_t distance = edit_distance(text, candidates[c]);
        if (distance < best_distance) {
            best_distance = distance;
            best = candidates[c];
        }
    }
    return best;
}

static void print_program_help(void)
{
    printf("Examples:\n%s\nUsage: pagefold [--version] [--help] [--color WHEN] COMMAND ...\n\n"
           "Commands (`pagefold COMMAND --help` tells more):\n",
           program_examples);
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        printf("  %-16s %s\n", commands[i]->name, commands[i]->summary);
}

static void print_option(const GOptionEntry *entry)
{
    g_autoptr(GString) left = g_string_new("  ");
    if (entry->short_name != 0)
        g_string_append_printf(left, "-%c, ", entry->short_name);
    else
        g_string_append(left, "    ");
    g_string_append_printf(left, "--%s", entry->long_name);
    if (entry->arg_description != NULL)
        g_string_append_printf(left, " %s", entry->arg_description);
    if (left->len > 33)
        printf("%s\n%35s%s\n", left->str, "", entry->description);
    else
        printf("%-35s%s\n", left->str, entry->description);
}

static void print_command_help(const PfCommand *command, const GOptionEntry *entries,
                               const GOptionEntry *common)
{
    printf("Examples:\n%s\nUsage: pagefold %s [OPTION]...%s%s\n\n%s.\n\nOptions:\n",
           command->examples, command->name, command->arguments[0] != '\0' ? " " : "",
           command->arguments, command->summary);
    for (const GOptionEntry *entry = entries; entry != NULL && entry->long_name != NULL; entry++)
        print_option(entry);
    for (const GOptionEntry *entry = common; entry->long_name[0] != '\0'; entry++)
        print_option(entry);
}

/* GOption says "Unknown option --polcy"; add the nearest name that there is. */
static void explain_option_error(const PfCommand *command, const GOptionEntry *entries,
                                 const GError *cause, GError **error)
{
    const char *nearest = NULL;
    const char *unknown = strstr(cause->message, "Unknown option --");
    if (unknown != NULL && entries != NULL) {
        g_autoptr(GPtrArray) names = g_ptr_array_new();
        for (const GOptionEntry *entry = entries; entry->long_name != NULL; entry++)
            g_ptr_array_add(names, (gpointer)(uintptr_t)entry->long_name);
        g_ptr_array_add(names, NULL);
        nearest = pf_options_nearest(unknown + strlen("Unknown option --"),
                                     (const char *const *)names->pdata);
    }
    g_autofree char *what = g_strdup(cause->message);
    what[0] = g_ascii_tolower(what[0]);
    if (nearest != NULL)
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "%s; did you mean --%s?", what, nearest);
    else
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "%s; see `pagefold %s --help`", what,
                    command->name);
}

static bool check_color(const PfApp *app, GError **error)
{
    if (app->color == NULL || strcmp(app->color, "auto") == 0 ||
        strcmp(app->color, "always") == 0 || strcmp(app->color, "never") == 0)
        return true;
    g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "--color %s: must be auto, always or never",
                app->color);
    return false;
}

static bool check_argument_count(const PfCommand *command, unsigned count, GError **error)
{
    unsigned most = command->arguments_max;
    bool unbounded = most == 0 && command->arguments_min > 0;
    if (count >= command->arguments_min && (unbounded || count <= most))
        return true;
    g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "%s; usage: pagefold %s [OPTION]... %s",
                count < command->arguments_min ? "an argument is missing" : "too many arguments",
                command->name, command->arguments);
    return false;
}

/* The option of ENTRIES (NULL: none) that takes a value and begins WORD: all of it, or its letter
 * alone. */
static const GOptionEntry *find_valued(const GOptionEntry *entries, const char *word)
{
    if (word[0] != '-' || word[1] == '\0')
        return NULL;
    for (; entries != NULL && entries->long_name != NULL; entries++) {
        bool is_meant = word[1] == '-' ? strcmp(word + 2, entries->long_name) == 0
                                       : word[1] == entries->short_name;
        if (is_meant)
            return entries->arg != G_OPTION_ARG_NONE ? entries : NULL;
    }
    return NULL;
}

/* The command line as GOption takes it: with a blank behind a letter, "-j", "2" for "-j2". */
static char **split_words(const GOptionEntry *entries, int argc, char **argv)
{
    g_autoptr(GStrvBuilder) words = g_strv_builder_new();
    g_strv_builder_add(words, "pagefold");
    bool is_value = false;
    bool options_end = false;
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i];
        bool has_value = !is_value && !options_end && find_valued(entries, word) != NULL;
        bool is_joined = has_value && word[1] != '-' && word[2] != '\0';
        options_end |= !is_value && strcmp(word, "--") == 0;
        if (is_joined) {
            const char letter[] = {'-', word[1], '\0'};
            g_strv_builder_add(words, letter);
            word += 2;
        }
        g_strv_builder_add(words, word);
        is_value = has_value && !is_joined;
    }
    return g_strv_builder_end(words);
}

PfParse pf_options_parse(PfApp *app, const PfCommand *command, const GOptionEntry *entries,
                         int argc, char **argv, char ***ret_arguments, GError **error)
{
    gboolean help = FALSE;
    g_auto(GStrv) arguments = NULL;
    const GOptionEntry common[] = {
        {"color", 0, 0, G_OPTION_ARG_FILENAME, &app->color, "colour messages: auto, always, never",
         "WHEN"},
        {"help", 'h', 0, G_OPTION_ARG_NONE, &help, "show this help and exit", NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &arguments, NULL, NULL},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_option_context_set_help_enabled(context, FALSE);
    if (entries != NULL)
        g_option_context_add_main_entries(context, entries, NULL);
    g_option_context_add_main_entries(context, common, NULL);

    g_auto(GStrv) copy = split_words(entries, argc, argv);
    g_autoptr(GError) cause = NULL;
    if (!g_option_context_parse_strv(context, &copy, &cause)) {
        explain_option_error(command, entries, cause, error);
        return PF_PARSE_ERROR;
    }
    if (help) {
        print_command_help(command, entries, common);
        return PF_PARSE_DONE;
    }
    unsigned count = arguments != NULL ? g_strv_length(arguments) : 0;
    if (!check_color(app, error) || !check_argument_count(command, count, error))
        return PF_PARSE_ERROR;
    /* A program that is recorded gets its arguments as they are. */
    for (unsigned i = 0; i < count && command != &pf_command_trace_record; i++)
        pf_installed_find(&arguments[i]);
    *ret_arguments = arguments != NULL ? g_steal_pointer(&arguments) : g_new0(char *, 1);
    return PF_PARSE_GO;
}

/* A command is named by one word or, as "trace info", by two. */
static const PfCommand *find_command(int argc, char **argv, int *ret_words)
{
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        const char *space = strchr(commands[i]->name, ' ');
        if (space == NULL && strcmp(argv[0], commands[i]->name) == 0) {
            *ret_words = 1;
            return commands[i];
        }
        size_t first = space != NULL ? (size_t)(space - commands[i]->name) : 0;
        if (space != NULL && argc > 1 && strlen(argv[0]) == first &&
            strncmp(argv[0], commands[i]->name, first) == 0 && strcmp(argv[1], space + 1) == 0) {
            *ret_words = 2;
            return commands[i];
        }
    }
    return NULL;
}

static bool is_group(const char *word)
{
    g_autofree char *prefix = g_strconcat(word, " ", NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        if (g_str_has_prefix(commands[i]->name, prefix))
            return true;
    return false;
}

static void print_group_help(const char *group)
{
    g_autofree char *prefix = g_strconcat(group, " ", NULL);
    printf("Examples:\n");
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        if (g_str_has_prefix(commands[i]->name, prefix))
            printf("%s", commands[i]->examples);
    printf("\nCommands (`pagefold %s COMMAND --help` tells more):\n", group);
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        if (g_str_has_prefix(commands[i]->name, prefix))
            printf("  %-16s %s\n", commands[i]->name, commands[i]->summary);
}

static void set_unknown_command(int argc, char **argv, GError **error)
{
    if (is_group(argv[0]) && argc < 2) {
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "%s: what of it? see `pagefold %s --help`",
                    argv[0], argv[0]);
        return;
    }
    g_autofree char *asked =
        is_group(argv[0]) ? g_strjoin(" ", argv[0], argv[1], NULL) : g_strdup(argv[0]);
    const char *names[G_N_ELEMENTS(commands) + 1] = {NULL};
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        names[i] = commands[i]->name;
    const char *nearest = pf_options_nearest(asked, names);
    if (nearest != NULL)
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "%s: unknown command; did you mean %s?", asked,
                    nearest);
    else
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                    "%s: unknown command; `pagefold --help` lists them", asked);
}

bool pf_options_need_output(const char *output, GError **error)
{
    if (output == NULL)
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "-o FILE is missing");
    return output != NULL;
}

bool pf_options_keep_input(const char *option, const char *output, const char *input,
                           GError **error)
{
    GStatBuf out;
    GStatBuf in;
    if (g_stat(output, &out) != 0 || g_stat(input, &in) != 0 || out.st_dev != in.st_dev ||
        out.st_ino != in.st_ino)
        return true;
    g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "%s %s: is what is read; name another file",
                option, output);
    return false;
}

int pf_options_dispatch(PfApp *app, GError **error)
{
    gboolean help = FALSE;
    gboolean version = FALSE;
    const GOptionEntry entries[] = {
        {"help", 'h', 0, G_OPTION_ARG_NONE, &help, NULL, NULL},
        {"version", 0, 0, G_OPTION_ARG_NONE, &version, NULL, NULL},
        {"color", 0, 0, G_OPTION_ARG_FILENAME, &app->color, NULL, NULL},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_option_context_set_help_enabled(context, FALSE);
    g_option_context_set_strict_posix(context, TRUE);
    g_option_context_add_main_entries(context, entries, NULL);
    g_auto(GStrv) words = g_strdupv(app->argv);
    g_autoptr(GError) cause = NULL;
    if (!g_option_context_parse_strv(context, &words, &cause)) {
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "%s; see `pagefold --help`", cause->message);
        return 2;
    }
    if (!check_color(app, error))
        return 2;
    int count = (int)g_strv_length(words);
    if (version) {
        printf("pagefold %s\n", PF_VERSION);
        return 0;
    }
    if (help || count < 2) {
        if (help) {
            print_program_help();
            return 0;
        }
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "no command; `pagefold --help` lists them");
        return 2;
    }
    int used = 0;
    const PfCommand *command = find_command(count - 1, words + 1, &used);
    if (command != NULL)
        return command->run(app, command, count - 1 - used, words + 1 + used, error);
    if (is_group(words[1]) && count > 2 &&
        (strcmp(words[2], "--help") == 0 || strcmp(words[2], "-h") == 0)) {
        print_group_help(words[1]);
        return 0;
    }
    set_unknown_command(count - 1, words + 1, error);
    return 2;
}
