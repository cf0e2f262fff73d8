#include "recording.h"

#include <string.h>
#include <sys/mman.h>

#include "trace.h"

typedef enum { SKIPPING, RUNNING, FULL } Phase;

struct PfRecording {
    PfRecordingOptions options;
    const PfGuestMemory *memory;
    PfTraceWriter *writer;
    Phase phase;
    uint64_t instructions; /* of all phases */
    PfPackedCounts recorded;
    uint64_t accesses; /* of this phase */
    uint64_t kernel_bytes;
    uint64_t next_epoch; /* in accesses */
    uint64_t epoch;
    GArray *changed;        /* addresses of pages written since the last epoch ... */
    GHashTable *is_changed; /* ... each once */
};

static const uint8_t *bytes_at(uint64_t address)
{
    return (const uint8_t *)(uintptr_t)address;
}

static void add(PfRecording *recording, PfRecordKind kind, uint64_t address, uint64_t count)
{
    PfRecord record = {
        .kind = (uint8_t)kind, .address = address, .count = count, .content = PF_TRACE_NO_CONTENT};
    pf_trace_writer_add(recording->writer, &record);
}

/* The page at ADDRESS has the bytes that it has now. */
static void tell_state(void *user, uint64_t address)
{
    PfRecording *recording = user;
    PfContentSpec spec = {
        .form = PF_CONTENT_BYTES, .bytes = bytes_at(address), .length = PF_GUEST_PAGE_BYTES};
    PfRecord record = {.kind = PF_RECORD_STATE,
                       .address = address,
                       .count = 1,
                       .content = pf_trace_writer_content(recording->writer, &spec)};
    pf_trace_writer_add(recording->writer, &record);
}

static void tell_mapping(PfRecording *recording, const PfGuestMapping *mapping)
{
    PfTraceDetail detail = {.node = -1,
                            .core = -1,
                            .backing = mapping->backing,
                            .mergeable = mapping->mergeable,
                            .protection = PF_PROTECTION_RO};
    if ((mapping->access & PROT_EXEC) != 0)
        detail.protection = PF_PROTECTION_RX;
    if ((mapping->access & PROT_WRITE) != 0 || mapping->access == PROT_NONE)
        detail.protection = PF_PROTECTION_RW;
    if (mapping->backing != PF_BACKING_ANON) {
        detail.name = mapping->name;
        detail.number = mapping->offset;
    }
    PfRecord record = {.kind = PF_RECORD_MAP,
                       .address = mapping->start,
                       .count = (mapping->end - mapping->start) / PF_GUEST_PAGE_BYTES,
                       .content = PF_TRACE_NO_CONTENT,
                       .detail = &detail};
    pf_trace_writer_add(recording->writer, &record);
}

static void begin(PfRecording *recording)
{
    PfTraceDetail detail = {.name = recording->options.name, .node = -1, .core = -1};
    PfRecord record = {
        .kind = PF_RECORD_CONTEXT, .content = PF_TRACE_NO_CONTENT, .detail = &detail};
    pf_trace_writer_add(recording->writer, &record);
    const GArray *mappings = recording->memory->mappings;
    for (guint i = 0; i < mappings->len; i++)
        tell_mapping(recording, &g_array_index(mappings, PfGuestMapping, i));
    if (recording->options.content != PF_RECORD_NOTHING)
        pf_guest_memory_pages(recording->memory, tell_state, recording);
    recording->phase = RUNNING;
    recording->accesses = 0;
    recording->next_epoch = UINT64_MAX;
    if (recording->options.content == PF_RECORD_EPOCHS)
        recording->next_epoch = recording->options.epoch_accesses;
}

PfRecording *pf_recording_new(const PfRecordingOptions *options, const PfGuestMemory *memory,
                              PfTraceWriter *writer)
{
    PfRecording *recording = g_new0(PfRecording, 1);
    recording->options = *options;
    recording->memory = memory;
    recording->writer = writer;
    pf_trace_writer_hurry(writer, PF_HASTE_SOME);
    recording->changed = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    recording->is_changed = g_hash_table_new(g_direct_hash, g_direct_equal);
    if (options->skip == 0)
        begin(recording);
    return recording;
}

void pf_recording_free(PfRecording *recording)
{
    if (recording == NULL)
        return;
    g_array_unref(recording->changed);
    g_hash_table_unref(recording->is_changed);
    g_free(recording);
}

uint64_t pf_recording_instructions(const PfRecording *recording)
{
    return recording->instructions;
}

const PfPackedCounts *pf_recording_recorded(const PfRecording *recording)
{
    return &recording->recorded;
}

uint64_t pf_recording_accesses(const PfRecording *recording)
{
    return recording->phase == SKIPPING ? 0 : recording->accesses;
}

uint64_t pf_recording_kernel_bytes(const PfRecording *recording)
{
    return recording->kernel_bytes;
}

bool pf_recording_is_full(const PfRecording *recording)
{
    return recording->phase == FULL;
}

