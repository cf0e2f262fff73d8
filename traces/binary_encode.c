#include "binary_encode.h"

#include <string.h>

#include "binary_layout.h"
#include "binary_rare.h"
#include "binary_state.h"

/* More than any record takes outside of the column of rare things. */
enum { HOT_BYTES_MAX = 64 };

struct PfEncoder {
    const PfTraceRules *rules;
    PfBinaryState state;
    PfRareCoder rare; /* its `put` is the end of that column */
    uint8_t *start[PF_COLUMN_COUNT];
    uint8_t *end[PF_COLUMN_COUNT]; /* of what is written; that of the rare column is in `rare` */
    size_t used;                   /* bytes in all columns, rare ones apart */
    uint32_t count;
    uint32_t context; /* of hot records, PF_TRACE_NO_CONTEXT if not told yet */
    bool is_virtual;
};

static void begin_payload(PfEncoder *encoder)
{
    for (unsigned i = 0; i < PF_COLUMN_COUNT; i++)
        encoder->end[i] = encoder->start[i];
    encoder->rare.put = encoder->start[PF_COLUMN_RARE];
    encoder->used = 0;
    encoder->count = 0;
    encoder->context = PF_TRACE_NO_CONTEXT;
    encoder->is_virtual = false;
    pf_binary_state_begin_frame(&encoder->state);
}

PfEncoder *pf_encoder_new(const PfTraceRules *rules)
{
    PfEncoder *encoder = g_new0(PfEncoder, 1);
    encoder->rules = rules;
    pf_binary_state_init(&encoder->state);
    encoder->rare = (PfRareCoder){
        .is_writing = true, .strings = pf_strings_new(), .state = &encoder->state, .rules = rules};
    for (unsigned i = 0; i < PF_COLUMN_COUNT; i++)
        encoder->start[i] = g_malloc(PF_FRAME_PAYLOAD_MAX + HOT_BYTES_MAX);
    begin_payload(encoder);
    return encoder;
}

void pf_encoder_free(PfEncoder *encoder)
{
    if (encoder == NULL)
        return;
    for (unsigned i = 0; i < PF_COLUMN_COUNT; i++)
        g_free(encoder->start[i]);
    pf_strings_free(encoder->rare.strings);
    pf_binary_state_clear(&encoder->state);
    g_free(encoder);
}

static size_t rare_used(const PfEncoder *encoder)
{
    return (size_t)(encoder->rare.put - encoder->start[PF_COLUMN_RARE]);
}

static bool is_hot(const PfRecord *record)
{
    if (record->kind == PF_RECORD_WRITE)
        return (record->flags & PF_RECORD_MODIFIES) == 0 &&
               ((record->flags & PF_RECORD_HAS_VALUE) == 0 ||
                record->count <= sizeof(record->value));
    return record->kind == PF_RECORD_READ || record->kind == PF_RECORD_RUN ||
           record->kind == PF_RECORD_FETCH;
}

bool pf_encoder_has_room(const PfEncoder *encoder, const PfRecord *record)
{
    size_t used = PF_COLUMNS_HEADER_BYTES + encoder->used + rare_used(encoder);
    size_t wanted = HOT_BYTES_MAX + (is_hot(record) ? 0 : pf_rare_bytes_max(record));
    return used + wanted <= PF_FRAME_PAYLOAD_MAX;
}

static void put_tag(PfEncoder *encoder, unsigned tag)
{
    *encoder->end[PF_COLUMN_TAGS]++ = (uint8_t)tag;
    encoder->used++;
}

/* The lowest BYTES (at most 8) bytes of NUMBER; the buffer has room for 8. */
static void put_bytes(PfEncoder *encoder, PfColumn column, uint64_t number, unsigned bytes)
{
    pf_put_u64(encoder->end[column], number);
    encoder->end[column] += bytes;
    encoder->used += bytes;
}

static unsigned address_code(unsigned bytes)
{
    static const uint8_t codes[] = {0, 1, 2, 3, 4, 5, 5, 6, 6};
    return codes[bytes];
}

