/* libFuzzer target: pft's reader, on the inputs of fuzz_trace, and both readers compared.
 *
 * A trace of which one reader says that it is whole must be whole to the other, with as many
 * records and contents. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pft.h"
#include "trace_pieces.h"
#include "trace_source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads every byte that the library hands out. */
static uint64_t sum_of(const void *bytes, size_t length)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < length; i++)
        sum += ((const uint8_t *)bytes)[i];
    return sum;
}

static uint64_t look_at(const PftRecord *record)
{
    uint64_t sum = record->name != NULL ? sum_of(record->name, strlen(record->name)) : 0;
    sum += record->text != NULL ? sum_of(record->text, strlen(record->text)) : 0;
    sum += record->user != NULL ? sum_of(record->user, strlen(record->user)) : 0;
    if (record->bytes != NULL)
        sum += sum_of(record->bytes, record->count);
    if (record->kind == PFT_CONTENT && record->given->form == PFT_BYTES)
        sum += sum_of(record->given->bytes, record->given->length);
    return sum;
}

/* Whether the trace at PATH is whole; its records and contents. */
static bool read_by_pft(const char *path, uint64_t *ret_records, uint64_t *ret_contents)
{
    PftReader *reader = pft_reader_new(path);
    volatile uint64_t sum = 0;
    PftRecord record;
    *ret_records = *ret_contents = 0;
    while (pft_next(reader, &record)) {
        sum = sum + look_at(&record);
        *(record.kind == PFT_CONTENT ? ret_contents : ret_records) += 1;
    }
    const char *problem = pft_reader_error(reader);
    if (problem != NULL)
        g_assert(strchr(problem, '\n') == NULL && g_str_has_prefix(problem, path));
    g_assert(!pft_next(reader, &record));
    bool is_whole = problem == NULL;
    pft_reader_free(reader);
    return is_whole;
}

static void compare(const uint8_t *bytes, size_t length, const char *path)
{
    uint64_t records;
    uint64_t contents;
    bool is_whole = read_by_pft(path, &records, &contents);
    bool is_binary = length > 0 && bytes[0] == 0x89;
    g_autoptr(PfTrace) trace = pf_trace_open_bytes("fuzz", bytes, length, NULL, NULL);
    PfTraceSummary summary;
    g_autoptr(GError) error = NULL;
    bool is_read = is_binary && trace != NULL && pf_trace_summarise(trace, &summary, &error);
    if (is_whole != is_read)
        g_error("only one reader takes it: %s", is_read ? "pagefold's" : "pft's");
    if (is_read)
        g_assert(summary.records == records && summary.contents == contents);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    bool is_built = (data[0] & 2) != 0;
    g_autoptr(GByteArray) built =
        is_built ? trace_pieces_build(data + 1, size - 1) : g_byte_array_new();
    const uint8_t *bytes = is_built ? built->data : data + 1;
    size_t length = is_built ? built->len : size - 1;
    int file = memfd_create("fuzz", 0);
    g_assert(file >= 0 && write(file, bytes, length) == (ssize_t)length);
    char path[32];
    g_snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    compare(bytes, length, path);
    close(file);
    return 0;
}
