#include "info.h"

#include <string.h>

#include "json.h"
#include "trace_names.h"
#include "units.h"

enum { CONTEXTS_SHOWN_MAX = 32, EPOCHS_SHOWN_MAX = 40, NAME_COLUMNS = 14 };

const char *const pf_info_form_names[PF_CONTENT_FORMS] = {
    [PF_CONTENT_ZERO] = "zero", [PF_CONTENT_ONES] = "ones",   [PF_CONTENT_ID] = "id",
    [PF_CONTENT_HASH] = "hash", [PF_CONTENT_BYTES] = "bytes",
};

const char *pf_info_grain(const PfTraceSummary *summary)
{
    if (summary->has_access_grain && summary->has_page_grain)
        return "access and page";
    return summary->has_page_grain ? "page" : "access";
}

/* NAME without what would move a terminal's cursor. Free with g_free. */
static char *plain(const char *name)
{
    char *text = g_strdup(name);
    for (char *at = text; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            *at = '?';
    return text;
}

static void add_text(GString *out, const char *name, const char *text)
{
    g_string_append_printf(out, "%-*s %s\n", NAME_COLUMNS, name, text);
}

static void add_count(GString *out, const char *name, uint64_t value, const char *unit)
{
    g_string_append_printf(out, "%-*s %" G_GUINT64_FORMAT "%s\n", NAME_COLUMNS, name, value, unit);
}

static void add_names(GString *out, const PfTrace *trace, uint32_t count)
{
    g_string_append_printf(out, "%-*s %u", NAME_COLUMNS, "contexts", count);
    for (uint32_t i = 0; i < MIN(count, CONTEXTS_SHOWN_MAX); i++) {
        g_autofree char *name = plain(pf_trace_context_name(trace, i));
        g_string_append_printf(out, "%s%s", i == 0 ? ": " : " ", name);
    }
    g_string_append_printf(out, "%s\n", count > CONTEXTS_SHOWN_MAX ? " ..." : "");
}

static void add_detail(GString *out, const char *name, uint64_t part, uint64_t all)
{
    if (part == 0)
        return;
    g_string_append_printf(out, "%s%s", out->len > 0 ? ", " : "", name);
    if (part != all)
        g_string_append_printf(out, " (%.3g %%)", 100.0 * (double)part / (double)all);
}

/* What the trace knows beside which pages are used; shares are of what could have it. */
static void add_details(GString *out, const PfTraceSummary *summary)
{
    const uint64_t *kinds = summary->records_by_kind;
    uint64_t bytes = summary->contents - summary->contents_by_form[PF_CONTENT_HASH];
    g_autoptr(GString) list = g_string_new(NULL);
    add_detail(list, "contents", bytes, summary->contents);
    add_detail(list, "reads", kinds[PF_RECORD_READ], kinds[PF_RECORD_READ]);
    add_detail(list, "writes", kinds[PF_RECORD_WRITE], kinds[PF_RECORD_WRITE]);
    add_detail(list, "their values", summary->valued_writes, kinds[PF_RECORD_WRITE]);
    add_detail(list, "fetches", kinds[PF_RECORD_FETCH], kinds[PF_RECORD_FETCH]);
    add_detail(list, "virtual addresses", summary->virtual_accesses, summary->accesses);
    add_detail(list, "dependences", summary->dependent_reads, kinds[PF_RECORD_READ]);
    add_detail(list, "instructions", summary->instructions, summary->instructions);
    add_detail(list, "time", summary->has_time, 1);
    add_text(out, "detail", list->len > 0 ? list->str : "none");
}

static void add_records(GString *out, const PfTraceSummary *summary)
{
    add_count(out, "records", summary->records, "");
    for (unsigned kind = 0; kind < PF_RECORD_KINDS; kind++) {
        g_autofree char *name = g_strconcat("  ", pf_record_kind_name((PfRecordKind)kind), NULL);
        if (summary->records_by_kind[kind] != 0)
            add_count(out, name, summary->records_by_kind[kind], "");
    }
    add_count(out, "contents", summary->contents, "");
    for (unsigned form = 0; form < PF_CONTENT_FORMS; form++) {
        g_autofree char *name = g_strconcat("  ", pf_info_form_names[form], NULL);
        if (summary->contents_by_form[form] != 0)
            add_count(out, name, summary->contents_by_form[form],
                      form == PF_CONTENT_HASH ? " (identity only, no bytes)" : "");
    }
    if (summary->accesses == 0)
        return;
    add_count(out, "accesses", summary->accesses, "");
    add_count(out, "  read", summary->read_bytes, " B");
    add_count(out, "  written", summary->written_bytes, " B");
    add_count(out, "  fetched", summary->fetched_bytes, " B");
    add_count(out, "instructions", summary->instructions, "");
}

static uint64_t all_kinds(const uint64_t *pages)
{
    return pages[PF_BACKING_ANON] + pages[PF_BACKING_FILE] + pages[PF_BACKING_SHMEM];
}

static void add_contexts(GString *out, const PfTally *tally)
{
    uint32_t count = pf_tally_context_count(tally);
    g_string_append_printf(out, "\n%-*s %-7s %12s %11s %10s %10s %10s %10s %10s\n", NAME_COLUMNS,
                           "pages", "kind", "mapped", "populated", "anon", "file", "shmem", "zero",
                           "unknown");
    for (uint32_t i = 0; i < MIN(count, CONTEXTS_SHOWN_MAX); i++) {
        const PfTallyContext *context = pf_tally_context(tally, i);
        const uint64_t *populated = context->populated_pages;
        g_autofree char *name = plain(context->name);
        g_string_append_printf(out, "%-*s %-7s %12" G_GUINT64_FORMAT " %11" G_GUINT64_FORMAT
                               " %10" G_GUINT64_FORMAT " %10" G_GUINT64_FORMAT
                               " %10" G_GUINT64_FORMAT " %10" G_GUINT64_FORMAT
                               " %10" G_GUINT64_FORMAT "%s\n",
                               NAME_COLUMNS, name, pf_context_kind_names[context->kind],
                               all_kinds(context->mapped_pages), all_kinds(populated),
                               populated[PF_BACKING_ANON], populated[PF_BACKING_FILE],
                               populated[PF_BACKING_SHMEM], context->zero_pages,
                               context->unknown_pages, context->has_exited ? " at its exit" : "");
    }
    if (count > CONTEXTS_SHOWN_MAX)
        g_string_append_printf(out, "... %u more; --format json tells all\n",
                               count - CONTEXTS_SHOWN_MAX);
}

/* Rows 1, 2, 3-4, 5-8 ...: pages that have a content in common with so many, with themselves. */
static void add_multiples(GString *out, const PfTally *tally)
{
    const PfTallyEpoch *epoch = pf_tally_told_epoch(tally);
    if (epoch == NULL)
        return;
    g_autofree char *mark = epoch->label != NULL ? plain(epoch->label) : NULL;
    g_string_append_printf(out, "\n%-*s %12s %12s   at %s%s\n", NAME_COLUMNS, "pages each",
                           "contents", "pages", mark != NULL ? "mark " : "the end",
                           mark != NULL ? mark : "");
    uint32_t count = pf_tally_multiple_count(tally);
    uint64_t first = 1;
    for (uint32_t i = 0; i < count; first = first == 1 ? 2 : first == 2 ? 3 : 2 * first - 1) {
        uint64_t last = first <= 2 ? first : 2 * first - 2;
        uint64_t contents = 0;
        uint64_t pages = 0;
        for (; i < count && pf_tally_multiple(tally, i)->pages <= last; i++) {
            const PfTallyMultiple *multiple = pf_tally_multiple(tally, i);
            contents += multiple->contents;
            pages += multiple->contents * multiple->pages;
        }
        g_autofree char *range =
            first == last ? g_strdup_printf("%" G_GUINT64_FORMAT, first)
                          : g_strdup_printf("%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT, first,
                                            last);
        if (contents > 0)
            g_string_append_printf(out, "%-*s %12" G_GUINT64_FORMAT " %12" G_GUINT64_FORMAT "\n",
                                   NAME_COLUMNS, range, contents, pages);
    }
}

static void add_epochs(GString *out, const PfTally *tally)
{
    uint32_t count = pf_tally_epoch_count(tally);
    g_string_append_printf(out, "\n%-*s %12s %12s %12s %12s %12s\n", NAME_COLUMNS, "at mark",
                           "time (s)", "populated", "contents", "new", "changed");
    uint32_t shown = MIN(count, EPOCHS_SHOWN_MAX);
    for (uint32_t i = 0; i < shown; i++) {
        /* The end is always told. */
        const PfTallyEpoch *epoch =
            pf_tally_epoch(tally, i == shown - 1 ? count - 1 : i);
        g_autofree char *name = plain(epoch->label != NULL ? epoch->label : "(the end)");
        g_string_append_printf(
            out, "%-*s %12.9g %12" G_GUINT64_FORMAT " %12" G_GUINT64_FORMAT
                 " %12" G_GUINT64_FORMAT " %12" G_GUINT64_FORMAT "\n",
            NAME_COLUMNS, name,
            (double)epoch->time_ps / (double)PF_PS_PER_SECOND, epoch->populated_pages,
            epoch->distinct_contents, epoch->new_pages, epoch->changed_pages);
    }
    uint64_t left_out = count - shown + pf_tally_marks_left_out(tally);
    if (left_out > 0)
        g_string_append_printf(out, "... %" G_GUINT64_FORMAT " marks are not shown\n", left_out);
}

void pf_info_table(GString *out, const PfTrace *trace, const PfTraceSummary *summary,
                   const PfTally *tally)
{
    const PfTraceHeader *header = pf_trace_header(trace);
    bool lacks_index = header->is_binary && !summary->has_index;
    add_text(out, "form",
             lacks_index ? "binary, without its index" : header->is_binary ? "binary" : "text");
    add_count(out, "page", header->page_bytes, " B");
    if (header->clock_hz != 0)
        add_count(out, "clock", header->clock_hz, " Hz");
    add_text(out, "grain", pf_info_grain(summary));
    add_details(out, summary);
    add_names(out, trace, summary->contexts);
    add_records(out, summary);
    if (summary->has_time)
        g_string_append_printf(out, "%-*s %.9g s\n", NAME_COLUMNS, "last time",
                               (double)summary->last_time_ps / (double)PF_PS_PER_SECOND);
    add_count(out, "size", summary->file_bytes, " B");
    if (strcmp(header->description, "{}") != 0)
        add_text(out, "description", header->description);
    if (pf_tally_problem(tally) != NULL) {
        add_text(out, "memory", pf_tally_problem(tally));
        return;
    }
    if (pf_tally_context_count(tally) == 0)
        return;
    add_contexts(out, tally);
    add_multiples(out, tally);
    add_epochs(out, tally);
}
