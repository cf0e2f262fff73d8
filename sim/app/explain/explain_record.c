/* What a record says. */
#include "explain_words.h"

#include <inttypes.h>

#include "trace_names.h"

/* Columns of labels and names in a sentence. */
enum { LABEL_COLUMNS = 30 };

static void append_context(GString *out, const PfExplainStyle *style, const PfRun *run,
                           uint32_t context)
{
    pf_explain_name(out, style, pf_image_context(run->image, context)->name, LABEL_COLUMNS);
}

/* PICOSECONDS in the largest unit that keeps them whole. */
static void append_time(GString *out, uint64_t picoseconds)
{
    static const char *const units[] = {"ps", "ns", "us", "ms", "s"};
    size_t unit = 0;
    for (; unit + 1 < G_N_ELEMENTS(units) && picoseconds > 0 && picoseconds % 1000 == 0; unit++)
        picoseconds /= 1000;
    pf_explain_number(out, picoseconds);
    g_string_append_printf(out, " %s", units[unit]);
}

/* ---- Records ---- */

/* "4 pages at 0x1000". */
static void append_pages(GString *out, const PfRecord *record)
{
    pf_explain_count(out, record->count, "page");
    g_string_append_printf(out, " at 0x%" PRIx64, record->address);
}

static void append_map(GString *out, const PfExplainStyle *style, const PfTraceDetail *detail)
{
    if (detail->backing == PF_BACKING_ANON) {
        g_string_append(out, ": memory of its own");
    } else {
        g_string_append_printf(out, ": of %s ",
                               detail->backing == PF_BACKING_FILE ? "file" : "shared memory");
        pf_explain_name(out, style, detail->name, LABEL_COLUMNS);
    }
    g_string_append_printf(out, "%s. There are no frames yet.",
                           detail->mergeable ? ", offered for sharing" : "");
}

static void explain_context(GString *out, const PfExplainStyle *style, PfRun *run,
                            const PfRecord *record)
{
    const PfTraceDetail *detail = record->detail;
    switch ((unsigned)record->kind) {
    case PF_RECORD_CONTEXT:
        g_string_append_printf(out, " begins, a %s.",
                               detail->context_kind == PF_CONTEXT_VM ? "virtual machine"
                                                                     : "process");
        return;
    case PF_RECORD_MAP:
        g_string_append(out, " maps ");
        append_pages(out, record);
        append_map(out, style, detail);
        return;
    case PF_RECORD_ALIAS:
        g_string_append(out, " gets ");
        append_pages(out, record);
        g_string_append(out, " that are those of ");
        append_context(out, style, run, detail->other_context);
        g_string_append_printf(out, " at 0x%" PRIx64 ", copy-on-write.", detail->other_address);
        return;
    case PF_RECORD_FORK:
        g_string_append(out, " forks: ");
        append_context(out, style, run, detail->other_context);
        g_string_append(out, " begins with the same pages, copy-on-write.");
        return;
    case PF_RECORD_REMAP:
        g_string_append(out, " moves ");
        append_pages(out, record);
        g_string_append_printf(out, " to 0x%" PRIx64 ".", detail->other_address);
        return;
    case PF_RECORD_UNMAP:
        g_string_append(out, " unmaps ");
        append_pages(out, record);
        g_string_append_c(out, '.');
        return;
    case PF_RECORD_ADVISE:
    case PF_RECORD_ATTR:
        g_string_append(out, " says of ");
        append_pages(out, record);
        g_string_append_printf(out, ": %s.",
                               record->kind == PF_RECORD_ADVISE
                                   ? pf_advice_names[record->choice]
                                   : pf_attribute_names[record->choice]);
        return;
    default:
        g_string_append(out, " exits, and its pages go.");
        return;
    }
}

/* What the first page of RECORD holds, behind what it did. */
static void append_result(GString *out, const PfExplainStyle *style, PfRun *run,
                          const PfRecord *record)
{
    PfPage page = {record->context, {record->address >> pf_image_page_shift(run->image)}};
    bool is_access = pf_record_traits((PfRecordKind)record->kind)->is_access;
    g_string_append(out, record->count > 1 && !is_access      ? "; the first now reads "
                         : record->kind == PF_RECORD_READ ? "; the page reads "
                                                          : "; the page now reads ");
    pf_explain_page_content(out, style, run, page);
    g_string_append_c(out, '.');
}

