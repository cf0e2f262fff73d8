#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "error.h"
#include "interrupt.h"
#include "trace.h"
#include "units.h"

static const char *const content_form_names[] = {
    [PF_CONTENT_ZERO] = "zero", [PF_CONTENT_ONES] = "ones",   [PF_CONTENT_ID] = "id",
    [PF_CONTENT_HASH] = "hash", [PF_CONTENT_BYTES] = "bytes",
};

enum { CONTEXTS_SHOWN_MAX = 32 };

static void print_count(const char *name, uint64_t value, const char *unit)
{
    printf("%-14s %" G_GUINT64_FORMAT "%s\n", name, value, unit);
}

static const char *grain_text(const PfTraceSummary *summary)
{
    if (summary->has_access_grain && summary->has_page_grain)
        return "access and page";
    return summary->has_page_grain ? "page" : "access";
}

static void print_contexts(const PfTrace *trace, uint32_t count)
{
    printf("%-14s %u", "contexts", count);
    for (uint32_t i = 0; i < MIN(count, CONTEXTS_SHOWN_MAX); i++)
        printf("%s%s", i == 0 ? ": " : " ", pf_trace_context_name(trace, i));
    printf("%s\n", count > CONTEXTS_SHOWN_MAX ? " ..." : "");
}

static void print_summary(const PfTrace *trace, const PfTraceSummary *summary)
{
    const PfTraceHeader *header = pf_trace_header(trace);
    printf("%-14s %s%s\n", "form", header->is_binary ? "binary" : "text",
           header->is_binary && !summary->has_index ? ", without its index" : "");
    print_count("page", header->page_bytes, " B");
    if (header->clock_hz != 0)
        print_count("clock", header->clock_hz, " Hz");
    printf("%-14s %s\n", "grain", grain_text(summary));
    print_contexts(trace, summary->contexts);
    print_count("records", summary->records, "");
    for (unsigned kind = 0; kind < PF_RECORD_KINDS; kind++)
        if (summary->records_by_kind[kind] != 0) {
            g_autofree char *name =
                g_strconcat("  ", pf_record_kind_name((PfRecordKind)kind), NULL);
            print_count(name, summary->records_by_kind[kind], "");
        }
    print_count("contents", summary->contents, "");
    for (unsigned form = 0; form < G_N_ELEMENTS(content_form_names); form++)
        if (summary->contents_by_form[form] != 0) {
            g_autofree char *name = g_strconcat("  ", content_form_names[form], NULL);
            print_count(name, summary->contents_by_form[form],
                        form == PF_CONTENT_HASH ? " (identity only, no bytes)" : "");
        }
    if (summary->accesses != 0) {
        print_count("accesses", summary->accesses, "");
        print_count("  read", summary->read_bytes, " B");
        print_count("  written", summary->written_bytes, " B");
        print_count("  fetched", summary->fetched_bytes, " B");
        print_count("instructions", summary->instructions, "");
    }
    if (summary->has_time)
        printf("%-14s %.9g s\n", "last time",
               (double)summary->last_time_ps / (double)PF_PS_PER_SECOND);
    print_count("size", summary->file_bytes, " B");
    if (strcmp(header->description, "{}") != 0)
        printf("%-14s %s\n", "description", header->description);
}

static int run_info(PfApp *app, const PfCommand *command, int argc, char **argv, GError **error)
{
    g_auto(GStrv) arguments = NULL;
    PfParse parsed = pf_options_parse(app, command, NULL, argc, argv, &arguments, error);
    if (parsed != PF_PARSE_GO)
        return parsed == PF_PARSE_DONE ? 0 : 2;
    /* A damaged trace is shown up to the damage. */
    PfTraceOptions options = {.salvage = true};
    g_autoptr(PfTrace) trace = pf_trace_open(arguments[0], &options, error);
    if (trace == NULL)
        return 3;
    PfTraceSummary summary = {0};
    if (!pf_trace_summarise(trace, &summary, error))
        return 3;
    print_summary(trace, &summary);
    if (pf_trace_damage(trace) == NULL)
        return 0;
    g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "%s; told is what stands before it",
                pf_trace_damage(trace));
    return 3;
}

static int run_verify(PfApp *app, const PfCommand *command, int argc, char **argv, GError **error)
{
    g_auto(GStrv) arguments = NULL;
    PfParse parsed = pf_options_parse(app, command, NULL, argc, argv, &arguments, error);
    if (parsed != PF_PARSE_GO)
        return parsed == PF_PARSE_DONE ? 0 : 2;
    PfTraceSummary summary = {0};
    if (!pf_trace_verify(arguments[0], &summary, error))
        return 3;
    printf("%s: OK, %" G_GUINT64_FORMAT " records\n", arguments[0], summary.records);
    return 0;
}

static int convert(PfApp *app, const PfCommand *command, int argc, char **argv, PfTraceForm form,
                   GError **error)
{
    g_autofree char *output = NULL;
    gboolean salvage = FALSE;
    const GOptionEntry entries[] = {
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &output,
         "write the trace here; - is standard output", "FILE"},
        {"salvage", 0, 0, G_OPTION_ARG_NONE, &salvage, "take a damaged trace up to the damage",
         NULL},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    g_auto(GStrv) arguments = NULL;
    PfParse parsed = pf_options_parse(app, command, entries, argc, argv, &arguments, error);
    if (parsed != PF_PARSE_GO)
        return parsed == PF_PARSE_DONE ? 0 : 2;
    /* Text may go to a terminal; bytes only where somebody says so. */
    if (output == NULL && form == PF_TRACE_TEXT)
        output = g_strdup("-");
    if (output == NULL) {
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "-o FILE is missing");
        return 2;
    }
    pf_interrupt_watch(&app->interrupted);
    return pf_trace_convert(arguments[0], output, form, salvage != FALSE, &app->interrupted, error)
               ? 0
               : 3;
}

static int run_text(PfApp *app, const PfCommand *command, int argc, char **argv, GError **error)
{
    return convert(app, command, argc, argv, PF_TRACE_TEXT, error);
}

static int run_binary(PfApp *app, const PfCommand *command, int argc, char **argv, GError **error)
{
    return convert(app, command, argc, argv, PF_TRACE_BINARY, error);
}

const PfCommand pf_command_trace_info = {
    .name = "trace info",
    .arguments = "FILE",
    .summary = "Tell what a trace holds",
    .examples = "  pagefold trace info a.pft                         contexts, records, contents\n",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run_info,
};

const PfCommand pf_command_trace_text = {
    .name = "trace text",
    .arguments = "FILE",
    .summary = "Write a trace in its text form",
    .examples = "  pagefold trace text a.pft                         read it\n"
                "  pagefold trace text a.pft -o a.trace              ... or edit it\n",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run_text,
};

const PfCommand pf_command_trace_binary = {
    .name = "trace binary",
    .arguments = "FILE",
    .summary = "Write a trace in its binary form",
    .examples =
        "  pagefold trace binary a.trace -o a.pft            small, checked, fast to read\n",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run_binary,
};

const PfCommand pf_command_trace_verify = {
    .name = "trace verify",
    .arguments = "FILE",
    .summary = "Check every byte and every record of a trace",
    .examples =
        "  pagefold trace verify a.pft                       exit status 3 if it is damaged\n",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run_verify,
};
