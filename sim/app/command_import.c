#include "commands.h"
#include "config.h"
#include "error.h"
#include "import.h"
#include "interrupt.h"
#include "version.h"

static bool import_all(PfApp *app, const PfImportFormat *format, char **paths, uint64_t cycle_ps,
                       PfTraceWriter *writer, GError **error)
{
    for (uint32_t i = 0; paths[i] != NULL; i++) {
        g_autoptr(PfInput) input = pf_input_open(paths[i], error);
        if (input == NULL ||
            !pf_import(format, input, i, cycle_ps, writer, &app->interrupted, error))
            return false;
    }
    return pf_trace_writer_finish(writer, error);
}

/* The names of all formats, with a comma between. Free with g_free. */
static char *list_names(void)
{
    g_autoptr(GString) names = g_string_new(NULL);
    const PfImportFormat *format;
    for (size_t i = 0; (format = pf_import_at(i)) != NULL; i++)
        if (!pf_import_is_image(format))
            g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "",
                                   pf_import_name(format));
    return g_strdup(names->str);
}

static bool check(const char *output, char **arguments, const char *cycle,
                  const PfImportFormat **ret_format, uint64_t *ret_cycle_ps, GError **error)
{
    *ret_format = pf_import_find(arguments[0]);
    if (*ret_format == NULL || pf_import_is_image(*ret_format)) {
        g_autofree char *names = list_names();
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "'%s' is no format; there are %s",
                    arguments[0], names);
        return false;
    }
    if (output == NULL) {
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "-o FILE is missing");
        return false;
    }
    for (char **path = arguments + 1; *path != NULL; path++)
        if (!pf_options_keep_input("-o", output, *path, error))
            return false;
    *ret_cycle_ps = 833;
    if (cycle != NULL && !pf_parse_quantity(cycle, PF_CONFIG_TIME, ret_cycle_ps, error)) {
        g_prefix_error(error, "--cycle: ");
        return false;
    }
    if (*ret_cycle_ps > 0)
        return true;
    g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "--cycle: it must be more than 0");
    return false;
}

static int run(PfApp *app, const PfCommand *command, int argc, char **argv, GError **error)
{
    g_autofree char *output = NULL;
    g_autofree char *cycle = NULL;
    g_auto(GStrv) arguments = NULL;
    const GOptionEntry entries[] = {
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &output,
         "write the trace here; as text if it ends in .trace", "FILE"},
        {"cycle", 0, 0, G_OPTION_ARG_STRING, &cycle,
         "dramsim3: what a cycle lasts (833ps, that of DDR4-2400)", "TIME"},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    PfParse parsed = pf_options_parse(app, command, entries, argc, argv, &arguments, error);
    if (parsed != PF_PARSE_GO)
        return parsed == PF_PARSE_DONE ? 0 : 2;
    const PfImportFormat *format;
    uint64_t cycle_ps;
    if (!check(output, arguments, cycle, &format, &cycle_ps, error))
        return 2;
    g_autofree char *description = g_strdup_printf(
        "{\"source\": \"%s\", \"program\": \"pagefold " PF_VERSION "\"}", arguments[0]);
    PfTraceHeader header = {.page_bytes = PF_IMPORT_PAGE_BYTES, .description = description};
    PfTraceForm form = g_str_has_suffix(output, ".trace") ? PF_TRACE_TEXT : PF_TRACE_BINARY;
    g_autoptr(PfTraceWriter) writer = pf_trace_writer_new(output, form, &header, error);
    if (writer == NULL)
        return 1;
    pf_interrupt_watch(&app->interrupted);
    return import_all(app, format, arguments + 1, cycle_ps, writer, error) ? 0 : 3;
}

const PfCommand pf_command_trace_import = {
    .name = "trace import",
    .arguments = "FORMAT INPUT...",
    .summary = "Turn the trace of another program into one of pagefold's",
    .examples =
        "  pagefold trace import ramulator mem.trace -o a.pft    LD|ST ADDRESS, ADDRESS R|W\n"
        "  pagefold trace import dramsim3 mem.trc -o a.pft --cycle 625ps\n"
        "  pagefold trace import lackey cp.lackey -o cp.pft      valgrind --tool=lackey\n",
    .arguments_min = 2,
    .arguments_max = 1000,
    .run = run,
};
