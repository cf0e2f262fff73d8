/* A small tool that writes a trace of pagefold, and nothing that it needs but pft.h and pft.c.
 *
 * usage: pft-example FILE      two processes sort numbers in memory of their own; FILE tells it
 *        pft-example IN OUT    copies a trace, by reading and writing it */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pft.h"

enum { PAGE_BYTES = 4096, PAGES = 4, NUMBERS = PAGES * PAGE_BYTES / 8, BASE = 0x10000 };

/* A process of a simulator: memory, and who is told what happens to it. */
typedef struct {
    PftWriter *trace;
    uint32_t context;
    uint8_t memory[PAGES * PAGE_BYTES];
} Process;

static uint64_t load(Process *process, unsigned index)
{
    uint64_t number = 0;
    pft_access(process->trace, PFT_READ, process->context, BASE + 8 * (uint64_t)index, 8, NULL);
    for (unsigned i = 0; i < 8; i++)
        number |= (uint64_t)process->memory[8 * index + i] << 8 * i;
    return number;
}

static void store(Process *process, unsigned index, uint64_t number)
{
    uint8_t *bytes = &process->memory[8 * index];
    for (unsigned i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(number >> 8 * i);
    pft_access(process->trace, PFT_WRITE, process->context, BASE + 8 * (uint64_t)index, 8, bytes);
}

/* Numbers from 0 on in an order that STRIDE, which is odd, makes. */
static void begin(Process *process, PftWriter *trace, const char *name, unsigned stride)
{
    process->trace = trace;
    process->context = pft_context(trace, name, PFT_PROCESS);
    pft_map(trace, process->context, BASE, PAGES, NULL, 0);
    for (unsigned i = 0; i < NUMBERS; i++)
        memcpy(&process->memory[8 * i],
               &(uint8_t[8]){(uint8_t)(i * stride % NUMBERS), (uint8_t)(i * stride % NUMBERS >> 8)},
               8);
    for (unsigned page = 0; page < PAGES; page++)
        pft_page(trace, PFT_FILL, process->context, BASE + page * PAGE_BYTES,
                 process->memory + page * PAGE_BYTES);
}

/* Shell sort: a hundred instructions for each comparison is what we make up here. */
static void sort(Process *process)
{
    for (unsigned gap = NUMBERS / 2; gap > 0; gap /= 2)
        for (unsigned i = gap; i < NUMBERS; i++) {
            uint64_t number = load(process, i);
            unsigned at = i;
            for (; at >= gap; at -= gap) {
                uint64_t other = load(process, at - gap);
                pft_run(process->trace, process->context, 100);
                if (other <= number)
                    break;
                store(process, at, other);
            }
            store(process, at, number);
        }
}

static void simulate(PftWriter *trace)
{
    Process first = {0};
    Process second = {0};
    begin(&first, trace, "first", 5);
    begin(&second, trace, "second", 7);
    pft_mark(trace, "filled");
    sort(&first);
    sort(&second);
    pft_mark(trace, "sorted");
}

/* Equal contents of one trace may have had several numbers; those of the copy are in NUMBERS. */
static void copy(PftReader *in, PftWriter *out)
{
    PftRecord record;
    uint32_t *numbers = NULL;
    size_t room = 0;
    while (pft_next(in, &record)) {
        if (record.kind != PFT_CONTENT) {
            bool has_content = record.kind == PFT_STATE || record.kind == PFT_FILL ||
                               record.kind == PFT_INIT || record.kind == PFT_DMA;
            if (has_content)
                record.content = numbers[record.content];
            pft_add(out, &record);
            continue;
        }
        if (record.content >= room) {
            room = 2 * room + 64;
            uint32_t *more = realloc(numbers, room * sizeof(*numbers));
            if (more == NULL)
                abort();
            numbers = more;
        }
        numbers[record.content] = pft_content(out, record.given);
    }
    free(numbers);
}

int main(int argc, char **argv)
{
    if (argc != 2 && argc != 3) {
        fprintf(stderr, "usage: pft-example FILE | pft-example IN OUT\n");
        return EXIT_FAILURE;
    }
    PftReader *in = argc == 3 ? pft_reader_new(argv[1]) : NULL;
    const char *problem = argc == 3 ? pft_reader_error(in) : NULL;
    PftHeader header = {.page_bytes = PAGE_BYTES, .description = "{\"source\": \"pft-example\"}"};
    PftWriter *out = NULL;
    if (problem == NULL) {
        out = pft_writer_new(argv[argc - 1], in != NULL ? pft_header(in) : &header);
        if (in != NULL)
            copy(in, out);
        else
            simulate(out);
        problem = in != NULL ? pft_reader_error(in) : NULL;
        if (problem == NULL && !pft_finish(out))
            problem = pft_error(out);
    }
    if (problem != NULL)
        fprintf(stderr, "pft-example: %s\n", problem);
    int status = problem != NULL ? EXIT_FAILURE : EXIT_SUCCESS;
    pft_writer_free(out);
    pft_reader_free(in);
    return status;
}
