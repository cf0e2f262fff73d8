#include "random_trace.h"

#include <CUnit/CUnit.h>

#include "rng.h"
#include "trace_names.h"

enum { CONTEXTS_MAX = 12, PAGE_BYTES = 256 };

typedef struct {
    PfTraceWriter *writer;
    PfRng rng;
    uint32_t contexts;
    uint32_t alive[CONTEXTS_MAX];
    uint32_t alive_count;
    uint8_t bytes[PAGE_BYTES];
    char name[32];
} Random;

static uint64_t below(Random *random, uint64_t bound)
{
    return pf_rng_below(&random->rng, bound);
}

/* Numbers at the edges of 0 to 8 bytes, and small ones. */
static uint64_t edge(Random *random)
{
    unsigned bits = (unsigned)below(random, 65);
    uint64_t power = bits == 64 ? 0 : (uint64_t)1 << bits;
    return power - 2 + below(random, 4);
}

static uint64_t address(Random *random, uint64_t bytes)
{
    static const uint64_t bases[] = {0, 0x1000, 0x7fff0000, 0xffff800000000000};
    uint64_t at = bases[below(random, G_N_ELEMENTS(bases))] + below(random, 512);
    if (below(random, 10) == 0)
        at = edge(random);
    return at > UINT64_MAX - bytes ? at - bytes : at;
}

static uint32_t some_content(Random *random)
{
    PfContentSpec spec = {.form = (PfContentForm)below(random, PF_CONTENT_FORMS)};
    spec.number = below(random, 2) != 0 ? below(random, 5) : edge(random);
    spec.at = (uint32_t)below(random, PAGE_BYTES);
    spec.with = (uint8_t)(below(random, 3) * 127);
    spec.bytes = random->bytes;
    spec.length = (uint32_t)below(random, PAGE_BYTES + 1);
    for (uint32_t i = 0; i < spec.length; i++)
        random->bytes[i] = (uint8_t)(below(random, 8) == 0 ? below(random, 256) : 'a');
    return pf_trace_writer_content(random->writer, &spec);
}

static const char *some_name(Random *random)
{
    static const char *const names[] = {"",    "request", "a b", "\"quoted\"", "tab\tnew\n", "# no",
                                        "x=y", "a:b:",    "\\",  "va=1",       "h\303\244"};
    return names[below(random, G_N_ELEMENTS(names))];
}

static void make_detail(Random *random, PfRecord *record, PfTraceDetail *detail)
{
    record->detail = detail;
    *detail = (PfTraceDetail){.name = some_name(random)};
    if (record->kind == PF_RECORD_CONTEXT || record->kind == PF_RECORD_FORK) {
        g_snprintf(random->name, sizeof(random->name), "c %u#", random->contexts);
        detail->name = random->name;
        detail->other_context = record->kind == PF_RECORD_FORK ? random->contexts : 0;
    }
    if (record->kind == PF_RECORD_CONTEXT) {
        record->context = random->contexts;
        detail->text = below(random, 2) != 0 ? "secret" : NULL;
        detail->user = below(random, 2) != 0 ? "ann" : NULL;
        detail->number = edge(random);
        detail->node = (int32_t)below(random, 3) - 1;
        detail->core = (int32_t)below(random, 3) - 1;
        detail->context_kind = (PfContextKind)below(random, 2);
    } else if (record->kind == PF_RECORD_MAP) {
        detail->backing = (PfBacking)below(random, 3);
        detail->protection = (PfProtection)below(random, 3);
        detail->mergeable = below(random, 2) != 0;
        detail->huge_bytes = below(random, 2) * 4096;
        detail->group = below(random, 3);
        detail->name = detail->backing == PF_BACKING_ANON ? NULL : "lib c:1";
        detail->number = detail->backing == PF_BACKING_ANON ? 0 : below(random, 9) * PAGE_BYTES;
    } else if (record->kind == PF_RECORD_ALIAS || record->kind == PF_RECORD_REMAP) {
        detail->name = NULL;
        detail->other_address = address(random, PAGE_BYTES * 20) & ~(uint64_t)(PAGE_BYTES - 1);
        if (record->kind == PF_RECORD_ALIAS)
            detail->other_context = random->alive[below(random, random->alive_count)];
    } else if (record->kind == PF_RECORD_DMA) {
        detail->name = "disk 7";
        detail->number = edge(random);
    } else if (record->kind == PF_RECORD_CONTROL) {
        detail->name = "ksm.run";
        detail->text = some_name(random);
    }
}

