/* The list of mapped regions, against an array of pages. */
#include "region.h"

#include "check.h"

#include "rng.h"

enum { PAGES = 48, STEPS = 4000 };

/* What the list says of each page; `file` 0 and no flags: not mapped. */
typedef struct {
    bool mapped;
    uint16_t flags;
    uint32_t file;
    uint64_t file_page;
    uint64_t group;
} Plain;

static Plain look(const PfRegionList *list, uint64_t page)
{
    const PfRegion *region = pf_region_list_find(list, (PfCpn){page});
    if (region == NULL)
        return (Plain){.mapped = false};
    uint64_t offset = region->file != 0 ? page - region->first.number : 0;
    return (Plain){.mapped = true,
                   .flags = region->flags,
                   .file = region->file,
                   .file_page = region->file_page + offset,
                   .group = region->group};
}

static bool same(const Plain *a, const Plain *b)
{
    return a->mapped == b->mapped && a->flags == b->flags && a->file == b->file &&
           a->file_page == b->file_page && a->group == b->group;
}

static unsigned differences(const PfRegionList *list, const Plain *pages)
{
    unsigned count = 0;
    for (uint64_t i = 0; i < PAGES; i++) {
        Plain found = look(list, i);
        count += !same(&found, &pages[i]);
    }
    return count;
}

static void insert(PfRegionList *list, Plain *pages, uint64_t first, uint64_t end, PfRng *rng)
{
    PfRegion region = {.first = {first},
                       .end = {end},
                       .flags = (uint16_t)(1 + pf_rng_below(rng, 7)),
                       .file = (uint32_t)pf_rng_below(rng, 3),
                       .group = pf_rng_below(rng, 3)};
    region.file_page = region.file != 0 ? pf_rng_below(rng, 100) : 0;
    pf_region_list_insert(list, &region);
    for (uint64_t i = first; i < end; i++)
        pages[i] = (Plain){.mapped = true,
                           .flags = region.flags,
                           .file = region.file,
                           .file_page = region.file_page + (region.file != 0 ? i - first : 0),
                           .group = region.group};
}

static void change(PfRegionList *list, Plain *pages, uint64_t first, uint64_t end, PfRng *rng)
{
    uint16_t clear = (uint16_t)pf_rng_below(rng, 8);
    uint16_t set = (uint16_t)pf_rng_below(rng, 8);
    pf_region_list_change(list, (PfCpn){first}, (PfCpn){end}, clear, set);
    for (uint64_t i = first; i < end; i++)
        if (pages[i].mapped)
            pages[i].flags = (uint16_t)((pages[i].flags & ~clear) | set);
}

static void move(PfRegionList *list, Plain *pages, uint64_t first, uint64_t end, PfRng *rng)
{
    uint64_t count = end - first;
    uint64_t target = pf_rng_below(rng, PAGES - count + 1);
    uint64_t distance = target > first ? target - first : first - target;
    if (distance < count)
        return;
    pf_region_list_move(list, (PfCpn){first}, count, (PfCpn){target});
    for (uint64_t i = 0; i < count; i++) {
        pages[target + i] = pages[first + i];
        pages[first + i] = (Plain){.mapped = false};
    }
}

static void test_random(void)
{
    PfRng rng = {.state = 1};
    Plain pages[PAGES] = {{.mapped = false}};
    PfRegionList list;
    pf_region_list_init(&list);
    unsigned wrong = 0;
    for (unsigned i = 0; i < STEPS && wrong == 0; i++) {
        uint64_t first = pf_rng_below(&rng, PAGES);
        uint64_t end = first + 1 + pf_rng_below(&rng, PAGES - first);
        switch (pf_rng_below(&rng, 4)) {
        case 0:
            insert(&list, pages, first, end, &rng);
            break;
        case 1:
            pf_region_list_cut(&list, (PfCpn){first}, (PfCpn){end});
            for (uint64_t p = first; p < end; p++)
                pages[p] = (Plain){.mapped = false};
            break;
        case 2:
            change(&list, pages, first, end, &rng);
            break;
        default:
            move(&list, pages, first, end, &rng);
            break;
        }
        pf_region_list_check(&list);
        wrong = differences(&list, pages);
        if (wrong > 0)
            printf("# step %u\n", i);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    PfRegionList copy;
    pf_region_list_init(&copy);
    pf_region_list_copy(&copy, &list);
    pf_region_list_cut(&list, (PfCpn){0}, (PfCpn){PAGES});
    CU_ASSERT_EQUAL(differences(&copy, pages), 0);
    CU_ASSERT_EQUAL(pf_region_list_count(&list), 0);
    pf_region_list_clear(&copy);
    pf_region_list_clear(&list);
}

static void test_edges(void)
{
    PfRegionList list;
    pf_region_list_init(&list);
    CU_ASSERT_PTR_NULL(pf_region_list_find(&list, (PfCpn){0}));
    /* The last page there can be: 2^64 bytes of 4-byte pages. */
    uint64_t last = UINT64_MAX >> 2;
    pf_region_list_insert(&list, &(PfRegion){.first = {last}, .end = {last + 1}, .flags = 1});
    pf_region_list_insert(&list, &(PfRegion){.first = {10}, .end = {20}, .flags = 1});
    CU_ASSERT_PTR_NULL(pf_region_list_find(&list, (PfCpn){9}));
    CU_ASSERT_PTR_NOT_NULL(pf_region_list_find(&list, (PfCpn){10}));
    CU_ASSERT_PTR_NOT_NULL(pf_region_list_find(&list, (PfCpn){19}));
    CU_ASSERT_PTR_NULL(pf_region_list_find(&list, (PfCpn){20}));
    CU_ASSERT_PTR_NOT_NULL(pf_region_list_find(&list, (PfCpn){last}));
    CU_ASSERT_EQUAL(pf_region_list_lower(&list, (PfCpn){19}), 0);
    CU_ASSERT_EQUAL(pf_region_list_lower(&list, (PfCpn){20}), 1);
    CU_ASSERT_EQUAL(pf_region_list_lower(&list, (PfCpn){last + 1}), 2);
    /* A hole in the middle makes two of one. */
    pf_region_list_cut(&list, (PfCpn){14}, (PfCpn){15});
    CU_ASSERT_EQUAL(pf_region_list_count(&list), 3);
    CU_ASSERT_EQUAL(pf_region_list_at(&list, 0)->end.number, 14);
    CU_ASSERT_EQUAL(pf_region_list_at(&list, 1)->first.number, 15);
    pf_region_list_clear(&list);
}

static const PfCheck checks[] = {
    {"regions say of each page what was done to it last", test_random},
    {"a region begins and ends where it says", test_edges},
};

PF_CHECK_MAIN("region", checks)
