/* A growable array of zeroed elements whose addresses never change.
 *
 * Elements live in segments of 64 Ki elements behind a fixed directory, so growing moves nothing:
 * threads may read elements that were reserved before they were told of them while one thread
 * reserves more. Segments are anonymous mappings; what is never touched costs no memory, so a large
 * reservation is cheap and a small array takes a few pages. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
    PF_SEG_SHIFT = 16,
    PF_SEG_ELEMENTS = 1 << PF_SEG_SHIFT,
    PF_SEG_COUNT = 1 << 16 /* segments of a directory: 2^32 elements in all */
};

typedef struct {
    char **segments; /* PF_SEG_COUNT pointers */
    size_t element_bytes;
    uint64_t count; /* indices below are valid */
} PfSegArray;

/* BYTES (not 0) of zeros at a page's boundary, of which the host spends what is touched. Ends the
 * program as pf_seg_array_reserve does. Unmap with pf_unmap_zeroed, which takes NULL. */
void *pf_map_zeroed(size_t bytes);
void pf_unmap_zeroed(void *memory, size_t bytes);

/* Makes ARRAY an empty array of elements of ELEMENT_BYTES (1 to 1 MiB). */
void pf_seg_array_init(PfSegArray *array, size_t element_bytes);

/* Makes all indices below COUNT (at most 2^32) valid; new elements are zero. Never shrinks. Ends
 * the program when the host has no address space left, as GLib's allocator does. */
void pf_seg_array_reserve(PfSegArray *array, uint64_t count);

/* Frees all elements. ARRAY may be all zero, and is as after _init only with another _init. */
void pf_seg_array_clear(PfSegArray *array);

/* The bytes of the elements reserved so far (what the host spends is less: untouched pages are
 * free). */
uint64_t pf_seg_array_bytes(const PfSegArray *array);

/* The element at INDEX, which must have been reserved; not checked, for this is the hot path. The
 * address is good until _clear. */
static inline void *pf_seg_array_at(const PfSegArray *array, uint32_t index)
{
    return array->segments[index >> PF_SEG_SHIFT] +
           (size_t)(index & (PF_SEG_ELEMENTS - 1)) * array->element_bytes;
}
