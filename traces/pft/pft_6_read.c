/* --- Part 6: reading ------------------------------------------------------------------------- */

typedef struct {
    uint32_t kind;
    uint32_t packed_bytes;
    uint32_t length;
    uint32_t count;
    uint64_t first;
} Frame;

typedef enum { PHASE_FRAMES, PHASE_INDEX, PHASE_TRAILER, PHASE_END } Phase;

struct PftReader {
    Trace trace;
    FILE *file;
    Phase phase;
    Frame frame;           /* at hand */
    uint64_t frame_offset; /* of it in the file */
    uint32_t left;         /* records of it that were not told yet */
    uint32_t ended;        /* contents of it that were told */
    const uint8_t *at;     /* in a frame of contents: what comes next; NULL in any other */
    uint8_t *packed;
    uint8_t *payload;
    uint8_t *part; /* bytes of a content that goes on */
    size_t part_room;
    size_t part_bytes;
    uint32_t part_length; /* bytes that it has in all, 0 if none goes on */
    uint64_t index_offset;
    size_t index_checked;
    PftContent given;
#ifdef PFT_WITH_ZSTD
    ZSTD_DCtx *zstd;
#endif
};

static bool fail_at(PftReader *reader, uint64_t offset, const char *problem)
{
    char place[64];
    snprintf(place, sizeof(place), "at byte %" PRIu64, offset);
    fail(&reader->trace, place, problem);
    return false;
}

static bool fail_frame(PftReader *reader, const char *problem)
{
    return fail_at(reader, reader->frame_offset, problem);
}

static bool read_bytes(PftReader *reader, uint8_t *bytes, size_t length)
{
    size_t got = fread(bytes, 1, length, reader->file);
    reader->trace.offset += got;
    if (got == length)
        return true;
    if (ferror(reader->file) != 0)
        return fail_at(reader, reader->trace.offset, strerror(errno));
    return fail_at(reader, reader->trace.offset, "the file is cut off here");
}

static bool read_header(PftReader *reader)
{
    Trace *trace = &reader->trace;
    uint8_t bytes[FILE_HEADER_BYTES];
    if (!read_bytes(reader, bytes, sizeof(bytes)))
        return false;
    if (memcmp(bytes, magic, sizeof(magic)) != 0)
        return fail_at(reader, 0, "no binary trace of pagefold, or one that was copied as text");
    trace->seed = get64(bytes + 32);
    if (trace->seed != checksum(bytes, 32, 0))
        return fail_at(reader, 0, "the checksum of the header is wrong");
    size_t length = get32(bytes + 24);
    if (get32(bytes + 8) != 1 || get32(bytes + 28) != 0)
        return fail_at(reader, 8, "a version of the format that is not known here");
    if (!set_page(trace, get32(bytes + 12)) || length > DESCRIPTION_BYTES_MAX)
        return fail_at(reader, 12, "a page size or a description that cannot be");
    trace->header.clock_hz = get64(bytes + 16);
    trace->description = calloc(1, length + CHECKSUM_BYTES + 1);
    if (trace->description == NULL)
        return fail_at(reader, 0, "out of memory");
    uint8_t *description = (uint8_t *)trace->description;
    if (!read_bytes(reader, description, length + CHECKSUM_BYTES))
        return false;
    if (get64(description + length) != checksum(description, length, trace->seed))
        return fail_at(reader, FILE_HEADER_BYTES, "the checksum of the description is wrong");
    memset(description + length, 0, CHECKSUM_BYTES);
    if (strlen(trace->description) != length || !is_utf8(trace->description))
        return fail_at(reader, FILE_HEADER_BYTES, "the description is not UTF-8");
    trace->header.description = trace->description;
    return true;
}

/* Unpacks `packed` to `payload`. Returns what is wrong, or NULL. */
static const char *unpack(PftReader *reader)
{
    const Frame *frame = &reader->frame;
#ifdef PFT_WITH_ZSTD
    size_t length = ZSTD_decompressDCtx(reader->zstd, reader->payload, frame->length,
                                        reader->packed, frame->packed_bytes);
    return length == frame->length ? NULL : "a frame cannot be decompressed";
#else
    static const char is_packed[] = "the trace is compressed, which this program was built to read "
                                    "only with -DPFT_WITH_ZSTD";
    const uint8_t *get = reader->packed;
    const uint8_t *end = get + frame->packed_bytes;
    uint8_t *put = reader->payload;
    size_t left = frame->length;
    if (end - get < 9 || get32(get) != 0xfd2fb528U)
        return "a frame cannot be unpacked";
    if (get[4] != 0xa0 || get32(get + 5) != frame->length)
        return is_packed;
    for (get += 9; end - get >= 3;) {
        uint32_t header = get[0] | (uint32_t)get[1] << 8 | (uint32_t)get[2] << 16;
        size_t part = header >> 3;
        get += 3;
        if ((header >> 1 & 3) != 0)
            return is_packed;
        if (part > left || part > (size_t)(end - get))
            break;
        memcpy(put, get, part);
        put += part;
        get += part;
        left -= part;
        if ((header & 1) != 0)
            return left == 0 && get == end ? NULL : "a frame cannot be unpacked";
    }
    return "a frame cannot be unpacked";
#endif
}

