/* --- Part 7: what tools call to read --------------------------------------------------------- */

/* Begins the content at reader->at; its bytes, if it has any, come next. */
static const char *begin_content(PftReader *reader)
{
    const uint8_t *get = reader->at;
    size_t left = (size_t)(reader->payload + reader->frame.length - get);
    PftContent *given = &reader->given;
    *given = (PftContent){.form = (PftForm)(get[0] & 0x7f)};
    bool is_changed = get[0] >= 0x80;
    bool has_number = given->form == PFT_ID || given->form == PFT_HASH;
    size_t wanted = 1 + (has_number ? 8U : 0U) + (is_changed ? 5U : 0U);
    if (given->form == PFT_BYTES)
        wanted += 4;
    if ((unsigned)given->form >= PFT_FORMS || (is_changed && given->form != PFT_ID))
        return "a content of unknown form";
    if (wanted > left)
        return "a frame ends within a content";
    get++;
    if (has_number) {
        given->number = get64(get);
        get += 8;
    }
    if (is_changed) {
        given->at = get32(get);
        given->with = get[4];
    }
    if (given->form == PFT_BYTES)
        given->length = reader->part_length = get32(get);
    uint32_t page_bytes = reader->trace.header.page_bytes;
    if (given->at >= page_bytes || given->length > page_bytes ||
        (given->form == PFT_BYTES && given->length == 0))
        return "a content that does not fit into a page, or is empty";
    reader->at += wanted;
    reader->part_bytes = 0;
    return NULL;
}

/* Takes what the frame has of the bytes of a content; part_length is 0 when it has them all. */
static const char *take_part(PftReader *reader)
{
    size_t left = (size_t)(reader->payload + reader->frame.length - reader->at);
    size_t wanted = reader->part_length - reader->part_bytes;
    size_t length = wanted < left ? wanted : left;
    const uint8_t *bytes = reader->at;
    reader->at += length;
    if (length == 0)
        return NULL;
    /* What is whole in one frame, as nearly all are, is not copied. */
    if (length < reader->part_length) {
        uint8_t *part = grow(reader->part, &reader->part_room, reader->part_bytes + length, 1);
        if (part == NULL)
            return "out of memory";
        memcpy(part + reader->part_bytes, bytes, length);
        reader->part = part;
        reader->part_bytes += length;
        bytes = part;
    }
    reader->given.bytes = bytes;
    if (length == wanted)
        reader->part_length = 0;
    return NULL;
}

/* At the end of a frame of contents. */
static void end_contents(PftReader *reader)
{
    const Frame *frame = &reader->frame;
    reader->at = NULL;
    if (reader->ended != frame->count)
        fail_frame(reader, "another number of contents than is said");
    index_frame(&reader->trace, FRAME_CONTENTS, frame->packed_bytes, frame->count);
}

/* The next content of the frame into RECORD; false where its end, or an error, comes first. */
static bool next_content(PftReader *reader, PftRecord *record)
{
    Trace *trace = &reader->trace;
    const char *problem = NULL;
    if (reader->at == reader->payload + reader->frame.length) {
        end_contents(reader);
        return false;
    }
    if (reader->part_length == 0)
        problem = begin_content(reader);
    if (problem == NULL && reader->part_length > 0)
        problem = take_part(reader);
    if (problem == NULL && trace->contents >= PFT_NONE - 1)
        problem = "too many contents";
    if (problem != NULL)
        return fail_frame(reader, problem);
    if (reader->part_length > 0)
        return false;
    reader->ended++;
    trace->totals[TOTAL_FORMS + (int)reader->given.form]++;
    *record = (PftRecord){
        .kind = PFT_CONTENT, .content = (uint32_t)trace->contents++, .given = &reader->given};
    return true;
}

/* Takes one tag, which is that of a record (into RECORD) or of a switch. */
static const char *take_tag(Trace *trace, PftRecord *record, bool *ret_is_record)
{
    if (trace->at[TAGS] == trace->end[TAGS])
        return "fewer records than the frame says";
    unsigned tag = *trace->at[TAGS]++;
    *ret_is_record = tag < TAG_HOT_END || tag == TAG_RARE;
    if (tag < TAG_HOT_END) {
        if (trace->context == PFT_NONE)
            return "an access that belongs to no context";
        record->context = trace->context;
        code_hot(trace, record, tag);
    } else if (tag == TAG_RARE) {
        code_rare(trace, record);
    } else if (tag == TAG_SWITCH) {
        code_small(trace, &trace->context);
        if (trace->problem == NULL)
            return check_alive(trace, trace->context);
    } else if (tag == TAG_VIRTUAL || tag == TAG_NO_VIRTUAL) {
        trace->is_virtual = tag == TAG_VIRTUAL;
    } else {
        return "an unknown tag";
    }
    return trace->problem;
}

