/* A hash join: orders meet their customers in a table with open addressing.
 * join [ORDERS] [CUSTOMERS] */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    uint32_t customer; /* 0: free */
    uint32_t region;
} Slot;

static uint64_t state = 1;

static uint32_t draw(void)
{
    state = state * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t)(state >> 33);
}

static size_t place_of(uint32_t customer, size_t slots)
{
    return (customer * 2654435761U) % slots;
}

int main(int argc, char **argv)
{
    size_t orders = argc > 1 ? strtoul(argv[1], NULL, 10) : 20000;
    size_t customers = argc > 2 ? strtoul(argv[2], NULL, 10) : 5000;
    size_t slots = 2 * customers + 1;
    Slot *table = calloc(slots, sizeof(*table));
    uint64_t sums[7] = {0};
    if (table == NULL || customers == 0)
        return 1;
    for (uint32_t customer = 1; customer <= customers; customer++) {
        size_t at = place_of(customer, slots);
        while (table[at].customer != 0)
            at = (at + 1) % slots;
        table[at] = (Slot){.customer = customer, .region = draw() % 7};
    }
    for (size_t i = 0; i < orders; i++) {
        uint32_t customer = 1 + draw() % (uint32_t)customers;
        size_t at = place_of(customer, slots);
        while (table[at].customer != customer)
            at = (at + 1) % slots;
        sums[table[at].region] += draw() % 1000;
    }
    for (unsigned i = 0; i < 7; i++)
        printf("region %u: %llu\n", i, (unsigned long long)sums[i]);
    free(table);
    return 0;
}
