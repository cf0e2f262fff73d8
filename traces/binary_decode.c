#include "binary_decode.h"

#include <inttypes.h>
#include <string.h>

#include "binary_layout.h"
#include "binary_rare.h"
#include "binary_state.h"
#include "trace_block.h"

/* Hot records are decoded without a branch that data could surprise, in strides; then their columns
 * are checked. A record moves a column by at most 15 bytes (the largest code), so a stride stays in
 * the slack. */
enum { STRIDE_RECORDS = 64, COLUMN_STEP_MAX = 15 };
static_assert(STRIDE_RECORDS * COLUMN_STEP_MAX + 8 <= PF_DECODER_SLACK_BYTES, "strides fit");

/* What a tag means. */
typedef struct {
    uint8_t kind;
    uint8_t flags;
    uint8_t base; /* PfBase */
    uint8_t address_bytes;
    uint8_t size_bytes;
    uint8_t has_value;
    uint8_t is_access;
    uint8_t is_hot;
    uint32_t size;
} Tag;

struct PfDecoder {
    PfTraceRules *rules;
    PfBinaryState state;
    PfRareCoder rare; /* its `get` and `end` are those of the rare column */
    const uint8_t *at[PF_COLUMN_COUNT];
    const uint8_t *end[PF_COLUMN_COUNT];
    uint32_t left;
    uint64_t number; /* of the next record */
    uint32_t context;
    bool is_virtual;
    bool has_time;
    uint64_t first_time_ps;
    Tag tags[UINT8_MAX + 1];
    uint64_t masks[16]; /* by bytes; above 8 the number is refused afterwards */
};

static Tag access_tag(unsigned number)
{
    static const struct {
        uint8_t kind;
        uint8_t flags;
        uint8_t base;
    } classes[PF_TAG_CLASSES] = {
        {PF_RECORD_READ, 0, PF_BASE_READ},   {PF_RECORD_READ, PF_RECORD_DEPENDENT, PF_BASE_READ},
        {PF_RECORD_WRITE, 0, PF_BASE_WRITE}, {PF_RECORD_WRITE, PF_RECORD_HAS_VALUE, PF_BASE_WRITE},
        {PF_RECORD_FETCH, 0, PF_BASE_FETCH},
    };
    static const uint8_t sizes[PF_TAG_SIZES] = {1, 2, 4, 8, 0, 0};
    static const uint8_t size_bytes[PF_TAG_SIZES] = {0, 0, 0, 0, 1, 4};
    unsigned address = number % PF_TAG_ADDRESSES;
    unsigned size = number / PF_TAG_ADDRESSES % PF_TAG_SIZES;
    unsigned class = number / PF_TAG_ADDRESSES / PF_TAG_SIZES;
    return (Tag){.kind = classes[class].kind,
                 .flags = classes[class].flags,
                 .base = classes[class].base,
                 .address_bytes = pf_tag_address_bytes[address],
                 .size_bytes = size_bytes[size],
                 .has_value = (classes[class].flags & PF_RECORD_HAS_VALUE) != 0,
                 .is_access = 1,
                 .is_hot = 1,
                 .size = sizes[size]};
}

PfDecoder *pf_decoder_new(PfTraceRules *rules, PfStrings *strings)
{
    PfDecoder *decoder = g_new0(PfDecoder, 1);
    decoder->rules = rules;
    pf_binary_state_init(&decoder->state);
    decoder->rare = (PfRareCoder){.strings = strings, .state = &decoder->state, .rules = rules};
    for (unsigned i = 0; i < PF_TAG_RUN; i++)
        decoder->tags[i] = access_tag(i);
    for (unsigned i = PF_TAG_RUN; i < PF_TAG_HOT_END; i++)
        decoder->tags[i] = (Tag){.kind = PF_RECORD_RUN,
                                 .base = PF_BASE_NONE,
                                 .size_bytes = (uint8_t)(1U << (i - PF_TAG_RUN)),
                                 .is_hot = 1};
    for (unsigned i = 0; i < G_N_ELEMENTS(decoder->masks); i++)
        decoder->masks[i] = pf_mask_bytes(MIN(i, 8));
    return decoder;
}