static void explain_pages(GString *out, const PfExplainStyle *style, PfRun *run,
                          const PfRecord *record)
{
    static const char *const verbs[PF_RECORD_KINDS] = {
        [PF_RECORD_FILL] = " stores ",
        [PF_RECORD_INIT] = " asks for ",
        [PF_RECORD_TOUCH] = " stores what is there already to ",
        [PF_RECORD_STATE] = " has, in a picture of its memory, ",
        [PF_RECORD_DMA] = " gets, from device ",
    };
    g_string_append(out, verbs[record->kind]);
    if (record->kind == PF_RECORD_DMA) {
        pf_explain_name(out, style, record->detail->name, LABEL_COLUMNS);
        g_string_append(out, ", ");
    }
    append_pages(out, record);
    append_result(out, style, run, record);
}

static void explain_access(GString *out, const PfExplainStyle *style, PfRun *run,
                           const PfRecord *record)
{
    g_string_append(out, record->kind == PF_RECORD_READ    ? " reads "
                         : record->kind == PF_RECORD_WRITE ? " writes "
                                                           : " fetches ");
    pf_explain_count(out, record->count, "byte");
    g_string_append_printf(out, " at 0x%" PRIx64, record->address);
    if (record->kind != PF_RECORD_FETCH)
        append_result(out, style, run, record);
    else
        g_string_append_c(out, '.');
}

/* Records that are of no context. */
static void explain_other(GString *out, const PfExplainStyle *style, const PfRecord *record)
{
    switch ((unsigned)record->kind) {
    case PF_RECORD_TIME:
        g_string_append(out, "Everybody waits until ");
        append_time(out, record->count);
        g_string_append_c(out, '.');
        return;
    case PF_RECORD_SCAN: {
        bool is_passes = (record->flags & PF_RECORD_SCAN_PASSES) != 0;
        g_string_append(out, "A policy that the trace calls ");
        g_string_append(out, is_passes ? "makes " : "looks at up to ");
        pf_explain_number(out, record->count);
        g_string_append_printf(out, is_passes ? " full pass%s now." : " page%s now.",
                               record->count == 1 ? "" : is_passes ? "es" : "s");
        return;
    }
    case PF_RECORD_CONTROL:
        g_string_append(out, "The trace sets parameter ");
        pf_explain_name(out, style, record->detail->name, LABEL_COLUMNS);
        g_string_append(out, " to ");
        pf_explain_name(out, style, record->detail->text, LABEL_COLUMNS);
        g_string_append_c(out, '.');
        return;
    case PF_RECORD_MARK:
        g_string_append(out, "Mark \"");
        pf_explain_name(out, style, record->detail->name, LABEL_COLUMNS);
        g_string_append(out, "\".");
        return;
    default:
        g_string_append(out, record->count == PF_GRAIN_PAGE
                                 ? "The trace tells of whole pages from here on."
                                 : "The trace tells of every access from here on.");
        return;
    }
}

/* What one context does beside its memory. */
static void explain_doings(GString *out, const PfExplainStyle *style, const PfRecord *record)
{
    switch ((unsigned)record->kind) {
    case PF_RECORD_RUN:
        g_string_append(out, " runs ");
        pf_explain_count(out, record->count, "instruction");
        g_string_append_c(out, '.');
        return;
    case PF_RECORD_IDLE:
        g_string_append(out, " waits for ");
        append_time(out, record->count);
        g_string_append_c(out, '.');
        return;
    default:
        g_string_append(out, record->kind == PF_RECORD_BEGIN ? " begins \"" : " ends \"");
        pf_explain_name(out, style, record->detail->name, LABEL_COLUMNS);
        g_string_append(out, "\".");
        return;
    }
}

void pf_explain_record(GString *out, const PfExplainStyle *style, PfRun *run,
                       const PfRecord *record)
{
    if (record->context == PF_TRACE_NO_CONTEXT) {
        explain_other(out, style, record);
        return;
    }
    append_context(out, style, run, record->context);
    switch ((unsigned)record->kind) {
    case PF_RECORD_READ:
    case PF_RECORD_WRITE:
    case PF_RECORD_FETCH:
        explain_access(out, style, run, record);
        return;
    case PF_RECORD_STATE:
    case PF_RECORD_FILL:
    case PF_RECORD_INIT:
    case PF_RECORD_TOUCH:
    case PF_RECORD_DMA:
        explain_pages(out, style, run, record);
        return;
    case PF_RECORD_RUN:
    case PF_RECORD_IDLE:
    case PF_RECORD_BEGIN:
    case PF_RECORD_END:
        explain_doings(out, style, record);
        return;
    default:
        explain_context(out, style, run, record);
        return;
    }
}
