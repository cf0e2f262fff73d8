#include "laws_maker.h"

void pf_laws_make_unmap(PfLawsMaker *maker)
{
    PfLawsRange range = pf_laws_some_range(maker, RECORD_PAGES_MAX);
    PfRecord record = pf_laws_record_of(maker, PF_RECORD_UNMAP, &range);
    for (unsigned i = 0; i < range.count; i++)
        pf_naive_unmap(maker->naive, range.context, range.first + i);
    pf_laws_add(maker, &record);
}

void pf_laws_make_alias(PfLawsMaker *maker)
{
    PfLawsRange source;
    PfLawsRange target;
    if (!pf_laws_some_mapped_range(maker, RECORD_PAGES_MAX, &source) ||
        !pf_laws_some_mapped_range(maker, RECORD_PAGES_MAX, &target))
        return;
    target.count = MIN(source.count, target.count);
    bool overlap = source.context == target.context && source.first < target.first + target.count &&
                   target.first < source.first + target.count;
    if (overlap || (maker->trace->keeps_labels_apart &&
                    g_strcmp0(maker->labels[source.context], maker->labels[target.context]) != 0))
        return;
    PfTraceDetail detail = {.other_context = source.context,
                            .other_address = pf_laws_page_address(maker, source.first)};
    PfRecord record = pf_laws_record_of(maker, PF_RECORD_ALIAS, &target);
    record.detail = &detail;
    for (unsigned i = 0; i < target.count; i++)
        pf_naive_alias(maker->naive, target.context, target.first + i, source.context,
                       source.first + i);
    pf_laws_add(maker, &record);
}

void pf_laws_make_fork(PfLawsMaker *maker)
{
    PfNaive *naive = maker->naive;
    if (naive->context_count == PF_NAIVE_CONTEXTS)
        return;
    unsigned parent = pf_laws_some_context(maker);
    g_snprintf(maker->text, sizeof maker->text, "c%u", naive->context_count);
    PfTraceDetail detail = {.name = maker->text,
                            .other_context = naive->context_count,
                            .node = -1,
                            .core = -1,
                            .context_kind = maker->kinds[parent]};
    PfRecord record = {.kind = PF_RECORD_FORK,
                       .context = parent,
                       .content = PF_TRACE_NO_CONTENT,
                       .detail = &detail};
    maker->kinds[naive->context_count] = maker->kinds[parent];
    maker->labels[naive->context_count] = maker->labels[parent];
    pf_naive_fork(naive, parent);
    pf_laws_add(maker, &record);
}

void pf_laws_make_remap(PfLawsMaker *maker)
{
    PfLawsRange range = pf_laws_some_range(maker, RECORD_PAGES_MAX);
    unsigned cluster = (unsigned)pf_laws_below(maker, PF_NAIVE_CLUSTERS) * PF_NAIVE_CLUSTER_PAGES;
    unsigned target =
        cluster + (unsigned)pf_laws_below(maker, PF_NAIVE_CLUSTER_PAGES - range.count + 1);
    unsigned distance = target > range.first ? target - range.first : range.first - target;
    if (distance < range.count)
        return;
    PfTraceDetail detail = {.other_address = pf_laws_page_address(maker, target)};
    PfRecord record = pf_laws_record_of(maker, PF_RECORD_REMAP, &range);
    record.detail = &detail;
    for (unsigned i = 0; i < range.count; i++) {
        pf_naive_unmap(maker->naive, range.context, target + i);
        pf_naive_move(maker->naive, range.context, range.first + i, target + i);
    }
    pf_laws_add(maker, &record);
}

void pf_laws_make_advise(PfLawsMaker *maker)
{
    PfLawsRange range = pf_laws_some_range(maker, RECORD_PAGES_MAX);
    PfRecord record = pf_laws_record_of(maker, PF_RECORD_ADVISE, &range);
    record.choice = (uint8_t)pf_laws_below(maker, PF_ADVICE_COUNT);
    for (unsigned i = 0; i < range.count; i++) {
        PfNaivePage *page = &maker->naive->pages[range.context][range.first + i];
        if (record.choice == PF_ADVICE_DONTNEED && page->mapped)
            pf_naive_dontneed(maker->naive, range.context, range.first + i);
        else if (record.choice == PF_ADVICE_MERGEABLE && page->mapped)
            page->mergeable = true;
        else if (record.choice == PF_ADVICE_UNMERGEABLE)
            page->mergeable = false;
    }
    pf_laws_add(maker, &record);
}

void pf_laws_make_attribute(PfLawsMaker *maker)
{
    PfLawsRange range = pf_laws_some_range(maker, 3);
    PfRecord record = pf_laws_record_of(maker, PF_RECORD_ATTR, &range);
    record.choice = (uint8_t)pf_laws_below(maker, PF_ATTRIBUTE_COUNT);
    if (pf_laws_once_in(maker, 2))
        record.choice = PF_ATTRIBUTE_UNPINNED;
    for (unsigned i = 0; i < range.count; i++) {
        bool mapped = maker->naive->pages[range.context][range.first + i].mapped;
        if (record.choice == PF_ATTRIBUTE_PINNED && mapped)
            pf_naive_pin(maker->naive, range.context, range.first + i);
        else if (record.choice == PF_ATTRIBUTE_UNPINNED)
            pf_naive_unpin(maker->naive, range.context, range.first + i);
    }
    pf_laws_add(maker, &record);
}

void pf_laws_make_exit(PfLawsMaker *maker)
{
    unsigned alive = 0;
    for (unsigned i = 0; i < maker->naive->context_count; i++)
        alive += maker->naive->alive[i];
    if (alive < 3)
        return;
    PfRecord record = {.kind = PF_RECORD_EXIT,
                       .context = pf_laws_some_context(maker),
                       .content = PF_TRACE_NO_CONTENT};
    pf_naive_exit(maker->naive, record.context);
    pf_laws_add(maker, &record);
}
