#include "trace_block.h"

#include <string.h>

enum { ALIGNMENT = 16, CHUNK_BYTES_MIN = 1 << 16, CHUNK_BYTES_KEPT = 4 << 20 };

/* Chunks, of which only the last has room. */
struct PfArena {
    GPtrArray *chunks;
    size_t chunk_bytes;
    size_t chunk_used;
    size_t used;
};

PfRecordBlock *pf_record_block_new(void)
{
    PfRecordBlock *block = g_new0(PfRecordBlock, 1);
    block->records = g_new0(PfRecord, PF_TRACE_BLOCK_RECORDS);
    block->contents = g_array_new(FALSE, FALSE, sizeof(PfContentSpec));
    block->arena = g_new0(struct PfArena, 1);
    block->arena->chunks = g_ptr_array_new_with_free_func(g_free);
    return block;
}

void pf_record_block_free(PfRecordBlock *block)
{
    if (block == NULL)
        return;
    g_ptr_array_unref(block->arena->chunks);
    g_free(block->arena);
    g_array_unref(block->contents);
    g_free(block->records);
    g_free(block);
}

void *pf_record_block_alloc(PfRecordBlock *block, size_t length)
{
    struct PfArena *arena = block->arena;
    g_assert(length <= SIZE_MAX - ALIGNMENT);
    size_t size = (length + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (size > arena->chunk_bytes - arena->chunk_used) {
        size_t wanted = MIN(arena->chunk_bytes * 2, (size_t)CHUNK_BYTES_KEPT);
        arena->chunk_bytes = MAX(MAX(wanted, (size_t)CHUNK_BYTES_MIN), size);
        arena->chunk_used = 0;
        g_ptr_array_add(arena->chunks, g_malloc(arena->chunk_bytes));
    }
    char *chunk = g_ptr_array_index(arena->chunks, arena->chunks->len - 1);
    void *bytes = chunk + arena->chunk_used;
    arena->chunk_used += size;
    arena->used += size;
    return bytes;
}

void pf_record_block_reset(PfRecordBlock *block)
{
    struct PfArena *arena = block->arena;
    block->count = 0;
    block->first_content = 0;
    block->first_record = 0;
    g_array_set_size(block->contents, 0);
    if (arena->chunks->len > 1)
        g_ptr_array_remove_range(arena->chunks, 0, arena->chunks->len - 1);
    if (arena->chunk_bytes > CHUNK_BYTES_KEPT) {
        g_ptr_array_set_size(arena->chunks, 0);
        arena->chunk_bytes = 0;
    }
    arena->chunk_used = 0;
    arena->used = 0;
}

size_t pf_record_block_bytes(const PfRecordBlock *block)
{
    return block->arena->used;
}

PfTraceDetail *pf_record_block_detail(PfRecordBlock *block)
{
    PfTraceDetail *detail = pf_record_block_alloc(block, sizeof(PfTraceDetail));
    *detail = (PfTraceDetail){.name = NULL};
    return detail;
}
