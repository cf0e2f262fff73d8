/* --- Part 5: what tools call to write -------------------------------------------------------- */

static bool is_hot(const PftRecord *record)
{
    if (record->kind == PFT_WRITE)
        return (record->flags & PFT_MODIFIES) == 0 &&
               ((record->flags & PFT_VALUE) == 0 || record->count <= 8);
    return record->kind == PFT_READ || record->kind == PFT_RUN || record->kind == PFT_FETCH;
}

static void make_room(PftWriter *writer, const PftRecord *record, bool is_rare)
{
    size_t wanted = 4 * (size_t)COLUMNS + HOT_BYTES_MAX;
    for (int i = 0; i < COLUMNS; i++)
        wanted += (size_t)(writer->trace.at[i] - writer->start[i]);
    if (is_rare)
        wanted += RARE_BYTES_MAX;
    if (is_rare && record->kind == PFT_WRITE && (record->flags & PFT_VALUE) != 0)
        wanted += (size_t)record->count;
    if (wanted <= PAYLOAD_BYTES_MAX)
        return;
    flush_contents(writer);
    flush_records(writer);
}

static void put_tag(Trace *trace, unsigned tag)
{
    *trace->at[TAGS]++ = (uint8_t)tag;
}

/* The tag of an access: what it is, its size, and how many bytes its address takes. */
static unsigned access_tag(const PftRecord *record, const Context *context)
{
    static const uint8_t address_codes[] = {0, 1, 2, 3, 4, 5, 5, 6, 6};
    unsigned class = record->kind == PFT_READ ? 0 : record->kind == PFT_WRITE ? 2 : 4;
    if ((record->flags & (PFT_DEPENDENT | PFT_VALUE)) != 0)
        class ++;
    uint64_t difference = zigzag(record->address - context->address[class_bases[class]]);
    unsigned size = record->count <= UINT8_MAX ? 4 : 5;
    for (unsigned i = 0; i < 4; i++)
        if (record->count == 1U << i)
            size = i;
    return (class * SIZE_CODES + size) * ADDRESS_CODES + address_codes[bytes_needed(difference)];
}

static void write_hot(Trace *trace, PftRecord *record)
{
    const Context *context = enter_context(trace, record->context);
    if (record->context != trace->context) {
        uint64_t number = trace->context = record->context;
        put_tag(trace, TAG_SWITCH);
        code_number(trace, &number);
    }
    unsigned tag = TAG_RUN;
    bool is_virtual = (record->flags & PFT_VIRTUAL) != 0;
    if (record->kind == PFT_RUN) {
        while (tag < TAG_HOT_END - 1 && record->count > mask_bytes(1U << (tag - TAG_RUN)))
            tag++;
    } else {
        if (is_virtual != trace->is_virtual)
            put_tag(trace, is_virtual ? TAG_VIRTUAL : TAG_NO_VIRTUAL);
        trace->is_virtual = is_virtual;
        tag = access_tag(record, context);
    }
    put_tag(trace, tag);
    code_hot(trace, record, tag);
}

static void fail_record(Trace *trace, const PftRecord *record, const char *problem)
{
    char place[128];
    const char *name = (unsigned)record->kind < PFT_KINDS ? traits[record->kind].name : "no kind";
    snprintf(place, sizeof(place),
             "record %" PRIu64 ", %s (context %" PRIu32 ", address 0x%" PRIx64 ", count %" PRIu64
             ")",
             trace->records, name, record->context, record->address, record->count);
    fail(trace, place, problem);
}

bool pft_add(PftWriter *writer, const PftRecord *record)
{
    if (!is_open(writer))
        return false;
    Trace *trace = &writer->trace;
    PftRecord kept = *record;
    const char *problem = "give contents by pft_content, and kinds that there are";
    if ((unsigned)kept.kind < PFT_KINDS)
        problem = apply_rules(trace, &kept);
    if (problem == NULL) {
        bool is_rare = !is_hot(&kept);
        make_room(writer, &kept, is_rare);
        if (is_rare) {
            put_tag(trace, TAG_RARE);
            code_rare(trace, &kept);
        } else {
            write_hot(trace, &kept);
        }
        problem = trace->problem;
    }
    if (problem != NULL) {
        fail_record(trace, record, problem);
        return settle(writer);
    }
    trace->records++;
    writer->count++;
    trace->totals[TOTAL_KINDS + (int)kept.kind]++;
    return settle(writer);
}

uint32_t pft_context(PftWriter *writer, const char *name, PftContextKind kind)
{
    PftRecord record = {.kind = PFT_CONTEXT, .name = name, .choice = kind};
    return pft_add(writer, &record) ? writer->trace.names.count - 1 : PFT_NONE;
}

