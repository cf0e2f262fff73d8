#include "commands.h"
#include "config.h"
#include "cut.h"
#include "error.h"
#include "interrupt.h"

/* "mark:LABEL", a time with its unit, or the number of a record. NULL is the edge. */
static bool parse_point(const char *option, const char *text, PfCutPoint *ret_point,
                        GError **error)
{
    static const char mark[] = "mark:";
    if (text == NULL)
        return true;
    if (g_str_has_prefix(text, mark)) {
        *ret_point = (PfCutPoint){.kind = PF_CUT_MARK, .label = text + sizeof mark - 1};
        return true;
    }
    ret_point->kind = PF_CUT_RECORD;
    if (g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT64, &ret_point->number, NULL))
        return true;
    ret_point->kind = PF_CUT_TIME_PS;
    if (pf_parse_quantity(text, PF_CONFIG_TIME, &ret_point->number, NULL))
        return true;
    g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                "%s %s: must be mark:LABEL, a time as 20ms, or the number of a record", option,
                text);
    return false;
}

static bool parse_points(const char *from, const char *to, PfCut *cut, GError **error)
{
    if (!parse_point("--from", from, &cut->from, error) ||
        !parse_point("--to", to, &cut->to, error))
        return false;
    /* Nothing is before the beginning. */
    if (cut->from.kind != PF_CUT_MARK && cut->from.number == 0)
        cut->from.kind = PF_CUT_EDGE;
    bool is_comparable = cut->to.kind == cut->from.kind ||
                         (cut->from.kind == PF_CUT_EDGE && cut->to.kind != PF_CUT_EDGE);
    if (!is_comparable || cut->to.kind == PF_CUT_MARK || cut->to.kind == PF_CUT_EDGE ||
        cut->to.number > cut->from.number)
        return true;
    g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "--to %s: must be behind --from", to);
    return false;
}

static int run(PfApp *app, const PfCommand *command, int argc, char **argv, GError **error)
{
    g_autofree char *output = NULL;
    g_autofree char *from = NULL;
    g_autofree char *to = NULL;
    g_auto(GStrv) contexts = NULL;
    g_auto(GStrv) arguments = NULL;
    const GOptionEntry entries[] = {
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &output,
         "write the part here; as text if it ends in .trace", "FILE"},
        {"from", 0, 0, G_OPTION_ARG_FILENAME, &from,
         "where it begins: mark:LABEL, a time, or records to skip", "PLACE"},
        {"to", 0, 0, G_OPTION_ARG_FILENAME, &to, "where it ends, likewise", "PLACE"},
        {"context", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &contexts,
         "keep this context, and no others (may be repeated)", "NAME"},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    PfParse parsed = pf_options_parse(app, command, entries, argc, argv, &arguments, error);
    if (parsed != PF_PARSE_GO)
        return parsed == PF_PARSE_DONE ? 0 : 2;
    if (!pf_options_need_output(output, error))
        return 2;
    PfCut cut = {.contexts = (const char *const *)contexts, .interrupted = &app->interrupted};
    if (!pf_options_keep_input("-o", output, arguments[0], error) ||
        !parse_points(from, to, &cut, error))
        return 2;
    PfTraceForm form = g_str_has_suffix(output, ".trace") ? PF_TRACE_TEXT : PF_TRACE_BINARY;
    pf_interrupt_watch(&app->interrupted);
    return pf_trace_cut(arguments[0], output, form, &cut, error) ? 0 : 3;
}

const PfCommand pf_command_trace_cut = {
    .name = "trace cut",
    .arguments = "FILE",
    .summary = "Write a part of a trace, which runs by itself",
    .examples =
        "  pagefold trace cut a.pft -o b.pft --from mark:ready --to 20s    from a mark on\n"
        "  pagefold trace cut a.pft -o b.pft --from 1000000 --to 2000000   by records\n"
        "  pagefold trace cut a.pft -o b.pft --context web --context db    two of its contexts\n",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
