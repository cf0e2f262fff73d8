#include "prescan.h"

#include "table.h"
#include "units.h"

enum { GROUP_PAGES = 64, CACHE_ENTRIES = 256 };

/* Pages that were touched, by groups of 64 neighbours: a mask each. */
typedef struct {
    PfTable masks;
    uint64_t pages;
    unsigned page_shift;
    /* Full masks of groups met lately: most accesses end here. */
    struct {
        uint64_t key;
        uint64_t mask;
    } cache[CACHE_ENTRIES];
} Prescan;

static void touch(Prescan *scan, uint32_t context, uint64_t page)
{
    /* Contexts' pages are told apart by the bits above any page number of a 64-bit address. */
    uint64_t key = ((uint64_t)context << 44) ^ (page / GROUP_PAGES) ^
                   ((page / GROUP_PAGES) >> 44 << 20);
    uint64_t bit = (uint64_t)1 << (page % GROUP_PAGES);
    unsigned entry = (unsigned)((key ^ (key >> 8)) % CACHE_ENTRIES);
    if (scan->cache[entry].key == key && (scan->cache[entry].mask & bit) != 0)
        return;
    uint64_t mask = 0;
    pf_table_find(&scan->masks, key, &mask);
    if ((mask & bit) == 0) {
        mask |= bit;
        pf_table_insert(&scan->masks, key, mask);
        scan->pages++;
    }
    scan->cache[entry].key = key;
    scan->cache[entry].mask = mask;
}

static void look_at(Prescan *scan, const PfRecord *record)
{
    uint64_t first = record->address >> scan->page_shift;
    switch ((unsigned)record->kind) {
    case PF_RECORD_READ:
    case PF_RECORD_WRITE:
    case PF_RECORD_FETCH:
        touch(scan, record->context, first);
        touch(scan, record->context, (record->address + record->count - 1) >> scan->page_shift);
        break;
    case PF_RECORD_TOUCH:
    case PF_RECORD_STATE:
    case PF_RECORD_FILL:
    case PF_RECORD_INIT:
    case PF_RECORD_DMA:
        for (uint64_t i = 0; i < record->count; i++)
            touch(scan, record->context, first + i);
        break;
    default:
        break;
    }
}

bool pf_prescan_pages(const char *path, const PfTraceOptions *options, uint64_t *ret_pages,
                      GError **error)
{
    g_autoptr(PfTrace) trace = pf_trace_open(path, options, error);
    if (trace == NULL)
        return false;
    g_autoptr(PfRecordBlock) block = pf_record_block_new();
    g_autofree Prescan *scan = g_new0(Prescan, 1);
    scan->page_shift = pf_log2(pf_trace_header(trace)->page_bytes);
    pf_table_init(&scan->masks);
    PfTraceStatus status;
    while ((status = pf_trace_read(trace, block, error)) == PF_TRACE_RECORDS)
        for (uint32_t i = 0; i < block->count; i++)
            look_at(scan, &block->records[i]);
    pf_table_clear(&scan->masks);
    *ret_pages = scan->pages;
    return status == PF_TRACE_END;
}