void pf_decoder_free(PfDecoder *decoder)
{
    if (decoder == NULL)
        return;
    pf_binary_state_clear(&decoder->state);
    g_free(decoder);
}

char *pf_decoder_begin(PfDecoder *decoder, const uint8_t *payload, size_t length, uint32_t count,
                       uint64_t first)
{
    if (length < PF_COLUMNS_HEADER_BYTES)
        return g_strdup("a frame without its columns");
    uint64_t offset = PF_COLUMNS_HEADER_BYTES;
    for (unsigned i = 0; i < PF_COLUMN_COUNT; i++) {
        uint32_t column = pf_get_u32(payload + (size_t)i * 4);
        if (column > length - offset)
            return g_strdup("a frame whose columns are longer than it is");
        decoder->at[i] = payload + offset;
        offset += column;
        decoder->end[i] = payload + offset;
    }
    if (offset != length || count == 0)
        return g_strdup("a frame that holds more than its columns, or no record");
    decoder->rare.get = decoder->at[PF_COLUMN_RARE];
    decoder->rare.end = decoder->end[PF_COLUMN_RARE];
    decoder->left = count;
    decoder->number = first;
    decoder->context = PF_TRACE_NO_CONTEXT;
    decoder->is_virtual = false;
    decoder->has_time = false;
    pf_binary_state_begin_frame(&decoder->state);
    return NULL;
}

uint32_t pf_decoder_left(const PfDecoder *decoder)
{
    return decoder->left;
}

bool pf_decoder_first_time(const PfDecoder *decoder, uint64_t *ret_ps)
{
    *ret_ps = decoder->first_time_ps;
    return decoder->has_time;
}

/* The value that NUMBER stands for by its CODE, uncut. */
static inline G_ALWAYS_INLINE uint64_t decode_value(unsigned code, uint64_t number,
                                                    const uint64_t *bases)
{
    uint64_t is_signed = (code & 0x30) != 0; /* all but plain values */
    return bases[code >> 4 & (PF_VALUE_BASES - 1)] +
           ((number >> is_signed) ^ (0 - (number & is_signed)));
}

/* Decodes up to LIMIT hot records to RECORDS and returns how many are good; stops before another
 * tag, and at a record that breaks a rule or is malformed (RET_IS_BAD; that one is in RECORDS too).
 * WITH_VIRTUAL is a constant of the caller. */
