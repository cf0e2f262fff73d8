#include "laws_maker.h"

void laws_make_unmap(LawsMaker *maker)
{
    LawsRange range = laws_some_range(maker, RECORD_PAGES_MAX);
    PfRecord record = laws_record_of(maker, PF_RECORD_UNMAP, &range);
    for (unsigned i = 0; i < range.count; i++)
        naive_unmap(maker->naive, range.context, range.first + i);
    laws_add(maker, &record);
}

void laws_make_alias(LawsMaker *maker)
{
    LawsRange source;
    LawsRange target;
    if (!laws_some_mapped_range(maker, RECORD_PAGES_MAX, &source) ||
        !laws_some_mapped_range(maker, RECORD_PAGES_MAX, &target))
        return;
    target.count = MIN(source.count, target.count);
    bool overlap = source.context == target.context && source.first < target.first + target.count &&
                   target.first < source.first + target.count;
    if (overlap || (maker->trace->keeps_labels_apart &&
                    g_strcmp0(maker->labels[source.context], maker->labels[target.context]) != 0))
        return;
    PfTraceDetail detail = {.other_context = source.context,
                            .other_address = laws_page_address(maker, source.first)};
    PfRecord record = laws_record_of(maker, PF_RECORD_ALIAS, &target);
    record.detail = &detail;
    for (unsigned i = 0; i < target.count; i++)
        naive_alias(maker->naive, target.context, target.first + i, source.context,
                    source.first + i);
    laws_add(maker, &record);
}

void laws_make_fork(LawsMaker *maker)
{
    Naive *naive = maker->naive;
    if (naive->context_count == NAIVE_CONTEXTS)
        return;
    unsigned parent = laws_some_context(maker);
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
    naive_fork(naive, parent);
    laws_add(maker, &record);
}

void laws_make_remap(LawsMaker *maker)
{
    LawsRange range = laws_some_range(maker, RECORD_PAGES_MAX);
    unsigned cluster = (unsigned)laws_below(maker, NAIVE_CLUSTERS) * NAIVE_CLUSTER_PAGES;
    unsigned target = cluster + (unsigned)laws_below(maker, NAIVE_CLUSTER_PAGES - range.count + 1);
    unsigned distance = target > range.first ? target - range.first : range.first - target;
    if (distance < range.count)
        return;
    PfTraceDetail detail = {.other_address = laws_page_address(maker, target)};
    PfRecord record = laws_record_of(maker, PF_RECORD_REMAP, &range);
    record.detail = &detail;
    for (unsigned i = 0; i < range.count; i++) {
        naive_unmap(maker->naive, range.context, target + i);
        naive_move(maker->naive, range.context, range.first + i, target + i);
    }
    laws_add(maker, &record);
}

void laws_make_advise(LawsMaker *maker)
{
    LawsRange range = laws_some_range(maker, RECORD_PAGES_MAX);
    PfRecord record = laws_record_of(maker, PF_RECORD_ADVISE, &range);
    record.choice = (uint8_t)laws_below(maker, PF_ADVICE_COUNT);
    for (unsigned i = 0; i < range.count; i++) {
        NaivePage *page = &maker->naive->pages[range.context][range.first + i];
        if (record.choice == PF_ADVICE_DONTNEED && page->mapped)
            naive_dontneed(maker->naive, range.context, range.first + i);
        else if (record.choice == PF_ADVICE_MERGEABLE && page->mapped)
            page->mergeable = true;
        else if (record.choice == PF_ADVICE_UNMERGEABLE)
            page->mergeable = false;
    }
    laws_add(maker, &record);
}

void laws_make_attribute(LawsMaker *maker)
{
    LawsRange range = laws_some_range(maker, 3);
    PfRecord record = laws_record_of(maker, PF_RECORD_ATTR, &range);
    record.choice = (uint8_t)laws_below(maker, PF_ATTRIBUTE_COUNT);
    if (laws_once_in(maker, 2))
        record.choice = PF_ATTRIBUTE_UNPINNED;
    for (unsigned i = 0; i < range.count; i++) {
        bool mapped = maker->naive->pages[range.context][range.first + i].mapped;
        if (record.choice == PF_ATTRIBUTE_PINNED && mapped)
            naive_pin(maker->naive, range.context, range.first + i);
        else if (record.choice == PF_ATTRIBUTE_UNPINNED)
            naive_unpin(maker->naive, range.context, range.first + i);
    }
    laws_add(maker, &record);
}

void laws_make_exit(LawsMaker *maker)
{
    unsigned alive = 0;
    for (unsigned i = 0; i < maker->naive->context_count; i++)
        alive += maker->naive->alive[i];
    if (alive < 3)
        return;
    PfRecord record = {.kind = PF_RECORD_EXIT,
                       .context = laws_some_context(maker),
                       .content = PF_TRACE_NO_CONTENT};
    naive_exit(maker->naive, record.context);
    laws_add(maker, &record);
}