static void make_access(Random *random, PfRecord *record)
{
    static const uint64_t sizes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 64, 255, 256};
    record->count = sizes[below(random, G_N_ELEMENTS(sizes))];
    record->address = address(random, record->count);
    if (record->kind == PF_RECORD_READ && below(random, 4) == 0)
        record->flags |= PF_RECORD_DEPENDENT;
    if (record->kind == PF_RECORD_WRITE && below(random, 4) == 0)
        record->flags |= PF_RECORD_MODIFIES;
    if (record->kind != PF_RECORD_WRITE || below(random, 3) == 0)
        return;
    record->flags |= PF_RECORD_HAS_VALUE;
    if (record->count > 8) {
        record->bytes = random->bytes;
        return;
    }
    record->value = below(random, 3) == 0 ? record->address + below(random, 99) : edge(random);
    if (record->count < 8)
        record->value &= ((uint64_t)1 << (8 * record->count)) - 1;
}

static void make_record(Random *random, PfRecord *record, PfTraceDetail *detail)
{
    const PfRecordTraits *traits = pf_record_traits(record->kind);
    if (traits->has_context)
        record->context = random->alive[below(random, random->alive_count)];
    if (traits->is_access)
        make_access(random, record);
    else if (traits->has_pages)
        record->count = 1 + below(random, 20);
    else if (record->kind == PF_RECORD_GRAIN)
        record->count = below(random, 2);
    else if (!traits->has_detail && record->kind != PF_RECORD_EXIT)
        record->count = edge(random);
    if (traits->has_pages)
        record->address = address(random, PAGE_BYTES * 20) & ~(uint64_t)(PAGE_BYTES - 1);
    if (traits->has_detail)
        make_detail(random, record, detail);
    if (traits->has_content)
        record->content = some_content(random);
    if (traits->has_step)
        record->value = below(random, 2) != 0 ? edge(random) : 0;
    if (record->kind == PF_RECORD_ADVISE)
        record->choice = (uint8_t)below(random, PF_ADVICE_COUNT);
    if (record->kind == PF_RECORD_ATTR)
        record->choice = (uint8_t)below(random, PF_ATTRIBUTE_COUNT);
    if (record->kind == PF_RECORD_SCAN && below(random, 2) != 0)
        record->flags |= PF_RECORD_SCAN_PASSES;
    if ((traits->flags & PF_RECORD_HAS_VIRTUAL) != 0 && below(random, 3) == 0) {
        record->flags |= PF_RECORD_HAS_VIRTUAL;
        record->virtual_address = edge(random);
    }
}

/* Half of the records are accesses; contexts come and go within their number. */
static PfRecordKind some_kind(Random *random)
{
    static const PfRecordKind hot[] = {PF_RECORD_READ, PF_RECORD_WRITE, PF_RECORD_FETCH,
                                       PF_RECORD_RUN};
    if (random->contexts < 2)
        return PF_RECORD_CONTEXT;
    if (below(random, 2) != 0)
        return hot[below(random, G_N_ELEMENTS(hot))];
    PfRecordKind kind = (PfRecordKind)below(random, PF_RECORD_KINDS);
    bool makes = kind == PF_RECORD_CONTEXT || kind == PF_RECORD_FORK;
    if (makes && random->contexts == CONTEXTS_MAX)
        return PF_RECORD_MARK;
    if (kind == PF_RECORD_EXIT && random->alive_count < 3)
        return PF_RECORD_TIME;
    return kind;
}

static void remember_contexts(Random *random, const PfRecord *record)
{
    if (record->kind == PF_RECORD_CONTEXT || record->kind == PF_RECORD_FORK)
        random->alive[random->alive_count++] = random->contexts++;
    if (record->kind != PF_RECORD_EXIT)
        return;
    for (uint32_t i = 0; i < random->alive_count; i++)
        if (random->alive[i] == record->context)
            random->alive[i] = random->alive[--random->alive_count];
}

void random_trace_write(const char *path, PfTraceForm form, uint64_t seed, unsigned records)
{
    PfTraceHeader header = {.page_bytes = PAGE_BYTES, .clock_hz = seed % 3 * 12345};
    header.description = seed % 2 != 0 ? "{\"a\": \"h\303\244\\n\"}" : NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(PfTraceWriter) writer = pf_trace_writer_new(path, form, &header, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(writer);
    Random random = {.writer = writer, .rng = pf_rng_derive(seed, "trace")};
    for (unsigned i = 0; i < records; i++) {
        PfTraceDetail detail;
        PfRecord record = {.kind = (uint8_t)some_kind(&random),
                           .content = PF_TRACE_NO_CONTENT,
                           .context = PF_TRACE_NO_CONTEXT};
        make_record(&random, &record, &detail);
        pf_trace_writer_add(writer, &record);
        remember_contexts(&random, &record);
    }
    bool is_finished = pf_trace_writer_finish(writer, &error);
    if (!is_finished)
        printf("# seed %u: %s\n", (unsigned)seed, error->message);
    CU_ASSERT_FATAL(is_finished);
}