/* The code of SIZE; RET_BYTES is how many bytes of it go into their column. */
static unsigned size_code(uint64_t size, unsigned *ret_bytes)
{
    *ret_bytes = 0;
    switch (size) {
    case 1:
        return 0;
    case 2:
        return 1;
    case 4:
        return 2;
    case 8:
        return 3;
    default:
        *ret_bytes = size <= UINT8_MAX ? 1 : 4;
        return size <= UINT8_MAX ? 4 : 5;
    }
}

/* The difference of VALUE to BASE in the low bits that SHIFT leaves of 64, as a small number. */
static inline uint64_t value_difference(uint64_t value, uint64_t base, unsigned shift)
{
    uint64_t high = (value - base) << shift;
    uint64_t sign = 0 - (high >> 63);
    uint64_t difference = (high ^ sign) >> shift;
    return difference << 1 ^ (sign & 1);
}

/* The number that stands for VALUE of 64 - SHIFT bits written to ADDRESS; RET_CODE tells its bytes
 * and what it is the difference to. Plain values repeat, which compression sees: a difference must
 * be shorter. */
static inline uint64_t choose_value(const PfContextState *context, uint64_t value, unsigned shift,
                                    uint64_t address, unsigned *ret_code)
{
    uint64_t bases[PF_VALUE_BASES] = {0, context->value, address, context->address[PF_BASE_FETCH]};
    unsigned best = pf_bytes_needed(value);
    uint64_t number = value;
    for (unsigned i = PF_VALUE_PREVIOUS; i < PF_VALUE_BASES; i++) {
        uint64_t candidate = value_difference(value, bases[i], shift);
        unsigned bytes = pf_bytes_needed(candidate);
        bool is_shorter = bytes < (best & 0xf);
        number = is_shorter ? candidate : number;
        best = is_shorter ? bytes | i << 4 : best;
    }
    *ret_code = best;
    return number;
}

static void put_value(PfEncoder *encoder, const PfRecord *record, PfContextState *context)
{
    unsigned code;
    unsigned shift = 64 - 8 * (unsigned)record->count;
    uint64_t number = choose_value(context, record->value, shift, record->address, &code);
    put_bytes(encoder, PF_COLUMN_VALUE_CODES, code, 1);
    put_bytes(encoder, PF_COLUMN_VALUES, number, code & 0xf);
    context->value = record->value;
}

static void put_virtual(PfEncoder *encoder, const PfRecord *record)
{
    uint64_t *entry =
        &encoder->state.virtuals[pf_virtual_entry(record->address, encoder->rules->page_shift)];
    uint64_t distance = record->virtual_address - record->address;
    uint64_t number = pf_zigzag(distance - *entry);
    *entry = distance;
    unsigned bytes = pf_bytes_needed(number);
    put_bytes(encoder, PF_COLUMN_VIRTUAL_CODES, bytes, 1);
    put_bytes(encoder, PF_COLUMN_VIRTUALS, number, bytes);
}

static void put_access(PfEncoder *encoder, const PfRecord *record, PfContextState *context)
{
    bool has_value = (record->flags & PF_RECORD_HAS_VALUE) != 0;
    bool is_virtual = (record->flags & PF_RECORD_HAS_VIRTUAL) != 0;
    unsigned class = 4;
    PfBase base = PF_BASE_FETCH;
    if (record->kind == PF_RECORD_READ) {
        class = (record->flags & PF_RECORD_DEPENDENT) != 0 ? 1 : 0;
        base = PF_BASE_READ;
    } else if (record->kind == PF_RECORD_WRITE) {
        class = has_value ? 3 : 2;
        base = PF_BASE_WRITE;
    }
    if (is_virtual != encoder->is_virtual)
        put_tag(encoder, is_virtual ? PF_TAG_VIRTUAL_ON : PF_TAG_VIRTUAL_OFF);
    encoder->is_virtual = is_virtual;
    uint64_t difference = pf_zigzag(record->address - context->address[base]);
    context->address[base] = record->address;
    unsigned address = address_code(pf_bytes_needed(difference));
    unsigned size_bytes;
    unsigned size = size_code(record->count, &size_bytes);
    put_tag(encoder, (class * PF_TAG_SIZES + size) * PF_TAG_ADDRESSES + address);
    put_bytes(encoder, PF_COLUMN_ADDRESSES, difference, pf_tag_address_bytes[address]);
    put_bytes(encoder, PF_COLUMN_SIZES, record->count, size_bytes);
    if (has_value)
        put_value(encoder, record, context);
    if (is_virtual)
        put_virtual(encoder, record);
}