static inline G_ALWAYS_INLINE size_t decode_hot(PfDecoder *decoder, PfRecord *records, size_t limit,
                                                bool with_virtual, bool *ret_is_bad)
{
    PfContextState *context = pf_binary_state_context(&decoder->state, decoder->context);
    const uint8_t *tags = decoder->at[PF_COLUMN_TAGS];
    const uint8_t *addresses = decoder->at[PF_COLUMN_ADDRESSES];
    const uint8_t *sizes = decoder->at[PF_COLUMN_SIZES];
    const uint8_t *value_codes = decoder->at[PF_COLUMN_VALUE_CODES];
    const uint8_t *values = decoder->at[PF_COLUMN_VALUES];
    const uint8_t *virtual_codes = decoder->at[PF_COLUMN_VIRTUAL_CODES];
    const uint8_t *virtuals = decoder->at[PF_COLUMN_VIRTUALS];
    const uint64_t *masks = decoder->masks;
    uint32_t page_bytes = decoder->rules->page_bytes;
    uint64_t previous = context->value;
    unsigned bad = 0;
    size_t i = 0;
    for (; i < limit; i++) {
        const Tag *tag = &decoder->tags[tags[i]];
        if (!tag->is_hot)
            break;
        uint64_t *base = &context->address[tag->base];
        uint64_t address = *base + pf_unzigzag(pf_get_u64(addresses) & masks[tag->address_bytes]);
        *base = address;
        addresses += tag->address_bytes;
        uint64_t count = tag->size + (pf_get_u64(sizes) & masks[tag->size_bytes]);
        sizes += tag->size_bytes;
        unsigned code = *value_codes & (0U - tag->has_value) & UINT8_MAX;
        value_codes += tag->has_value;
        uint64_t number = pf_get_u64(values) & masks[code & 15];
        values += code & 15;
        const uint64_t bases[PF_VALUE_BASES] = {0, previous, address,
                                                context->address[PF_BASE_FETCH]};
        uint64_t value = decode_value(code, number, bases) & masks[count & 15];
        previous = tag->has_value ? value : previous;
        bad |= code >> 6 | ((code & 15) > 8) | (tag->has_value & (count > 8));
        bad |= tag->is_access & !pf_trace_access_fits(address, count, page_bytes);
        uint64_t distance = 0;
        uint8_t flags = tag->flags;
        if (with_virtual && tag->is_access) {
            uint64_t *entry =
                &decoder->state.virtuals[pf_virtual_entry(address, decoder->rules->page_shift)];
            unsigned bytes = *virtual_codes++;
            bad |= bytes > 8;
            *entry += pf_unzigzag(pf_get_u64(virtuals) & masks[bytes & 15]);
            virtuals += bytes & 15;
            distance = address + *entry;
            flags |= PF_RECORD_HAS_VIRTUAL;
        }
        records[i] = (PfRecord){.address = address,
                                .count = count,
                                .value = tag->has_value ? value : 0,
                                .virtual_address = distance,
                                .content = PF_TRACE_NO_CONTENT,
                                .context = decoder->context,
                                .kind = tag->kind,
                                .flags = flags,
                                .line = (uint32_t)(decoder->number + i)};
        if (bad != 0)
            break;
    }
    context->value = previous;
    decoder->at[PF_COLUMN_TAGS] = tags + i;
    decoder->at[PF_COLUMN_ADDRESSES] = addresses;
    decoder->at[PF_COLUMN_SIZES] = sizes;
    decoder->at[PF_COLUMN_VALUE_CODES] = value_codes;
    decoder->at[PF_COLUMN_VALUES] = values;
    decoder->at[PF_COLUMN_VIRTUAL_CODES] = virtual_codes;
    decoder->at[PF_COLUMN_VIRTUALS] = virtuals;
    *ret_is_bad = bad != 0;
    return i;
}

static bool columns_overrun(const PfDecoder *decoder)
{
    bool overrun = false;
    for (unsigned i = 0; i < PF_COLUMN_RARE; i++)
        overrun |= decoder->at[i] > decoder->end[i];
    return overrun;
}

/* What is wrong with a hot record. */
static char *explain_bad(PfDecoder *decoder, const PfRecord *record)
{
    char *problem = pf_trace_rules_apply(decoder->rules, record);
    return problem != NULL ? problem
                           : g_strdup("an access with a malformed value or virtual address");
}

/* A stride of hot records, at least one. */
static char *fill_hot(PfDecoder *decoder, PfRecordBlock *block)
{
    if (decoder->context == PF_TRACE_NO_CONTEXT)
        return g_strdup("an access that belongs to no context");
    size_t tags_left = (size_t)(decoder->end[PF_COLUMN_TAGS] - decoder->at[PF_COLUMN_TAGS]);
    size_t limit = MIN(MIN(decoder->left, tags_left),
                       MIN(PF_TRACE_BLOCK_RECORDS - block->count, (size_t)STRIDE_RECORDS));
    PfRecord *records = block->records + block->count;
    bool is_bad;
    size_t count = decoder->is_virtual ? decode_hot(decoder, records, limit, true, &is_bad)
                                       : decode_hot(decoder, records, limit, false, &is_bad);
    if (columns_overrun(decoder))
        return g_strdup("an access whose bytes are not in the frame");
    block->count += (uint32_t)count;
    decoder->left -= (uint32_t)count;
    decoder->number += count;
    return is_bad ? explain_bad(decoder, &records[count]) : NULL;
}