static const char *begin_records(PftReader *reader)
{
    Trace *trace = &reader->trace;
    const Frame *frame = &reader->frame;
    size_t offset = 4 * (size_t)COLUMNS;
    if (reader->part_length != 0)
        return "records before a content is complete";
    if (frame->first != trace->records || frame->count == 0 || frame->length < offset)
        return "records that are not the next, or none";
    begin_frame(trace);
    for (int i = 0; i < COLUMNS; i++) {
        size_t column = get32(reader->payload + 4 * i);
        if (column > frame->length - offset)
            return "columns that are longer than their frame";
        trace->at[i] = reader->payload + offset;
        offset += column;
        trace->end[i] = reader->payload + offset;
    }
    if (offset != frame->length)
        return "a frame that holds more than its columns";
    reader->left = frame->count;
    return NULL;
}

static const char *begin_contents(PftReader *reader)
{
    if (reader->frame.first != reader->trace.contents)
        return "contents that are not the next";
    reader->at = reader->payload;
    reader->ended = 0;
    return NULL;
}

static const char *check_index(PftReader *reader)
{
    const Trace *trace = &reader->trace;
    const Frame *frame = &reader->frame;
    if (frame->first != reader->index_checked || frame->count != 0 ||
        frame->length > trace->index_bytes - reader->index_checked ||
        memcmp(trace->index + reader->index_checked, reader->payload, frame->length) != 0)
        return "an index that is not that of the frames";
    reader->index_checked += frame->length;
    return NULL;
}

static const char *check_totals(PftReader *reader)
{
    Trace *trace = &reader->trace;
    const Frame *frame = &reader->frame;
    reader->phase = PHASE_TRAILER;
    trace->totals[TOTAL_CONTEXTS] = trace->names.count;
    trace->totals[TOTAL_STRINGS] = trace->strings.count;
    bool is_fine = frame->length == 8 * TOTALS && frame->count == PFT_KINDS &&
                   frame->first == trace->records && reader->part_length == 0 &&
                   reader->index_checked == trace->index_bytes;
    for (int i = 0; is_fine && i < TOTALS; i++)
        is_fine = trace->totals[i] == get64(reader->payload + 8 * i);
    return is_fine ? NULL : "totals that are not those of the trace";
}

static bool read_trailer(PftReader *reader)
{
    uint64_t offset = reader->trace.offset;
    uint8_t bytes[TRAILER_BYTES];
    if (!read_bytes(reader, bytes, sizeof(bytes)))
        return false;
    if (get64(bytes + 24) != checksum(bytes, 24, reader->trace.seed) ||
        get32(bytes) != FRAME_TRAILER || get32(bytes + 4) != 0 ||
        get64(bytes + 8) != reader->index_offset || get64(bytes + 16) != reader->trace.records)
        return fail_at(reader, offset, "a trailer that is wrong");
    if (fgetc(reader->file) != EOF)
        return fail_at(reader, offset + TRAILER_BYTES, "bytes behind the end of the trace");
    reader->phase = PHASE_END;
    return true;
}

static bool read_frame_header(PftReader *reader)
{
    uint8_t bytes[FRAME_HEADER_BYTES];
    reader->frame_offset = reader->trace.offset;
    if (!read_bytes(reader, bytes, sizeof(bytes)))
        return false;
    if (get64(bytes + 32) != checksum(bytes, 32, reader->trace.seed))
        return fail_frame(reader, "the checksum of a frame's header is wrong");
    reader->frame = (Frame){.kind = get32(bytes),
                            .packed_bytes = get32(bytes + 4),
                            .length = get32(bytes + 8),
                            .count = get32(bytes + 12),
                            .first = get64(bytes + 16)};
    const Frame *frame = &reader->frame;
    if (frame->length == 0 || frame->length > PAYLOAD_BYTES_MAX ||
        frame->packed_bytes > PACKED_BYTES_MAX)
        return fail_frame(reader, "a frame of a size that cannot be");
    if (!read_bytes(reader, reader->packed, frame->packed_bytes))
        return false;
    if (get64(bytes + 24) != checksum(reader->packed, frame->packed_bytes, reader->trace.seed))
        return fail_frame(reader, "the checksum of a frame is wrong");
    return true;
}

static bool read_frame(PftReader *reader)
{
    if (!read_frame_header(reader))
        return false;
    const char *problem = unpack(reader);
    uint32_t kind = reader->frame.kind;
    bool is_end = kind == FRAME_INDEX || kind == FRAME_TOTALS;
    if (is_end && reader->phase == PHASE_FRAMES) {
        reader->index_offset = reader->frame_offset;
        reader->phase = PHASE_INDEX;
    }
    reader->at = NULL;
    if (problem != NULL)
        return fail_frame(reader, problem);
    if (kind == FRAME_INDEX)
        problem = check_index(reader);
    else if (kind == FRAME_TOTALS)
        problem = check_totals(reader);
    else if (kind == FRAME_RECORDS && reader->phase == PHASE_FRAMES)
        problem = begin_records(reader);
    else if (kind == FRAME_CONTENTS && reader->phase == PHASE_FRAMES)
        problem = begin_contents(reader);
    else
        problem = "a frame of a kind that cannot come here";
    return problem == NULL || fail_frame(reader, problem);
}
