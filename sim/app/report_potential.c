/* The counts as JSON and CSV: one walk over all of them, told to either. */
#include "report_potential.h"

#include <string.h>

#include "json.h"
#include "report.h"

const char *const pf_page_kind_names[PF_PAGE_KINDS] = {
    [PF_PAGE_ZERO] = "zero",
    [PF_PAGE_ANON] = "anon",
    [PF_PAGE_FILE] = "file",
    [PF_PAGE_SHMEM] = "shmem",
};

uint64_t pf_kinds_sum(const uint64_t counts[PF_PAGE_KINDS])
{
    uint64_t sum = 0;
    for (unsigned kind = 0; kind < PF_PAGE_KINDS; kind++)
        sum += counts[kind];
    return sum;
}

char *pf_size_name(const PfSizes *sizes, unsigned index, const PfSizeCount **ret_count)
{
    if (sizes == NULL || index > PF_SIZES)
        return NULL;
    *ret_count = index < PF_SIZES ? &sizes->scans[index].count : &sizes->large.count;
    unsigned tenths = PF_SIZE_TENTHS_MIN + index;
    return index < PF_SIZES ? g_strdup_printf("%u.%u", tenths / 10, tenths % 10) : g_strdup("2MiB");
}

char *pf_excerpt_text(const PfCopiedContent *shared)
{
    uint32_t length = shared->excerpt_length;
    char *text = g_malloc0(length + 1);
    for (uint32_t i = 0; i < length; i++)
        text[i] = g_ascii_isprint(shared->excerpt[i]) ? (char)shared->excerpt[i] : '.';
    return text;
}

char *pf_places_text(const PfPotentialCount *count, const PfDistinctContent *content,
                     const PfCopiedContent *shared)
{
    GString *places = g_string_new(NULL);
    for (uint32_t i = 0; i < MIN(content->contexts, PF_SHARED_PLACES); i++)
        g_string_append_printf(
            places, "%s%s %u", i > 0 ? ", " : "",
            g_array_index(count->contexts, PfPotentialContext, shared->places[i].context).name,
            shared->places[i].copies);
    if (content->contexts > PF_SHARED_PLACES)
        g_string_append_printf(places, ", %u more contexts", content->contexts - PF_SHARED_PLACES);
    return g_string_free(places, FALSE);
}

/* The place that values are told to: TABLE, ROW and then each value; ROW is NULL where a table is
 * one row. */
typedef struct {
    PfJson *json; /* or */
    GString *csv;
    const char *table;
    const char *row;
} Sink;

static void begin_table(Sink *sink, const char *table)
{
    sink->table = table;
    if (sink->json != NULL)
        pf_json_open(sink->json, table, '{');
}

static void begin_row(Sink *sink, const char *row)
{
    sink->row = row;
    if (sink->json != NULL)
        pf_json_open(sink->json, row, '{');
}

static void end_row(Sink *sink)
{
    sink->row = "";
    if (sink->json != NULL)
        pf_json_close(sink->json, '}');
}

static void end_table(Sink *sink)
{
    sink->table = "";
    if (sink->json != NULL)
        pf_json_close(sink->json, '}');
}

static void tell_head(const Sink *sink, const char *stat)
{
    pf_report_append_field(sink->csv, sink->table);
    g_string_append_c(sink->csv, ',');
    pf_report_append_field(sink->csv, sink->row);
    g_string_append_printf(sink->csv, ",%s,", stat);
}

static void tell(const Sink *sink, const char *stat, uint64_t value)
{
    if (sink->json != NULL) {
        pf_json_uint(sink->json, stat, value);
        return;
    }
    tell_head(sink, stat);
    g_string_append_printf(sink->csv, "%" G_GUINT64_FORMAT "\n", value);
}

static void tell_text(const Sink *sink, const char *stat, const char *text)
{
    if (sink->json != NULL) {
        pf_json_string(sink->json, stat, text);
        return;
    }
    tell_head(sink, stat);
    pf_report_append_field(sink->csv, text);
    g_string_append_c(sink->csv, '\n');
}

static void tell_baselines(Sink *sink, const PfPotentialCount *count)
{
    uint64_t frames = pf_kinds_sum(count->frames);
    tell(sink, "pages", frames);
    tell(sink, "page_bytes", count->page_bytes);
    tell(sink, "no_sharing", pf_kinds_sum(count->no_sharing));
    tell(sink, "mmap_fork", frames);
    const struct {
        const char *name;
        const uint64_t *shared;
    } policies[] = {{"ksm_hint_all", count->ksm}, {"cbps", count->cbps}};
    for (size_t i = 0; i < G_N_ELEMENTS(policies); i++) {
        begin_table(sink, policies[i].name);
        tell(sink, "shared", pf_kinds_sum(policies[i].shared));
        tell(sink, "sharings", frames - pf_kinds_sum(policies[i].shared));
        end_table(sink);
    }
    tell(sink, "zero_pages", count->zero_pages);
    tell(sink, "unknown_pages", count->unknown_pages);
    tell(sink, "identity_pages", count->identity_pages);
}