static void put_run(PfEncoder *encoder, const PfRecord *record)
{
    unsigned code = 0;
    while (code < 3 && record->count > pf_mask_bytes(1U << code))
        code++;
    put_tag(encoder, PF_TAG_RUN + code);
    put_bytes(encoder, PF_COLUMN_SIZES, record->count, 1U << code);
}

/* The state of CONTEXT, whose hot records follow. */
static PfContextState *switch_context(PfEncoder *encoder, uint32_t number)
{
    PfContextState *context = pf_binary_state_context(&encoder->state, number);
    if (number != encoder->context) {
        uint64_t coded = number;
        put_tag(encoder, PF_TAG_SWITCH);
        pf_rare_code_number(&encoder->rare, &coded);
        encoder->context = number;
    }
    return context;
}

const char *pf_encoder_add(PfEncoder *encoder, const PfRecord *record)
{
    encoder->count++;
    if (!is_hot(record)) {
        PfRecord copy = *record;
        put_tag(encoder, PF_TAG_RARE);
        pf_rare_code(&encoder->rare, &copy);
        return encoder->rare.problem;
    }
    PfContextState *context = switch_context(encoder, record->context);
    if (record->kind == PF_RECORD_RUN)
        put_run(encoder, record);
    else
        put_access(encoder, record, context);
    return NULL;
}

/* Ends of columns, in registers while a batch is encoded. */
typedef struct {
    uint8_t *tags;
    uint8_t *addresses;
    uint8_t *sizes;
    uint8_t *value_codes;
    uint8_t *values;
} HotColumns;

/* The tag of an access with class and size FIRST, whose address differs from BASE. */
static inline void put_packed_address(HotColumns *columns, unsigned first, uint64_t address,
                                      uint64_t *base)
{
    uint64_t difference = pf_zigzag(address - *base);
    unsigned code = address_code(pf_bytes_needed(difference));
    *base = address;
    *columns->tags++ = (uint8_t)(first * PF_TAG_ADDRESSES + code);
    pf_put_u64(columns->addresses, difference);
    columns->addresses += pf_tag_address_bytes[code];
}

static inline void put_packed_run(HotColumns *columns, uint64_t instructions)
{
    unsigned code = 0;
    while (code < 3 && instructions > pf_mask_bytes(1U << code))
        code++;
    *columns->tags++ = (uint8_t)(PF_TAG_RUN + code);
    pf_put_u64(columns->sizes, instructions);
    columns->sizes += (size_t)1 << code;
}

/* Encodes the record that WORD begins, whose value if any is VALUE. */
static inline void put_packed(HotColumns *columns, PfContextState *context, uint64_t word,
                              const uint64_t *value)
{
    /* Classes of tags; a fetch of up to 128 bytes has a size code, and maybe a byte of size. */
    static const uint8_t classes[PF_PACKED_KINDS] = {0, 3, 2, 4, 0};
    static const uint8_t bases[PF_PACKED_KINDS] = {PF_BASE_READ, PF_BASE_WRITE, PF_BASE_WRITE,
                                                   PF_BASE_FETCH, PF_BASE_NONE};
    PfPackedKind kind = pf_packed_kind(word);
    unsigned log = pf_packed_bytes_log(word);
    uint64_t address = pf_packed_address(word);
    if (kind == PF_PACKED_RUN) {
        put_packed_run(columns, address);
        return;
    }
    bool is_plain = log <= PF_PACKED_DATA_LOG_MAX;
    unsigned first = classes[kind] * (unsigned)PF_TAG_SIZES + (is_plain ? log : 4U);
    put_packed_address(columns, first, address, &context->address[bases[kind]]);
    *columns->sizes = (uint8_t)(1U << log);
    columns->sizes += is_plain ? 0 : 1;
    if (kind != PF_PACKED_WRITE)
        return;
    unsigned shift = 64 - (8U << log);
    uint64_t written = *value << shift >> shift;
    unsigned code;
    uint64_t number = choose_value(context, written, shift, address, &code);
    *columns->value_codes++ = (uint8_t)code;
    pf_put_u64(columns->values, number);
    columns->values += code & 0xf;
    context->value = written;
}