bool pft_map(PftWriter *writer, uint32_t context, uint64_t address, uint64_t pages,
             const char *name, uint64_t offset)
{
    PftRecord record = {.kind = PFT_MAP,
                        .context = context,
                        .address = address,
                        .count = pages,
                        .backing = name != NULL ? PFT_FILE : PFT_ANON,
                        .name = name,
                        .number = offset};
    return pft_add(writer, &record);
}

bool pft_page(PftWriter *writer, PftKind kind, uint32_t context, uint64_t address,
              const void *bytes)
{
    if (!is_open(writer))
        return false;
    PftContent spec = {
        .form = PFT_BYTES, .bytes = bytes, .length = writer->trace.header.page_bytes};
    PftRecord record = {.kind = kind, .context = context, .address = address, .count = 1};
    record.content = pft_content(writer, &spec);
    return pft_add(writer, &record);
}

bool pft_run(PftWriter *writer, uint32_t context, uint64_t instructions)
{
    PftRecord record = {.kind = PFT_RUN, .context = context, .count = instructions};
    return pft_add(writer, &record);
}

bool pft_access(PftWriter *writer, PftKind kind, uint32_t context, uint64_t address, uint64_t bytes,
                const void *written)
{
    PftRecord record = {.kind = kind, .context = context, .address = address, .count = bytes};
    const uint8_t *value = written;
    record.bytes = value;
    record.flags = value != NULL ? PFT_VALUE : 0;
    for (unsigned i = 0; value != NULL && bytes <= 8 && i < bytes; i++)
        record.value |= (uint64_t)value[i] << 8 * i;
    return pft_add(writer, &record);
}

bool pft_time(PftWriter *writer, uint64_t picoseconds)
{
    PftRecord record = {.kind = PFT_TIME, .count = picoseconds};
    return pft_add(writer, &record);
}

bool pft_mark(PftWriter *writer, const char *label)
{
    PftRecord record = {.kind = PFT_MARK, .name = label};
    return pft_add(writer, &record);
}

const char *pft_error(const PftWriter *writer)
{
    if (writer == NULL)
        return "out of memory";
    return writer->trace.has_failed ? writer->trace.message : NULL;
}

static void write_end(PftWriter *writer)
{
    Trace *trace = &writer->trace;
    uint8_t bytes[8 * TOTALS] = {0};
    uint64_t index_offset = trace->offset;
    for (size_t at = 0; at < trace->index_bytes; at += PAYLOAD_BYTES_MAX) {
        size_t left = trace->index_bytes - at;
        write_frame(writer, FRAME_INDEX, trace->index + at,
                    left < PAYLOAD_BYTES_MAX ? left : PAYLOAD_BYTES_MAX, 0, at);
    }
    trace->totals[TOTAL_CONTEXTS] = trace->names.count;
    trace->totals[TOTAL_STRINGS] = trace->strings.count;
    for (int i = 0; i < TOTALS; i++)
        put64(bytes + 8 * i, trace->totals[i]);
    write_frame(writer, FRAME_TOTALS, bytes, sizeof(bytes), PFT_KINDS, trace->records);
    put32(bytes, FRAME_TRAILER);
    put32(bytes + 4, 0);
    put64(bytes + 8, index_offset);
    put64(bytes + 16, trace->records);
    put64(bytes + 24, checksum(bytes, TRAILER_BYTES - CHECKSUM_BYTES, trace->seed));
    write_bytes(writer, bytes, TRAILER_BYTES);
}

/* Some file systems tell a full disk only when the file is closed. */
static void close_file(PftWriter *writer)
{
    if (writer->trace.has_failed)
        return;
    FILE *file = writer->file;
    writer->file = NULL;
    if (fflush(file) != 0 || (file != stdout && fclose(file) != 0))
        fail_file(writer);
    else if (writer->temporary != NULL && rename(writer->temporary, writer->trace.path) != 0)
        fail_file(writer);
    if (!settle(writer))
        return;
    free(writer->temporary);
    writer->temporary = NULL;
}

bool pft_finish(PftWriter *writer)
{
    if (writer != NULL && writer->is_finished)
        return !writer->trace.has_failed;
    if (!is_open(writer))
        return false;
    flush_contents(writer);
    flush_records(writer);
    write_end(writer);
    close_file(writer);
    writer->is_finished = true;
    return settle(writer);
}

void pft_writer_free(PftWriter *writer)
{
    if (writer == NULL)
        return;
    abandon(writer);
    for (int i = 0; i < COLUMNS; i++)
        free(writer->start[i]);
    free(writer->payload);
    free(writer->packed);
    free(writer->pages);
    free(writer->contents.slots);
#ifdef PFT_WITH_ZSTD
    ZSTD_freeCCtx(writer->zstd);
#endif
    clear_trace(&writer->trace);
    free(writer);
}
