#include <glib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"
#include "seg_array.h"

typedef struct {
    uint64_t a;
    uint32_t b;
    uint16_t c;
    uint8_t d[6];
} Element; /* 24 bytes: no power of two */

static void test_elements_are_zero_and_apart(void)
{
    PfSegArray array;
    pf_seg_array_init(&array, sizeof(Element));
    uint32_t count = 3 * PF_SEG_ELEMENTS + 1;
    pf_seg_array_reserve(&array, count);
    for (uint32_t i = 0; i < count; i += 997) {
        Element *element = pf_seg_array_at(&array, i);
        CU_ASSERT_EQUAL(element->a, 0);
        element->a = i + 1;
        element->d[5] = 0xff;
    }
    for (uint32_t i = 0; i < count; i += 997)
        CU_ASSERT_EQUAL(((Element *)pf_seg_array_at(&array, i))->a, i + 1);
    CU_ASSERT_EQUAL(((Element *)pf_seg_array_at(&array, 1))->a, 0);
    pf_seg_array_clear(&array);
}

static void test_addresses_are_stable(void)
{
    PfSegArray array;
    pf_seg_array_init(&array, sizeof(uint64_t));
    pf_seg_array_reserve(&array, 1);
    uint64_t *first = pf_seg_array_at(&array, 0);
    *first = 42;
    for (uint64_t count = 2; count < 40 * PF_SEG_ELEMENTS; count *= 3) {
        pf_seg_array_reserve(&array, count);
        CU_ASSERT_PTR_EQUAL(pf_seg_array_at(&array, 0), first);
    }
    CU_ASSERT_EQUAL(*first, 42);
    pf_seg_array_clear(&array);
}

static void test_segment_edge(void)
{
    PfSegArray array;
    pf_seg_array_init(&array, 3);
    pf_seg_array_reserve(&array, PF_SEG_ELEMENTS);
    memset(pf_seg_array_at(&array, PF_SEG_ELEMENTS - 1), 7, 3);
    pf_seg_array_reserve(&array, PF_SEG_ELEMENTS + 1);
    char *next = pf_seg_array_at(&array, PF_SEG_ELEMENTS);
    CU_ASSERT_EQUAL(next[0], 0);
    memset(next, 9, 3);
    CU_ASSERT_EQUAL(((char *)pf_seg_array_at(&array, PF_SEG_ELEMENTS - 1))[2], 7);
    /* Neighbours in a segment lie side by side. */
    CU_ASSERT_EQUAL((char *)pf_seg_array_at(&array, 5) - (char *)pf_seg_array_at(&array, 4), 3);
    pf_seg_array_clear(&array);
}

static void test_bytes_and_shrinking(void)
{
    PfSegArray array;
    pf_seg_array_init(&array, 16);
    CU_ASSERT_EQUAL(pf_seg_array_bytes(&array), 0);
    pf_seg_array_reserve(&array, 100);
    CU_ASSERT_EQUAL(pf_seg_array_bytes(&array), 100 * 16);
    pf_seg_array_reserve(&array, 50);
    CU_ASSERT_EQUAL(pf_seg_array_bytes(&array), 100 * 16);
    pf_seg_array_clear(&array);
    CU_ASSERT_EQUAL(pf_seg_array_bytes(&array), 0);
    pf_seg_array_clear(&array);
}

/* How many pages of the segment that begins at index FIRST the host holds. */
static unsigned resident_pages(const PfSegArray *array, uint32_t first)
{
    size_t bytes = PF_SEG_ELEMENTS * array->element_bytes;
    size_t pages = bytes / (size_t)sysconf(_SC_PAGESIZE);
    g_autofree unsigned char *residence = g_malloc0(pages);
    CU_ASSERT_EQUAL(mincore(pf_seg_array_at(array, first), bytes, residence), 0);
    unsigned resident = 0;
    for (size_t i = 0; i < pages; i++)
        resident += residence[i] & 1;
    return resident;
}

static void test_untouched_costs_nothing(void)
{
    PfSegArray array;
    pf_seg_array_init(&array, 8);
    uint32_t count = (uint32_t)1 << 28; /* 2 GiB */
    pf_seg_array_reserve(&array, count);
    CU_ASSERT_EQUAL(resident_pages(&array, 0), 0);
    *(uint64_t *)pf_seg_array_at(&array, 1000) = 1;
    CU_ASSERT_EQUAL(resident_pages(&array, 0), 1);
    CU_ASSERT_EQUAL(resident_pages(&array, count / 2), 0);
    CU_ASSERT_EQUAL(resident_pages(&array, count - PF_SEG_ELEMENTS), 0);
    pf_seg_array_clear(&array);
}

static void test_last_index(void)
{
    PfSegArray array;
    pf_seg_array_init(&array, 1);
    pf_seg_array_reserve(&array, (uint64_t)1 << 32);
    char *last = pf_seg_array_at(&array, UINT32_MAX);
    CU_ASSERT_EQUAL(*last, 0);
    *last = 1;
    CU_ASSERT_EQUAL(*(char *)pf_seg_array_at(&array, UINT32_MAX - 1), 0);
    CU_ASSERT_EQUAL(*(char *)pf_seg_array_at(&array, UINT32_MAX), 1);
    pf_seg_array_clear(&array);
}

typedef struct {
    const PfSegArray *array;
    uint32_t count;
    unsigned wrong;
} Reading;

static void *read_again(void *user)
{
    Reading *reading = user;
    for (unsigned round = 0; round < 200; round++)
        for (uint32_t i = 0; i < reading->count; i += 31)
            reading->wrong += *(uint32_t *)pf_seg_array_at(reading->array, i) != i;
    return NULL;
}

static void test_readers_while_growing(void)
{
    PfSegArray array;
    pf_seg_array_init(&array, sizeof(uint32_t));
    uint32_t count = 2 * PF_SEG_ELEMENTS;
    pf_seg_array_reserve(&array, count);
    for (uint32_t i = 0; i < count; i++)
        *(uint32_t *)pf_seg_array_at(&array, i) = i;
    Reading reading = {&array, count, 0};
    GThread *thread = g_thread_new("reader", read_again, &reading);
    for (uint64_t more = count; more < 200 * (uint64_t)PF_SEG_ELEMENTS; more += 10000)
        pf_seg_array_reserve(&array, more);
    g_thread_join(thread);
    CU_ASSERT_EQUAL(reading.wrong, 0);
    pf_seg_array_clear(&array);
}

static const PfCheck checks[] = {
    {"elements begin as zero and do not overlap", test_elements_are_zero_and_apart},
    {"growing moves no element", test_addresses_are_stable},
    {"the last element of a segment and the first of the next are apart", test_segment_edge},
    {"bytes follow the largest reservation, and clearing gives all back", test_bytes_and_shrinking},
    {"reserved elements cost no memory until they are touched", test_untouched_costs_nothing},
    {"the index 2^32 - 1 can be used", test_last_index},
    {"a thread reads old elements while another one grows the array", test_readers_while_growing},
};

PF_CHECK_MAIN("seg_array", checks)