static char *rare_problem(const PfDecoder *decoder)
{
    return g_strdup_printf("the frame %s", decoder->rare.problem);
}

static char *fill_rare(PfDecoder *decoder, PfRecordBlock *block)
{
    PfRecord *record = &block->records[block->count];
    *record = (PfRecord){.content = PF_TRACE_NO_CONTENT,
                         .context = PF_TRACE_NO_CONTEXT,
                         .line = (uint32_t)decoder->number};
    decoder->rare.block = block;
    pf_rare_code(&decoder->rare, record);
    if (decoder->rare.problem != NULL)
        return rare_problem(decoder);
    char *problem = pf_trace_rules_apply(decoder->rules, record);
    if (problem != NULL)
        return problem;
    if (record->kind == PF_RECORD_EXIT && record->context == decoder->context)
        decoder->context = PF_TRACE_NO_CONTEXT;
    if (record->kind == PF_RECORD_TIME && !decoder->has_time) {
        decoder->has_time = true;
        decoder->first_time_ps = record->count;
    }
    block->count++;
    decoder->left--;
    decoder->number++;
    return NULL;
}

static char *switch_context(PfDecoder *decoder)
{
    uint64_t number = PF_TRACE_NO_CONTEXT;
    pf_rare_code_number(&decoder->rare, &number);
    if (decoder->rare.problem != NULL)
        return rare_problem(decoder);
    const PfTraceContext *context = number < PF_TRACE_CONTEXTS_MAX
                                        ? pf_trace_rules_context(decoder->rules, (uint32_t)number)
                                        : NULL;
    if (context == NULL || context->has_exited)
        return g_strdup_printf("an access of context number %" PRIu64 ", which is not alive",
                               number);
    decoder->context = (uint32_t)number;
    return NULL;
}

/* Whatever the next tag says. */
static char *fill_some(PfDecoder *decoder, PfRecordBlock *block)
{
    if (decoder->at[PF_COLUMN_TAGS] == decoder->end[PF_COLUMN_TAGS])
        return g_strdup("a frame with fewer records than it says");
    unsigned tag = *decoder->at[PF_COLUMN_TAGS];
    if (decoder->tags[tag].is_hot)
        return fill_hot(decoder, block);
    decoder->at[PF_COLUMN_TAGS]++;
    switch (tag) {
    case PF_TAG_RARE:
        return fill_rare(decoder, block);
    case PF_TAG_SWITCH:
        return switch_context(decoder);
    case PF_TAG_VIRTUAL_ON:
    case PF_TAG_VIRTUAL_OFF:
        decoder->is_virtual = tag == PF_TAG_VIRTUAL_ON;
        return NULL;
    default:
        return g_strdup_printf("a record with the unknown tag %u", tag);
    }
}

/* At the end of a payload all of it must have been used. */
static bool is_used_up(const PfDecoder *decoder)
{
    bool used = decoder->rare.get == decoder->rare.end;
    for (unsigned i = 0; i < PF_COLUMN_RARE; i++)
        used &= decoder->at[i] == decoder->end[i];
    return used;
}

char *pf_decoder_fill(PfDecoder *decoder, PfRecordBlock *block)
{
    /* Contents may have filled the block's bytes already: one record goes in all the same. */
    while (decoder->left > 0 && block->count < PF_TRACE_BLOCK_RECORDS &&
           (block->count == 0 || pf_record_block_bytes(block) < PF_BLOCK_BYTES_FULL)) {
        char *problem = fill_some(decoder, block);
        if (problem != NULL)
            return problem;
    }
    if (decoder->left == 0 && !is_used_up(decoder))
        return g_strdup("a frame with more than its records");
    return NULL;
}
