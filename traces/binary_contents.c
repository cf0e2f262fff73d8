#include "binary_contents.h"

#include "binary_layout.h"
#include "trace_content.h"

/* Bit 7 of the first byte: an ID with a changed byte. */
enum { FORM_MASK = 0x7f, HAS_CHANGE = 0x80 };

void pf_content_reader_init(PfContentReader *reader, uint32_t page_bytes)
{
    *reader = (PfContentReader){.part = g_byte_array_new(), .page_bytes = page_bytes};
}

void pf_content_reader_clear(PfContentReader *reader)
{
    if (reader->part != NULL)
        g_byte_array_unref(reader->part);
    reader->part = NULL;
}

typedef struct {
    const uint8_t *at;
    size_t left;
    bool is_short;
} Cursor;

static const uint8_t *take(Cursor *cursor, size_t length)
{
    static const uint8_t zeros[8];
    if (cursor->left < length) {
        cursor->is_short = true;
        return zeros;
    }
    const uint8_t *bytes = cursor->at;
    cursor->at += length;
    cursor->left -= length;
    return bytes;
}

/* As many bytes of the content that goes on as there are. */
static void take_part(PfContentReader *reader, Cursor *cursor, PfRecordBlock *block)
{
    size_t wanted = reader->part_length - reader->part->len;
    size_t length = MIN(wanted, cursor->left);
    /* What is whole in one frame, as nearly all are, is copied once. */
    if (reader->part->len == 0 && length == reader->part_length) {
        uint8_t *bytes = pf_record_block_alloc(block, length);
        memcpy(bytes, take(cursor, length), length);
        PfContentSpec spec = {
            .form = PF_CONTENT_BYTES, .bytes = bytes, .length = reader->part_length};
        g_array_append_val(block->contents, spec);
        reader->part_length = 0;
        return;
    }
    g_byte_array_append(reader->part, take(cursor, length), (guint)length);
    if (reader->part->len < reader->part_length)
        return;
    uint8_t *bytes = pf_record_block_alloc(block, reader->part->len);
    memcpy(bytes, reader->part->data, reader->part->len);
    PfContentSpec spec = {.form = PF_CONTENT_BYTES, .bytes = bytes, .length = reader->part->len};
    g_array_append_val(block->contents, spec);
    g_byte_array_set_size(reader->part, 0);
    reader->part_length = 0;
}

static const char *take_item(PfContentReader *reader, Cursor *cursor, PfRecordBlock *block)
{
    uint8_t first = *take(cursor, 1);
    PfContentSpec spec = {.form = (PfContentForm)(first & FORM_MASK)};
    if ((first & HAS_CHANGE) != 0 && spec.form != PF_CONTENT_ID)
        return "a content of an unknown form";
    if (spec.form == PF_CONTENT_ID || spec.form == PF_CONTENT_HASH)
        spec.number = pf_get_u64(take(cursor, 8));
    if ((first & HAS_CHANGE) != 0) {
        spec.at = pf_get_u32(take(cursor, 4));
        spec.with = *take(cursor, 1);
    }
    if (spec.form == PF_CONTENT_BYTES)
        spec.length = pf_get_u32(take(cursor, 4));
    if (cursor->is_short)
        return "a content frame ends within a content";
    if (pf_content_spec_problem(&spec, reader->page_bytes) != NULL)
        return "a content that does not fit into a page, or of an unknown form";
    if (spec.form == PF_CONTENT_BYTES && spec.length == 0)
        return "a content without bytes";
    if (spec.form == PF_CONTENT_BYTES)
        reader->part_length = spec.length;
    else
        g_array_append_val(block->contents, spec);
    return NULL;
}

const char *pf_content_reader_take(PfContentReader *reader, const uint8_t *payload, size_t length,
                                   PfRecordBlock *block)
{
    Cursor cursor = {.at = payload, .left = length};
    while (cursor.left > 0) {
        const char *problem = NULL;
        if (reader->part_length > 0)
            take_part(reader, &cursor, block);
        else
            problem = take_item(reader, &cursor, block);
        if (problem != NULL)
            return problem;
    }
    return NULL;
}

void pf_content_put(GByteArray *payload, const PfContentSpec *spec)
{
    uint8_t item[PF_CONTENT_ITEM_BYTES_MAX];
    guint length = 1;
    item[0] = (uint8_t)spec->form;
    if (spec->form == PF_CONTENT_ID || spec->form == PF_CONTENT_HASH) {
        pf_put_u64(item + length, spec->number);
        length += 8;
    }
    if (spec->form == PF_CONTENT_ID && spec->with != 0) {
        item[0] |= HAS_CHANGE;
        pf_put_u32(item + length, spec->at);
        item[length + 4] = spec->with;
        length += 5;
    }
    if (spec->form == PF_CONTENT_BYTES) {
        pf_put_u32(item + length, spec->length);
        length += 4;
    }
    g_byte_array_append(payload, item, length);
}
