/* The counts for eyes. */
#include "report.h"
#include "report_potential.h"
#include "units.h"

/* More contexts and sizes of groups are told by --format json and csv. */
enum { CONTEXTS_TOLD = 16 };

static void add(GPtrArray *cells, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void add(GPtrArray *cells, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_ptr_array_add(cells, g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

static void add_number(GPtrArray *cells, uint64_t number)
{
    add(cells, "%" G_GUINT64_FORMAT, number);
}

static void add_words(GPtrArray *cells, const char *const *words)
{
    for (; *words != NULL; words++)
        add(cells, "%s", *words);
}

static double share(uint64_t part, uint64_t whole)
{
    return whole > 0 ? 100.0 * (double)part / (double)whole : 0.0;
}

static GPtrArray *new_cells(void)
{
    return g_ptr_array_new_with_free_func(g_free);
}

static void append_baselines(GString *out, const PfPotentialCount *count)
{
    const struct {
        const char *name;
        const uint64_t *counts;
        const char *meaning;
    } rows[] = {
        {"no sharing", count->no_sharing, "each mapping has a frame of its own"},
        {"mmap/fork", count->frames, "the frames that there are"},
        {"KSM hint all", count->ksm, "anonymous frames of equal content are one"},
        {"full CBPS", count->cbps, "all frames of equal content are one"},
    };
    uint64_t frames = pf_kinds_sum(count->frames);
    g_string_append_printf(out, "%-12s  %10s  %10s  %6s  %10s\n", "", "pages", "MiB", "%", "saved");
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint64_t pages = pf_kinds_sum(rows[i].counts);
        g_string_append_printf(out, "%-12s  %10" G_GUINT64_FORMAT "  %10.2f  %6.1f  ", rows[i].name,
                               pages, (double)pages * (double)count->page_bytes / (double)PF_MIB,
                               share(pages, frames));
        if (pages <= frames)
            g_string_append_printf(out, "%10" G_GUINT64_FORMAT, frames - pages);
        else
            g_string_append_printf(out, "%10s", "-");
        g_string_append_printf(out, "  %s\n", rows[i].meaning);
    }
}

/* What is not known as well as the rest. */
static void append_notes(GString *out, const PfPotentialCount *count)
{
    const char *note = "hold bytes that nobody knows, and count as contents of their own";
    if (count->unknown_pages > 0)
        g_string_append_printf(out, "\n%" G_GUINT64_FORMAT " frames %s\n", count->unknown_pages,
                               note);
    note = "are known by a number for their content: there is no excerpt to show";
    if (count->identity_pages > 0)
        g_string_append_printf(out, "\n%" G_GUINT64_FORMAT " frames %s\n", count->identity_pages,
                               note);
}

static void append_kinds(GString *out, const PfPotentialCount *count)
{
    static const char *const names[PF_PAGE_KINDS] = {"anonymous, zeros", "anonymous, other", "file",
                                                     "shared memory"};
    static const char *const heads[] = {"kind",         "no sharing", "mmap/fork",
                                        "KSM hint all", "full CBPS",  NULL};
    g_autoptr(GPtrArray) cells = new_cells();
    add_words(cells, heads);
    for (unsigned kind = 0; kind < PF_PAGE_KINDS; kind++) {
        add(cells, "%s", names[kind]);
        add_number(cells, count->no_sharing[kind]);
        add_number(cells, count->frames[kind]);
        add_number(cells, count->ksm[kind]);
        add_number(cells, count->cbps[kind]);
    }
    pf_report_cells(out, "pages by kind", cells, 5, PF_REPORT_TABLE);
}

static void append_types(GString *out, const PfPotentialCount *count)
{
    static const char *const heads[] = {"contents held by", "all", "with 2 copies or more", NULL};
    g_autoptr(GPtrArray) cells = new_cells();
    add_words(cells, heads);
    add(cells, "anonymous frames only");
    add_number(cells, count->contents.anonymous);
    add_number(cells, count->contents_shared.anonymous);
    add(cells, "frames of files and shared memory only");
    add_number(cells, count->contents.named);
    add_number(cells, count->contents_shared.named);
    add(cells, "both");
    add_number(cells, count->contents.mixed);
    add_number(cells, count->contents_shared.mixed);
    pf_report_cells(out, "contents", cells, 3, PF_REPORT_TABLE);
}

static void append_places(GString *out, const PfPotentialCount *count)
{
    static const char *const heads[] = {"pages", "zeros", "other", "sum", NULL};
    g_autoptr(GPtrArray) cells = new_cells();
    add_words(cells, heads);
    const struct {
        const char *name;
        const uint64_t *saved;
    } rows[] = {{"within contexts", count->within}, {"between contexts", count->between}};
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        add(cells, "%s", rows[i].name);
        add_number(cells, rows[i].saved[1]);
        add_number(cells, rows[i].saved[0]);
        add_number(cells, rows[i].saved[0] + rows[i].saved[1]);
    }
    pf_report_cells(out, "what full CBPS saves, and where", cells, 4, PF_REPORT_TABLE);
}

static void append_contexts(GString *out, const PfPotentialCount *count)
{
    static const char *const heads[] = {"context",      "mapped pages",  "frames", "of zeros",
                                        "saved within", "saved between", NULL};
    g_autoptr(GPtrArray) cells = new_cells();
    add_words(cells, heads);
    guint told = MIN(count->contexts->len, CONTEXTS_TOLD);
    for (guint i = 0; i < told; i++) {
        const PfPotentialContext *context = &g_array_index(count->contexts, PfPotentialContext, i);
        add(cells, "%s", context->name);
        add_number(cells, context->mapped);
        add_number(cells, context->frames);
        add_number(cells, context->zero);
        add_number(cells, context->within);
        add_number(cells, context->between);
    }
    pf_report_cells(out, "contexts; a frame or content belongs to the first that has it", cells, 6,
                    PF_REPORT_TABLE);
    if (count->contexts->len > told)
        g_string_append_printf(out, "... and %u more (--format json or csv)\n",
                               count->contexts->len - told);
}

/* Numbers of copies by powers of two: 1, 2, 3-4, 5-8 ... */
static void append_multiplicity(GString *out, const PfPotentialCount *count)
{
    static const char *const heads[] = {"copies", "contents", "pages", NULL};
    g_autoptr(GPtrArray) cells = new_cells();
    add_words(cells, heads);
    for (guint i = 0; i < count->multiplicity->len;) {
        uint64_t last =
            pf_next_power_of_two(g_array_index(count->multiplicity, PfMultiplicity, i).copies);
        uint64_t contents = 0;
        uint64_t pages = 0;
        for (; i < count->multiplicity->len; i++) {
            const PfMultiplicity *row = &g_array_index(count->multiplicity, PfMultiplicity, i);
            if (row->copies > last)
                break;
            contents += row->contents;
            pages += row->contents * row->copies;
        }
        if (last <= 2)
            add_number(cells, last);
        else
            add(cells, "%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT, last / 2 + 1, last);
        add_number(cells, contents);
        add_number(cells, pages);
    }
    pf_report_cells(out, "copies of a content", cells, 3, PF_REPORT_TABLE);
}

static void append_most(GString *out, const PfPotentialReport *report)
{
    const PfPotentialCount *count = report->count;
    if (count->most->len == 0)
        return;
    g_string_append(out, "\nmost shared contents: copies, where, and the first bytes that are not "
                         "zero\n\n");
    for (guint i = 0; i < count->most->len; i++) {
        const PfDistinctContent *content = g_ptr_array_index(count->most, i);
        const PfCopiedContent *shared = pf_potential_shared(report->potential, content);
        g_autofree char *places = pf_places_text(count, content, shared);
        g_string_append_printf(out,
                               "%8" G_GUINT64_FORMAT "  %s; first at 0x%" G_GINT64_MODIFIER "x\n",
                               pf_distinct_copies(content), places, content->first_address);
        g_autofree char *excerpt = pf_excerpt_text(shared);
        if (pf_potential_is_zero(report->potential, content))
            g_string_append(out, "          zeros\n");
        else if (shared->excerpt_length > 0)
            g_string_append_printf(out, "          +0x%x \"%s\"\n", shared->excerpt_offset,
                                   excerpt);
    }
}

static void append_sizes(GString *out, const PfPotentialReport *report)
{
    static const char *const heads[] = {"pages a block", "block bytes",   "blocks", "distinct",
                                        "MiB",           "shareable MiB", "%",      NULL};
    const PfSizes *sizes = pf_potential_sizes(report->potential);
    if (sizes == NULL)
        return;
    g_autoptr(GPtrArray) cells = new_cells();
    add_words(cells, heads);
    const PfSizeCount *size = NULL;
    for (unsigned i = 0; i <= PF_SIZES; i++) {
        char *name = pf_size_name(sizes, i, &size);
        uint64_t shareable = size->bytes - size->distinct_bytes;
        g_ptr_array_add(cells, name);
        add_number(cells, size->block_bytes);
        add_number(cells, size->blocks);
        add_number(cells, size->distinct_blocks);
        add(cells, "%.2f", (double)size->bytes / (double)PF_MIB);
        add(cells, "%.2f", (double)shareable / (double)PF_MIB);
        add(cells, "%.1f", share(shareable, size->bytes));
    }
    pf_report_cells(out, "blocks of other sizes (full CBPS)", cells, 7, PF_REPORT_TABLE);
}

void pf_potential_table(GString *out, const PfPotentialReport *report)
{
    const PfPotentialCount *count = report->count;
    g_string_append_printf(out, "%s\n\n", report->title);
    append_baselines(out, count);
    append_notes(out, count);
    append_kinds(out, count);
    append_types(out, count);
    append_places(out, count);
    append_contexts(out, count);
    append_multiplicity(out, count);
    append_most(out, report);
    append_sizes(out, report);
}
