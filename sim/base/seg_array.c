#include "seg_array.h"

#include <glib.h>
#include <sys/mman.h>

#include "units.h"

/* mmap rather than calloc: calloc clears memory that the heap recycles, which would touch it. */
void *pf_map_zeroed(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        g_error("failed to map %zu bytes", bytes);
    return memory;
}

void pf_unmap_zeroed(void *memory, size_t bytes)
{
    if (memory != NULL)
        munmap(memory, bytes);
}

/* The same without huge pages, of which a small array would fill but a sliver. */
static void *map_sparse(size_t bytes)
{
    void *memory = pf_map_zeroed(bytes);
    madvise(memory, bytes, MADV_NOHUGEPAGE); /* a wish: kernels without huge pages refuse it */
    return memory;
}

static uint64_t segments_for(uint64_t count)
{
    return (count + PF_SEG_ELEMENTS - 1) >> PF_SEG_SHIFT;
}

void pf_seg_array_init(PfSegArray *array, size_t element_bytes)
{
    g_assert(element_bytes > 0);
    g_assert(element_bytes <= PF_MIB);
    array->segments = map_sparse(PF_SEG_COUNT * sizeof(char *));
    array->element_bytes = element_bytes;
    array->count = 0;
}

void pf_seg_array_reserve(PfSegArray *array, uint64_t count)
{
    g_assert(array->segments != NULL);
    g_assert(count <= (uint64_t)1 << 32);
    if (count <= array->count)
        return;
    size_t bytes = PF_SEG_ELEMENTS * array->element_bytes;
    for (uint64_t i = segments_for(array->count); i < segments_for(count); i++)
        array->segments[i] = i == 0 ? map_sparse(bytes) : pf_map_zeroed(bytes);
    array->count = count;
}

void pf_seg_array_clear(PfSegArray *array)
{
    if (array->segments == NULL)
        return;
    for (uint64_t i = 0; i < segments_for(array->count); i++)
        pf_unmap_zeroed(array->segments[i], PF_SEG_ELEMENTS * array->element_bytes);
    pf_unmap_zeroed(array->segments, PF_SEG_COUNT * sizeof(char *));
    *array = (PfSegArray){.segments = NULL};
}

uint64_t pf_seg_array_bytes(const PfSegArray *array)
{
    return array->count * array->element_bytes;
}
