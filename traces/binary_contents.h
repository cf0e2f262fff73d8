/* The payload of a content frame: contents, the last of which may go on in the next frame. */
#pragma once

#include "trace.h"

/* Contents given before the records that use them, in bytes and in number: so much, and a page. */
enum { PF_CONTENTS_PENDING_MAX = 1 << 28 };

/* Reading. */
typedef struct {
    GByteArray *part;     /* bytes of a content that goes on, or empty */
    uint32_t part_length; /* bytes that it has in all; 0 if none goes on */
    uint32_t page_bytes;
} PfContentReader;

/* Begins with no content going on; the page size bounds what is read. */
void pf_content_reader_init(PfContentReader *reader, uint32_t page_bytes);
void pf_content_reader_clear(PfContentReader *reader);

/* Appends the contents that PAYLOAD completes to BLOCK. Returns what is wrong, a constant, or
 * NULL. */
const char *pf_content_reader_take(PfContentReader *reader, const uint8_t *payload, size_t length,
                                   PfRecordBlock *block);

/* Writing: the most bytes that a content takes besides its BYTES. */
enum { PF_CONTENT_ITEM_BYTES_MAX = 24 };

/* Appends SPEC, without its BYTES, to PAYLOAD. */
void pf_content_put(GByteArray *payload, const PfContentSpec *spec);