static bool next_record(PftReader *reader, PftRecord *record)
{
    Trace *trace = &reader->trace;
    memset(record, 0, sizeof(*record));
    bool is_record = false;
    const char *problem = NULL;
    while (problem == NULL && !is_record)
        problem = take_tag(trace, record, &is_record);
    if (problem == NULL && record->kind == PFT_CONTEXT)
        record->context = trace->names.count;
    if (problem == NULL && record->kind == PFT_FORK)
        record->other_context = trace->names.count;
    if (problem == NULL)
        problem = apply_rules(trace, record);
    if (problem == NULL && --reader->left == 0) {
        index_frame(trace, FRAME_RECORDS, reader->frame.packed_bytes, reader->frame.count);
        for (int i = 0; i < COLUMNS; i++)
            if (trace->at[i] != trace->end[i])
                problem = "more than the records of the frame";
    }
    if (problem != NULL) {
        char place[96];
        snprintf(place, sizeof(place), "at byte %" PRIu64 ": record %" PRIu64, reader->frame_offset,
                 trace->records);
        fail(trace, place, problem);
        return false;
    }
    trace->records++;
    trace->totals[TOTAL_KINDS + (int)record->kind]++;
    return true;
}

PftReader *pft_reader_new(const char *path)
{
    PftReader *reader = calloc(1, sizeof(PftReader));
    if (reader == NULL)
        return NULL;
    reader->trace.path = calloc(1, strlen(path) + 1);
    reader->packed = malloc(PACKED_BYTES_MAX);
    reader->payload = malloc(PAYLOAD_BYTES_MAX + SLACK_BYTES);
    bool is_fine = reader->trace.path != NULL && reader->packed != NULL && reader->payload != NULL;
#ifdef PFT_WITH_ZSTD
    reader->zstd = ZSTD_createDCtx();
    is_fine = is_fine && reader->zstd != NULL;
#endif
    if (!is_fine) {
        pft_reader_free(reader);
        return NULL;
    }
    strcpy(reader->trace.path, path);
    reader->file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    if (reader->file == NULL)
        fail(&reader->trace, "cannot be opened", strerror(errno));
    else if (!read_header(reader))
        reader->trace.header = (PftHeader){0};
    return reader;
}

const PftHeader *pft_header(const PftReader *reader)
{
    return &reader->trace.header;
}

bool pft_next(PftReader *reader, PftRecord *record)
{
    while (reader != NULL && !reader->trace.has_failed && reader->phase != PHASE_END) {
        if (reader->at != NULL) {
            if (next_content(reader, record))
                return true;
        } else if (reader->left > 0) {
            return next_record(reader, record);
        } else if (reader->phase == PHASE_TRAILER) {
            read_trailer(reader);
        } else {
            read_frame(reader);
        }
    }
    return false;
}

const char *pft_reader_error(const PftReader *reader)
{
    if (reader == NULL)
        return "out of memory";
    return reader->trace.has_failed ? reader->trace.message : NULL;
}

bool pft_expand(const PftContent *content, uint32_t page_bytes, uint8_t *bytes)
{
    memset(bytes, content->form == PFT_ONES ? 0xff : 0, page_bytes);
    if (content->form == PFT_BYTES && content->length > 0)
        memcpy(bytes, content->bytes, content->length);
    uint64_t state = content->number;
    for (uint32_t at = 0; content->form == PFT_ID && content->number != 0 && at < page_bytes;) {
        uint64_t word = state += 0x9e3779b97f4a7c15U;
        word = (word ^ word >> 30) * 0xbf58476d1ce4e5b9U;
        word = (word ^ word >> 27) * 0x94d049bb133111ebU;
        word ^= word >> 31;
        for (unsigned i = 0; i < 8 && at < page_bytes; i++, at++)
            bytes[at] = (uint8_t)(word >> 8 * i);
    }
    if (content->form == PFT_ID)
        bytes[content->at] ^= content->with;
    return content->form != PFT_HASH;
}

void pft_reader_free(PftReader *reader)
{
    if (reader == NULL)
        return;
    if (reader->file != NULL && reader->file != stdin)
        fclose(reader->file);
    free(reader->packed);
    free(reader->payload);
    free(reader->part);
#ifdef PFT_WITH_ZSTD
    ZSTD_freeDCtx(reader->zstd);
#endif
    clear_trace(&reader->trace);
    free(reader);
}