size_t pf_recording_room(const PfRecording *recording)
{
    uint64_t border = UINT64_MAX;
    if (recording->phase == SKIPPING)
        border = recording->options.skip;
    else if (recording->phase == RUNNING)
        border = MIN(recording->options.accesses_max, recording->next_epoch);
    return border > recording->accesses ? (size_t)(border - recording->accesses) : 0;
}

bool pf_recording_is_steady(const PfRecording *recording, size_t words)
{
    return recording->phase == RUNNING && recording->options.content != PF_RECORD_EPOCHS &&
           recording->options.accesses_max - recording->accesses >= words;
}

static int compare_addresses(gconstpointer a, gconstpointer b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

/* The bytes of all pages that were written since the last epoch, and a mark. */
static void end_epoch(PfRecording *recording)
{
    g_array_sort(recording->changed, compare_addresses);
    for (guint i = 0; i < recording->changed->len; i++) {
        uint64_t page = g_array_index(recording->changed, uint64_t, i);
        if (pf_guest_memory_is_readable(recording->memory, page))
            tell_state(recording, page);
    }
    g_array_set_size(recording->changed, 0);
    g_hash_table_remove_all(recording->is_changed);
    g_autofree char *label = g_strdup_printf("epoch %" G_GUINT64_FORMAT, ++recording->epoch);
    PfTraceDetail detail = {.name = label, .node = -1, .core = -1};
    PfRecord record = {.kind = PF_RECORD_MARK,
                       .context = PF_TRACE_NO_CONTEXT,
                       .content = PF_TRACE_NO_CONTENT,
                       .detail = &detail};
    pf_trace_writer_add(recording->writer, &record);
}

static void note_changed(PfRecording *recording, uint64_t address, uint64_t length)
{
    uint64_t page = address & ~(uint64_t)(PF_GUEST_PAGE_BYTES - 1);
    for (; page < address + length; page += PF_GUEST_PAGE_BYTES)
        if (g_hash_table_add(recording->is_changed, (gpointer)(uintptr_t)page))
            g_array_append_val(recording->changed, page);
}

/* The pages that WORDS write, of which most are near the one before. */
static void note_writes(PfRecording *recording, const uint64_t *words, size_t count)
{
    uint64_t known = UINT64_MAX;
    for (size_t i = 0; i < count; i++) {
        uint64_t address = pf_packed_address(words[i]);
        uint64_t last = address + ((uint64_t)1 << pf_packed_bytes_log(words[i])) - 1;
        if (pf_packed_kind(words[i]) != PF_PACKED_WRITE_UNKNOWN ||
            (address / PF_GUEST_PAGE_BYTES == known && last / PF_GUEST_PAGE_BYTES == known))
            continue;
        note_changed(recording, address, last - address + 1);
        known = address / PF_GUEST_PAGE_BYTES;
    }
}

static void count_words(const uint64_t *words, size_t count, PfPackedCounts *counts)
{
    for (size_t i = 0; i < count; i += pf_packed_words(words[i])) {
        PfPackedKind kind = pf_packed_kind(words[i]);
        counts->records[kind]++;
        counts->instructions += kind == PF_PACKED_RUN ? pf_packed_address(words[i]) : 0;
    }
}

static uint64_t count_accesses(const PfPackedCounts *counts)
{
    return counts->records[PF_PACKED_READ] + counts->records[PF_PACKED_WRITE] +
           counts->records[PF_PACKED_WRITE_UNKNOWN] + counts->records[PF_PACKED_FETCH];
}

/* The words up to the end of access number ACCESSES, which is there. */
static size_t find_cut(const uint64_t *words, uint64_t accesses)
{
    size_t at = 0;
    while (accesses > 0) {
        accesses -= pf_packed_kind(words[at]) == PF_PACKED_RUN ? 0 : 1;
        at += pf_packed_words(words[at]);
    }
    return at;
}

static void become_full(PfRecording *recording)
{
    if (recording->options.content == PF_RECORD_EPOCHS)
        end_epoch(recording);
    recording->phase = FULL;
}

static void record_words(PfRecording *recording, const uint64_t *words, size_t count)
{
    if (recording->options.content == PF_RECORD_EPOCHS)
        note_writes(recording, words, count);
    PfPackedCounts added = {0};
    pf_trace_writer_add_packed(recording->writer, 0, words, count, &added);
    recording->recorded.instructions += added.instructions;
    for (unsigned i = 0; i < PF_PACKED_KINDS; i++)
        recording->recorded.records[i] += added.records[i];
    recording->accesses += count_accesses(&added);
    if (recording->accesses == recording->options.accesses_max)
        become_full(recording);
    else if (recording->accesses >= recording->next_epoch) {
        end_epoch(recording);
        recording->next_epoch = recording->accesses + recording->options.epoch_accesses;
    }
}

void pf_recording_add(PfRecording *recording, const uint64_t *words, size_t count)
{
    uint64_t left = recording->options.accesses_max - recording->accesses;
    if (recording->phase == RUNNING && count <= left) {
        uint64_t before = recording->recorded.instructions;
        record_words(recording, words, count);
        recording->instructions += recording->recorded.instructions - before;
        return;
    }
    /* Near a border it has to be known what the words are. */
    PfPackedCounts counts = {0};
    count_words(words, count, &counts);
    recording->instructions += counts.instructions;
    if (recording->phase == SKIPPING) {
        recording->accesses += count_accesses(&counts);
        if (recording->accesses >= recording->options.skip)
            begin(recording);
    } else if (recording->phase == RUNNING)
        record_words(recording, words,
                     count_accesses(&counts) > left ? find_cut(words, left) : count);
}

void pf_recording_map(PfRecording *recording, const PfGuestMapping *mapping)
{
    if (recording->phase != RUNNING)
        return;
    tell_mapping(recording, mapping);
    if (mapping->backing == PF_BACKING_ANON || mapping->access == PROT_NONE ||
        recording->options.content == PF_RECORD_NOTHING)
        return;
    for (uint64_t at = mapping->start; at < mapping->backed_end; at += PF_GUEST_PAGE_BYTES)
        tell_state(recording, at);
}

static void add_pages(PfRecording *recording, PfRecordKind kind, uint64_t start, uint64_t end,
                      uint8_t choice)
{
    if (recording->phase != RUNNING || end <= start)
        return;
    PfRecord record = {.kind = (uint8_t)kind,
                       .address = start,
                       .count = (end - start) / PF_GUEST_PAGE_BYTES,
                       .content = PF_TRACE_NO_CONTENT,
                       .choice = choice};
    pf_trace_writer_add(recording->writer, &record);
}

void pf_recording_unmap(PfRecording *recording, uint64_t start, uint64_t end)
{
    add_pages(recording, PF_RECORD_UNMAP, start, end, 0);
}

void pf_recording_advise(PfRecording *recording, uint64_t start, uint64_t end, PfAdvice advice)
{
    add_pages(recording, PF_RECORD_ADVISE, start, end, (uint8_t)advice);
}

void pf_recording_attribute(PfRecording *recording, uint64_t start, uint64_t end,
                            PfAttribute attribute)
{
    add_pages(recording, PF_RECORD_ATTR, start, end, (uint8_t)attribute);
}

void pf_recording_move(PfRecording *recording, uint64_t start, uint64_t end, uint64_t target)
{
    if (recording->phase != RUNNING)
        return;
    PfTraceDetail detail = {.other_address = target, .node = -1, .core = -1};
    PfRecord record = {.kind = PF_RECORD_REMAP,
                       .address = start,
                       .count = (end - start) / PF_GUEST_PAGE_BYTES,
                       .content = PF_TRACE_NO_CONTENT,
                       .detail = &detail};
    pf_trace_writer_add(recording->writer, &record);
    /* What changed since the last epoch has changed at its new place. */
    for (uint64_t at = start; at < end; at += PF_GUEST_PAGE_BYTES)
        if (g_hash_table_contains(recording->is_changed, (gpointer)(uintptr_t)at))
            note_changed(recording, target + (at - start), PF_GUEST_PAGE_BYTES);
}

static void add_write(PfRecording *recording, uint64_t address, uint64_t length)
{
    PfRecord record = {.kind = PF_RECORD_WRITE,
                       .address = address,
                       .count = length,
                       .content = PF_TRACE_NO_CONTENT};
    if (recording->options.content == PF_RECORD_VALUES) {
        record.flags = PF_RECORD_HAS_VALUE;
        if (length <= sizeof(record.value)) {
            memcpy(&record.value, bytes_at(address), length);
            record.value = GUINT64_FROM_LE(record.value);
        } else {
            record.bytes = bytes_at(address);
        }
    } else if (recording->options.content == PF_RECORD_EPOCHS)
        note_changed(recording, address, length);
    pf_trace_writer_add(recording->writer, &record);
}

void pf_recording_written(PfRecording *recording, uint64_t address, uint64_t length)
{
    uint64_t end = address + length;
    while (address < end) {
        uint64_t part = PF_GUEST_PAGE_BYTES - address % PF_GUEST_PAGE_BYTES;
        part = MIN(part, end - address);
        if (recording->phase == RUNNING) {
            add_write(recording, address, part);
            recording->kernel_bytes += part;
            if (++recording->accesses == recording->options.accesses_max)
                become_full(recording);
        }
        address += part;
    }
}

void pf_recording_idle(PfRecording *recording, uint64_t ps)
{
    if (recording->phase == RUNNING && ps > 0)
        add(recording, PF_RECORD_IDLE, 0, ps);
}

void pf_recording_finish(PfRecording *recording)
{
    if (recording->phase == RUNNING && recording->options.content == PF_RECORD_EPOCHS)
        end_epoch(recording);
}