size_t pf_encoder_add_packed(PfEncoder *encoder, uint32_t number, const uint64_t *words,
                             size_t count, PfPackedCounts *counts)
{
    /* A tag; a run's 8 bytes, or an address, a size, a code and a value. */
    enum { RECORD_BYTES_MAX = 1 + 8 + 1 + 1 + 8 };
    const uint64_t *word = words;
    const uint64_t *end = words + count;
    size_t used = PF_COLUMNS_HEADER_BYTES + encoder->used + rare_used(encoder);
    if (count == 0 || used + HOT_BYTES_MAX > PF_FRAME_PAYLOAD_MAX)
        return 0;
    PfContextState *context = switch_context(encoder, number);
    PfContextState state = *context;
    if (encoder->is_virtual)
        put_tag(encoder, PF_TAG_VIRTUAL_OFF);
    encoder->is_virtual = false;
    HotColumns columns = {encoder->end[PF_COLUMN_TAGS], encoder->end[PF_COLUMN_ADDRESSES],
                          encoder->end[PF_COLUMN_SIZES], encoder->end[PF_COLUMN_VALUE_CODES],
                          encoder->end[PF_COLUMN_VALUES]};
    used = PF_COLUMNS_HEADER_BYTES + encoder->used + rare_used(encoder);
    size_t room = used + HOT_BYTES_MAX > PF_FRAME_PAYLOAD_MAX
                      ? 1
                      : (PF_FRAME_PAYLOAD_MAX - HOT_BYTES_MAX - used) / RECORD_BYTES_MAX + 1;
    uint32_t records = 0;
    for (; records < room && word < end; records++) {
        PfPackedKind kind = pf_packed_kind(*word);
        counts->records[kind]++;
        counts->instructions += kind == PF_PACKED_RUN ? pf_packed_address(*word) : 0;
        put_packed(&columns, &state, *word, word + 1);
        word += kind == PF_PACKED_WRITE ? 2 : 1;
    }
    *context = state;
    encoder->used += (size_t)(columns.tags - encoder->end[PF_COLUMN_TAGS]) +
                     (size_t)(columns.addresses - encoder->end[PF_COLUMN_ADDRESSES]) +
                     (size_t)(columns.sizes - encoder->end[PF_COLUMN_SIZES]) +
                     (size_t)(columns.value_codes - encoder->end[PF_COLUMN_VALUE_CODES]) +
                     (size_t)(columns.values - encoder->end[PF_COLUMN_VALUES]);
    encoder->end[PF_COLUMN_TAGS] = columns.tags;
    encoder->end[PF_COLUMN_ADDRESSES] = columns.addresses;
    encoder->end[PF_COLUMN_SIZES] = columns.sizes;
    encoder->end[PF_COLUMN_VALUE_CODES] = columns.value_codes;
    encoder->end[PF_COLUMN_VALUES] = columns.values;
    encoder->count += records;
    return (size_t)(word - words);
}

uint32_t pf_encoder_count(const PfEncoder *encoder)
{
    return encoder->count;
}

uint32_t pf_encoder_strings(const PfEncoder *encoder)
{
    return pf_strings_count(encoder->rare.strings);
}

size_t pf_encoder_take(PfEncoder *encoder, uint8_t *bytes)
{
    encoder->end[PF_COLUMN_RARE] = encoder->rare.put;
    size_t length = PF_COLUMNS_HEADER_BYTES;
    for (unsigned i = 0; i < PF_COLUMN_COUNT; i++) {
        size_t column = (size_t)(encoder->end[i] - encoder->start[i]);
        pf_put_u32(bytes + (size_t)i * 4, (uint32_t)column);
        memcpy(bytes + length, encoder->start[i], column);
        length += column;
    }
    g_assert(length <= PF_FRAME_PAYLOAD_MAX);
    begin_payload(encoder);
    return length;
}
