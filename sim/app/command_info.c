#include <stdio.h>
#include <string.h>

#include "tally.h"
#include "commands.h"
#include "error.h"
#include "info.h"
#include "trace.h"

static bool read_all(PfTrace *trace, PfTraceSummary *summary, PfTally *tally, GError **error)
{
    g_autoptr(PfRecordBlock) block = pf_record_block_new();
    PfTraceStatus status;
    while ((status = pf_trace_read(trace, block, error)) == PF_TRACE_RECORDS) {
        pf_trace_summary_add(summary, block);
        pf_tally_take(tally, block);
    }
    pf_tally_finish(tally);
    return status == PF_TRACE_END && pf_trace_summary_finish(trace, summary, error);
}

static int run(PfApp *app, const PfCommand *command, int argc, char **argv, GError **error)
{
    g_autofree char *form = NULL;
    const GOptionEntry entries[] = {
        {"format", 0, 0, G_OPTION_ARG_STRING, &form, "table or json", "FORM"},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    g_auto(GStrv) arguments = NULL;
    PfParse parsed = pf_options_parse(app, command, entries, argc, argv, &arguments, error);
    if (parsed != PF_PARSE_GO)
        return parsed == PF_PARSE_DONE ? 0 : 2;
    bool is_json = g_strcmp0(form, "json") == 0;
    if (form != NULL && !is_json && strcmp(form, "table") != 0) {
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "--format %s: it is table or json", form);
        return 2;
    }
    /* A damaged trace is shown up to the damage. */
    PfTraceOptions options = {.salvage = true};
    g_autoptr(PfTrace) trace = pf_trace_open(arguments[0], &options, error);
    if (trace == NULL)
        return 3;
    PfTraceSummary summary = {0};
    g_autoptr(PfTally) tally = pf_tally_new(pf_trace_header(trace)->page_bytes);
    if (!read_all(trace, &summary, tally, error))
        return 3;
    g_autoptr(GString) text = g_string_new(NULL);
    (is_json ? pf_info_json : pf_info_table)(text, trace, &summary, tally);
    fwrite(text->str, 1, text->len, stdout);
    if (pf_trace_damage(trace) == NULL)
        return 0;
    g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "%s; told is what stands before it",
                pf_trace_damage(trace));
    return 3;
}

const PfCommand pf_command_trace_info = {
    .name = "trace info",
    .arguments = "FILE",
    .summary = "Tell what a trace holds",
    .examples = "  pagefold trace info a.pft                         contexts, records, contents\n"
                "  pagefold trace info a.pft --format json           for programs\n",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