static void tell_kinds(Sink *sink, const PfPotentialCount *count)
{
    static const PfPageKind order[] = {PF_PAGE_ANON, PF_PAGE_FILE, PF_PAGE_SHMEM, PF_PAGE_ZERO};
    begin_table(sink, "by_kind");
    for (size_t i = 0; i < G_N_ELEMENTS(order); i++) {
        PfPageKind kind = order[i];
        begin_row(sink, pf_page_kind_names[kind]);
        tell(sink, "pages", count->frames[kind]);
        tell(sink, "no_sharing", count->no_sharing[kind]);
        tell(sink, "mmap_fork", count->frames[kind]);
        tell(sink, "ksm_hint_all", count->ksm[kind]);
        tell(sink, "cbps", count->cbps[kind]);
        end_row(sink);
    }
    end_table(sink);
    const struct {
        const char *name;
        const PfContentTypes *types;
    } contents[] = {{"contents", &count->contents}, {"shared_contents", &count->contents_shared}};
    for (size_t i = 0; i < G_N_ELEMENTS(contents); i++) {
        begin_table(sink, contents[i].name);
        tell(sink, "anonymous", contents[i].types->anonymous);
        tell(sink, "named", contents[i].types->named);
        tell(sink, "mixed", contents[i].types->mixed);
        end_table(sink);
    }
}

static void tell_sharings(Sink *sink, const PfPotentialCount *count)
{
    const struct {
        const char *name;
        const uint64_t *saved;
    } places[] = {{"within", count->within}, {"between", count->between}};
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        begin_table(sink, places[i].name);
        tell(sink, "sharings", places[i].saved[0] + places[i].saved[1]);
        tell(sink, "zero", places[i].saved[1]);
        tell(sink, "other", places[i].saved[0]);
        end_table(sink);
    }
    begin_table(sink, "multiplicity");
    for (guint i = 0; i < count->multiplicity->len; i++) {
        const PfMultiplicity *row = &g_array_index(count->multiplicity, PfMultiplicity, i);
        g_autofree char *copies = g_strdup_printf("%" G_GUINT64_FORMAT, row->copies);
        tell(sink, copies, row->contents);
    }
    end_table(sink);
}

static void tell_contexts(Sink *sink, const PfPotentialCount *count)
{
    begin_table(sink, "contexts");
    for (guint i = 0; i < count->contexts->len; i++) {
        const PfPotentialContext *context = &g_array_index(count->contexts, PfPotentialContext, i);
        begin_row(sink, context->name);
        tell(sink, "mapped", context->mapped);
        tell(sink, "pages", context->frames);
        tell(sink, "zero_pages", context->zero);
        tell(sink, "within", context->within);
        tell(sink, "between", context->between);
        end_row(sink);
    }
    end_table(sink);
}

static void tell_most(Sink *sink, const PfPotentialReport *report)
{
    const PfPotentialCount *count = report->count;
    begin_table(sink, "most_shared");
    for (guint i = 0; i < count->most->len; i++) {
        const PfDistinctContent *content = g_ptr_array_index(count->most, i);
        const PfCopiedContent *shared = pf_potential_shared(report->potential, content);
        g_autofree char *rank = g_strdup_printf("%u", i + 1);
        g_autofree char *excerpt = pf_excerpt_text(shared);
        g_autofree char *places = pf_places_text(count, content, shared);
        g_autofree char *address =
            g_strdup_printf("0x%" G_GINT64_MODIFIER "x", content->first_address);
        begin_row(sink, rank);
        tell(sink, "copies", pf_distinct_copies(content));
        for (unsigned kind = 0; kind < PF_PAGE_KINDS; kind++)
            tell(sink, pf_page_kind_names[kind], content->copies[kind]);
        tell(sink, "contexts", content->contexts);
        tell_text(sink, "places", places);
        tell_text(sink, "first_address", address);
        tell(sink, "excerpt_offset", shared->excerpt_offset);
        tell_text(sink, "excerpt", excerpt);
        end_row(sink);
    }
    end_table(sink);
}

static void tell_sizes(Sink *sink, const PfSizes *sizes)
{
    if (sizes == NULL)
        return;
    begin_table(sink, "sizes");
    const PfSizeCount *size = NULL;
    for (unsigned i = 0; i <= PF_SIZES; i++) {
        g_autofree char *name = pf_size_name(sizes, i, &size);
        begin_row(sink, name);
        tell(sink, "block_bytes", size->block_bytes);
        tell(sink, "blocks", size->blocks);
        tell(sink, "distinct_blocks", size->distinct_blocks);
        tell(sink, "bytes", size->bytes);
        tell(sink, "shareable_bytes", size->bytes - size->distinct_bytes);
        end_row(sink);
    }
    end_table(sink);
}

static void tell_all(Sink *sink, const PfPotentialReport *report)
{
    tell_baselines(sink, report->count);
    tell_kinds(sink, report->count);
    tell_sharings(sink, report->count);
    tell_contexts(sink, report->count);
    tell_most(sink, report);
    tell_sizes(sink, pf_potential_sizes(report->potential));
    tell(sink, "table_bytes", report->count->table_bytes);
}

void pf_potential_json(GString *out, const PfPotentialReport *report)
{
    PfJson json;
    pf_json_init(&json, out);
    Sink sink = {.json = &json, .table = "", .row = ""};
    pf_json_open(&json, NULL, '{');
    tell_all(&sink, report);
    pf_json_close(&json, '}');
}

void pf_potential_csv(GString *out, const PfPotentialReport *report)
{
    Sink sink = {.csv = out, .table = "", .row = ""};
    g_string_append(out, "table,row,stat,value\n");
    tell_all(&sink, report);
}
