#include "potential_sizes.h"

static void begin_scan(PfSizeScan *scan, uint64_t block_bytes)
{
    scan->count.block_bytes = block_bytes;
    scan->state = XXH3_createState();
    g_assert(scan->state != NULL);
    pf_table_init(&scan->seen);
    XXH3_64bits_reset(scan->state);
}

static void end_scan(PfSizeScan *scan)
{
    XXH3_freeState(scan->state);
    pf_table_clear(&scan->seen);
}

PfSizes *pf_sizes_new(uint32_t page_bytes)
{
    PfSizes *sizes = g_new0(PfSizes, 1);
    sizes->page_bytes = page_bytes;
    for (unsigned i = 0; i < PF_SIZES; i++)
        begin_scan(&sizes->scans[i], (uint64_t)page_bytes * (PF_SIZE_TENTHS_MIN + i) / 10);
    begin_scan(&sizes->large, PF_LARGE_BLOCK_BYTES);
    return sizes;
}

void pf_sizes_free(PfSizes *sizes)
{
    if (sizes == NULL)
        return;
    for (unsigned i = 0; i < PF_SIZES; i++)
        end_scan(&sizes->scans[i]);
    end_scan(&sizes->large);
    g_free(sizes);
}

/* The current block is over. */
static void close_block(PfSizeScan *scan)
{
    if (scan->filled_bytes == 0)
        return;
    PfSizeCount *count = &scan->count;
    count->blocks++;
    count->bytes += scan->filled_bytes;
    if (pf_table_insert(&scan->seen, XXH3_64bits_digest(scan->state), 1)) {
        count->distinct_blocks++;
        count->distinct_bytes += scan->filled_bytes;
    }
    XXH3_64bits_reset(scan->state);
    scan->filled_bytes = 0;
}

/* A block that is not whole is none. */
static void drop_block(PfSizeScan *scan)
{
    if (scan->filled_bytes == 0)
        return;
    XXH3_64bits_reset(scan->state);
    scan->filled_bytes = 0;
}

static void end_stretch(PfSizes *sizes)
{
    for (unsigned i = 0; i < PF_SIZES && sizes->in_stretch; i++)
        close_block(&sizes->scans[i]);
    sizes->in_stretch = false;
}

static void scan_page(PfSizeScan *scan, const uint8_t *bytes, uint32_t page_bytes)
{
    for (uint32_t at = 0; at < page_bytes;) {
        uint64_t length = MIN(scan->count.block_bytes - scan->filled_bytes, page_bytes - at);
        XXH3_64bits_update(scan->state, bytes + at, (size_t)length);
        scan->filled_bytes += length;
        at += (uint32_t)length;
        if (scan->filled_bytes == scan->count.block_bytes)
            close_block(scan);
    }
}

static void scan_large(PfSizes *sizes, const PfContentSighting *sighting)
{
    PfSizeScan *large = &sizes->large;
    bool starts = sighting->address % PF_LARGE_BLOCK_BYTES == 0;
    if (sizes->page_bytes >= PF_LARGE_BLOCK_BYTES || (!starts && large->filled_bytes == 0))
        return;
    XXH3_64bits_update(large->state, &sighting->identity, sizeof sighting->identity);
    large->filled_bytes += sizes->page_bytes;
    if (large->filled_bytes == PF_LARGE_BLOCK_BYTES)
        close_block(large);
}

void pf_sizes_add(PfSizes *sizes, const PfContentSighting *sighting)
{
    bool follows = sighting->context == sizes->context && sighting->address == sizes->next_address;
    if (!follows)
        drop_block(&sizes->large);
    if (!follows || sighting->bytes == NULL)
        end_stretch(sizes);
    sizes->context = sighting->context;
    sizes->next_address = sighting->address + sizes->page_bytes;
    scan_large(sizes, sighting);
    if (sighting->bytes == NULL)
        return;
    sizes->in_stretch = true;
    for (unsigned i = 0; i < PF_SIZES; i++)
        scan_page(&sizes->scans[i], sighting->bytes, sizes->page_bytes);
}

void pf_sizes_finish(PfSizes *sizes)
{
    end_stretch(sizes);
    drop_block(&sizes->large);
}

uint64_t pf_sizes_bytes(const PfSizes *sizes)
{
    uint64_t bytes = pf_table_bytes(&sizes->large.seen);
    for (unsigned i = 0; i < PF_SIZES; i++)
        bytes += pf_table_bytes(&sizes->scans[i].seen);
    return bytes;
}
