#include "laws_maker.h"

#include <string.h>

uint64_t pf_laws_below(PfLawsMaker *maker, uint64_t bound)
{
    return pf_rng_below(&maker->rng, bound);
}

bool pf_laws_once_in(PfLawsMaker *maker, uint64_t bound)
{
    return pf_laws_below(maker, bound) == 0;
}

/* The clusters of a context's pages: one that crosses the edge of 64 pages, one far away. */
static uint64_t page_number(unsigned page)
{
    static const uint64_t clusters[PF_NAIVE_CLUSTERS] = {40, ((uint64_t)1 << 34) - 8};
    return clusters[page / PF_NAIVE_CLUSTER_PAGES] + page % PF_NAIVE_CLUSTER_PAGES;
}

uint64_t pf_laws_page_address(const PfLawsMaker *maker, unsigned page)
{
    return page_number(page) * maker->naive->page_bytes;
}

void pf_laws_add(PfLawsMaker *maker, PfRecord *record)
{
    pf_trace_writer_add(maker->writer, record);
    maker->trace->records++;
}

unsigned pf_laws_some_context(PfLawsMaker *maker)
{
    unsigned context;
    do
        context = (unsigned)pf_laws_below(maker, maker->naive->context_count);
    while (!maker->naive->alive[context]);
    return context;
}

PfLawsRange pf_laws_some_range(PfLawsMaker *maker, unsigned pages_max)
{
    PfLawsRange range = {.context = pf_laws_some_context(maker)};
    unsigned cluster = (unsigned)pf_laws_below(maker, PF_NAIVE_CLUSTERS) * PF_NAIVE_CLUSTER_PAGES;
    unsigned at = (unsigned)pf_laws_below(maker, PF_NAIVE_CLUSTER_PAGES);
    unsigned room = MIN(pages_max, PF_NAIVE_CLUSTER_PAGES - at);
    range.first = cluster + at;
    range.count =
        1 + (unsigned)pf_laws_below(maker, pf_laws_once_in(maker, 3) ? room : MIN(room, 3));
    return range;
}

static bool is_mapped(const PfLawsMaker *maker, const PfLawsRange *range)
{
    for (unsigned i = 0; i < range->count; i++)
        if (!maker->naive->pages[range->context][range->first + i].mapped)
            return false;
    return true;
}

/* A range of mapped pages; false after some tries. */
bool pf_laws_some_mapped_range(PfLawsMaker *maker, unsigned pages_max, PfLawsRange *ret_range)
{
    for (unsigned i = 0; i < 20; i++) {
        *ret_range = pf_laws_some_range(maker, pages_max);
        if (is_mapped(maker, ret_range))
            return true;
    }
    return false;
}

PfRecord pf_laws_record_of(const PfLawsMaker *maker, PfRecordKind kind, const PfLawsRange *range)
{
    return (PfRecord){.kind = (uint8_t)kind,
                      .context = range->context,
                      .address = pf_laws_page_address(maker, range->first),
                      .count = range->count,
                      .content = PF_TRACE_NO_CONTENT};
}

PfContentSpec pf_laws_some_content(PfLawsMaker *maker)
{
    static const uint8_t text[] = "abc";
    switch (pf_laws_below(maker, 10)) {
    case 0:
    case 1:
        return (PfContentSpec){.form = PF_CONTENT_ZERO};
    case 2:
        return (PfContentSpec){.form = PF_CONTENT_ONES};
    case 3:
        return (PfContentSpec){.form = PF_CONTENT_BYTES, .bytes = text, .length = 3};
    case 4:
        return (PfContentSpec){.form = PF_CONTENT_HASH, .number = 1 + pf_laws_below(maker, 2)};
    case 5:
        return (PfContentSpec){.form = PF_CONTENT_ID, .number = 1, .at = 3, .with = 1};
    default:
        return (PfContentSpec){.form = PF_CONTENT_ID, .number = pf_laws_below(maker, 4)};
    }
}
