/* A trace played into pages of bytes, and these compared with the program's. */
#include <string.h>
#include <sys/mman.h>

#include "check.h"
#include "fixture.h"
#include "trace.h"

enum { PAGE = PF_GUEST_PAGE_BYTES };

typedef struct {
    GHashTable *pages; /* number -> bytes; what is not there is zero */
    GArray *contents;  /* of uint8_t *, by number */
} Picture;

static uint8_t *page_of(Picture *picture, uint64_t number)
{
    gpointer key = (gpointer)(uintptr_t)number;
    uint8_t *bytes = g_hash_table_lookup(picture->pages, key);
    if (bytes == NULL) {
        bytes = g_malloc0(PAGE);
        g_hash_table_insert(picture->pages, key, bytes);
    }
    return bytes;
}

static void store(Picture *picture, const PfRecord *record)
{
    const uint8_t *bytes = record->count <= 8 ? (const uint8_t *)&record->value : record->bytes;
    if ((record->flags & PF_RECORD_HAS_VALUE) == 0)
        return;
    for (uint64_t i = 0; i < record->count; i++) {
        uint64_t address = record->address + i;
        page_of(picture, address / PAGE)[address % PAGE] = bytes[i];
    }
}

static void drop(Picture *picture, uint64_t first, uint64_t count)
{
    for (uint64_t page = first; page < first + count; page++)
        g_hash_table_remove(picture->pages, (gpointer)(uintptr_t)page);
}

static void move(Picture *picture, const PfRecord *record)
{
    uint64_t from = record->address / PAGE;
    uint64_t to = record->detail->other_address / PAGE;
    drop(picture, to, record->count);
    for (uint64_t i = 0; i < record->count; i++) {
        gpointer bytes = NULL;
        gpointer key = NULL;
        if (g_hash_table_steal_extended(picture->pages, (gpointer)(uintptr_t)(from + i), &key,
                                        &bytes))
            g_hash_table_insert(picture->pages, (gpointer)(uintptr_t)(to + i), bytes);
    }
}

static void play(Picture *picture, const PfRecord *record)
{
    uint64_t page = record->address / PAGE;
    if (record->kind == PF_RECORD_STATE)
        memcpy(page_of(picture, page), g_array_index(picture->contents, uint8_t *, record->content),
               PAGE);
    else if (record->kind == PF_RECORD_WRITE)
        store(picture, record);
    else if (record->kind == PF_RECORD_REMAP)
        move(picture, record);
    else if (record->kind == PF_RECORD_MAP || record->kind == PF_RECORD_UNMAP ||
             (record->kind == PF_RECORD_ADVISE && record->choice == PF_ADVICE_DONTNEED))
        drop(picture, page, record->count);
}

static void keep_contents(Picture *picture, const PfRecordBlock *block)
{
    for (guint i = 0; i < block->contents->len; i++) {
        uint8_t *bytes = g_malloc0(PAGE);
        pf_content_spec_expand(&g_array_index(block->contents, PfContentSpec, i), PAGE, bytes);
        g_array_append_val(picture->contents, bytes);
    }
}

static void play_all(Picture *picture, const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(PfTrace) trace = pf_trace_open(path, NULL, &error);
    g_autoptr(PfRecordBlock) block = pf_record_block_new();
    PfTraceStatus status = PF_TRACE_ERROR;
    while (trace != NULL && (status = pf_trace_read(trace, block, &error)) == PF_TRACE_RECORDS) {
        keep_contents(picture, block);
        for (uint32_t i = 0; i < block->count; i++)
            play(picture, &block->records[i]);
    }
    CU_ASSERT_EQUAL(status, PF_TRACE_END);
}

static uint64_t compare(Picture *picture, const PfGuest *guest, uint64_t *ret_pages)
{
    uint64_t differences = 0;
    *ret_pages = 0;
    for (guint i = 0; i < guest->memory.mappings->len; i++) {
        const PfGuestMapping *mapping = &g_array_index(guest->memory.mappings, PfGuestMapping, i);
        if ((mapping->access & (PROT_READ | PROT_WRITE)) == 0)
            continue;
        for (uint64_t at = mapping->start; at < mapping->end; at += PAGE) {
            if (!pf_guest_memory_is_readable(&guest->memory, at))
                continue;
            const void *own = (const void *)(uintptr_t)at;
            const void *told =
                g_hash_table_lookup(picture->pages, (gpointer)(uintptr_t)(at / PAGE));
            static const uint8_t zeros[PAGE];
            differences += memcmp(own, told != NULL ? told : zeros, PAGE) != 0 ? 1 : 0;
            ++*ret_pages;
        }
    }
    return differences;
}

uint64_t count_differences(const char *path, const PfGuest *guest, uint64_t *ret_pages)
{
    Picture picture = {
        .pages = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, g_free),
        .contents = g_array_new(FALSE, FALSE, sizeof(uint8_t *)),
    };
    play_all(&picture, path);
    uint64_t differences = compare(&picture, guest, ret_pages);
    for (guint i = 0; i < picture.contents->len; i++)
        g_free(g_array_index(picture.contents, uint8_t *, i));
    g_array_unref(picture.contents);
    g_hash_table_unref(picture.pages);
    return differences;
}
