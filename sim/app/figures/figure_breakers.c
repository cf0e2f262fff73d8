/* Which pages, and which stores, break sharing? */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bars.h"

enum { PAGES_MAX = 15, POLICIES_MAX = 16 };

typedef struct {
    char *name; /* context, page, and the instruction where it is known */
    double breaks[POLICIES_MAX];
    double all;
    double lifetime_cycles; /* summed */
} Page;

static void free_page(gpointer data)
{
    Page *page = data;
    g_free(page->name);
    g_free(page);
}

/* Most breaks first; else by name, so that the order is always the same. */
static int compare_pages(gconstpointer a, gconstpointer b)
{
    const Page *first = *(const Page *const *)a;
    const Page *second = *(const Page *const *)b;
    if (first->all < second->all || first->all > second->all)
        return first->all > second->all ? -1 : 1;
    return strcmp(first->name, second->name);
}

/* The pages that broke a sharing, worst first. */
static GPtrArray *count_breaks(const PfCsv *events, const PfSaved *saved)
{
    int policy = pf_csv_column(events, "policy");
    int event = pf_csv_column(events, "event");
    int context = pf_csv_column(events, "context");
    int number = pf_csv_column(events, "page");
    int lifetime = pf_csv_column(events, "lifetime_cycles");
    int pc = pf_csv_column(events, "pc");
    GPtrArray *pages = g_ptr_array_new_with_free_func(free_page);
    g_autoptr(GHashTable) by_name = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < events->rows->len; i++) {
        guint run = 0;
        while (run < saved->runs->len &&
               strcmp(((const PfSavedRun *)saved->runs->pdata[run])->policy,
                      pf_csv_text(events, i, policy)) != 0)
            run++;
        if (strcmp(pf_csv_text(events, i, event), "break") != 0 || run >= saved->runs->len ||
            run >= POLICIES_MAX)
            continue;
        const char *store = pf_csv_text(events, i, pc);
        g_autofree char *name = g_strdup_printf(
            "%s page %s%s%s", pf_csv_text(events, i, context), pf_csv_text(events, i, number),
            store[0] != '\0' ? " at " : "", store);
        Page *page = g_hash_table_lookup(by_name, name);
        if (page == NULL) {
            page = g_new0(Page, 1);
            page->name = g_steal_pointer(&name);
            g_hash_table_insert(by_name, page->name, page);
            g_ptr_array_add(pages, page);
        }
        page->breaks[run]++;
        page->all++;
        page->lifetime_cycles += pf_csv_number(events, i, lifetime);
    }
    g_ptr_array_sort(pages, compare_pages);
    return pages;
}

/* How long the sharings that PAGE broke had lasted on average. */
static char *tell_lifetime(const Page *page, double clock_hz)
{
    double seconds = page->lifetime_cycles / page->all / clock_hz;
    PfScale scale = pf_scale_for(PF_UNIT_SECONDS, seconds);
    g_autofree char *amount = pf_sheet_short(seconds * scale.factor);
    return g_strdup_printf("after %s %s", amount, scale.name);
}

static bool draw(PfSheet *sheet, GError **error)
{
    PfPart parts[POLICIES_MAX];
    g_autoptr(PfSaved) saved = pf_sheet_results(sheet, error);
    g_autoptr(PfCsv) events =
        saved != NULL ? pf_sheet_table(sheet, sheet->figure->source, error) : NULL;
    if (events == NULL)
        return false;
    guint policies = MIN(saved->runs->len, (guint)POLICIES_MAX);
    for (guint i = 0; i < policies; i++)
        parts[i] = (PfPart){((const PfSavedRun *)saved->runs->pdata[i])->policy, NULL,
                            pf_sheet_color(pf_sheet_number(saved, i))};
    g_autoptr(GPtrArray) pages = count_breaks(events, saved);
    if (pages->len == 0)
        return pf_sheet_lacks(sheet, error, "no store broke a sharing in this run; let the "
                                            "policies share earlier, or play more of the trace");
    g_autofree char *what = g_strdup_printf("Pages that break most sharings, %u of %u",
                                            MIN(pages->len, (guint)PAGES_MAX), pages->len);
    g_autofree char *title = pf_sheet_title(what, saved);
    g_autoptr(PfBars) bars = pf_bars_new(&(PfBarsLook){
        .title = title,
        .columns = "page,policy,breaks",
        .axis = "sharings broken by a store",
        .axis_note = "; behind: how long they had lasted on average",
        .unit = PF_UNIT_COUNT,
        .no_sums = true,
        .parts = parts,
        .part_count = policies,
    });
    for (guint i = 0; i < MIN(pages->len, (guint)PAGES_MAX); i++) {
        const Page *page = pages->pdata[i];
        g_autofree char *rest = tell_lifetime(page, (double)saved->clock_hz);
        pf_bars_add_row(bars, page->name, NULL);
        for (guint p = 0; p < policies; p++)
            pf_bars_add(bars, p, page->breaks[p]);
        pf_bars_end(bars, rest);
    }
    pf_bars_draw(bars, sheet);
    return true;
}

const PfFigure pf_figure_breakers = {
    .name = "breakers",
    .summary = "pages (and stores, where the trace tells them) that break most sharings",
    .source = "events.csv",
    .draw = draw,
};
