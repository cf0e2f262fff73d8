/* --- Part 4: writing ------------------------------------------------------------------------- */

struct PftWriter {
    Trace trace;
    FILE *file;
    char *temporary; /* NULL where the file is written directly */
    bool is_finished;
    uint8_t *start[COLUMNS];
    uint32_t count;       /* records of the frame begun */
    uint8_t *payload;     /* of records, put together */
    uint8_t *packed;      /* what goes into the file */
    uint8_t *pages;       /* payload of the frame of contents begun */
    size_t pages_bytes;   /* in it */
    uint32_t pages_count; /* contents that end in it */
    uint64_t idle_bytes;  /* of contents since the last frame of records */
    Table contents;
#ifdef PFT_WITH_ZSTD
    ZSTD_CCtx *zstd;
#endif
};

enum {
    HOT_BYTES_MAX = 64,
    RARE_BYTES_MAX = 16 * 10 + 3 * (int)PFT_NAME_BYTES_MAX, /* numbers and names */
    ITEM_BYTES_MAX = 24,                                    /* of a content, without its bytes */
    IDLE_BYTES_MAX = 1 << 27,
    NAME_ATTEMPTS_MAX = 100
};

/* Closes and removes what cannot be finished any more. */
static void abandon(PftWriter *writer)
{
    if (writer->file != NULL && writer->file != stdout)
        fclose(writer->file);
    writer->file = NULL;
    if (writer->temporary != NULL)
        remove(writer->temporary);
    free(writer->temporary);
    writer->temporary = NULL;
}

/* Whether all is well; after an error nothing stays behind. */
static bool settle(PftWriter *writer)
{
    if (writer->trace.has_failed)
        abandon(writer);
    return !writer->trace.has_failed;
}

static void fail_file(PftWriter *writer)
{
    fail(&writer->trace, "cannot be written", strerror(errno));
}

static bool is_open(PftWriter *writer)
{
    if (writer != NULL && writer->is_finished)
        fail(&writer->trace, "", "the trace is finished, nothing can be added");
    return writer != NULL && !writer->trace.has_failed;
}

static void write_bytes(PftWriter *writer, const void *bytes, size_t length)
{
    if (writer->trace.has_failed || length == 0)
        return;
    writer->trace.offset += length;
    if (fwrite(bytes, 1, length, writer->file) != length)
        fail_file(writer);
}

/* Makes `packed` the zstd frame of PAYLOAD and returns its length: compressed, or as blocks that
 * hold it as it is. */
static size_t pack(PftWriter *writer, const uint8_t *payload, size_t length)
{
#ifdef PFT_WITH_ZSTD
    enum { LEVEL = 3 }; /* higher ones cost four times the time for some percent */
    size_t packed =
        ZSTD_compressCCtx(writer->zstd, writer->packed, PACKED_BYTES_MAX, payload, length, LEVEL);
    if (ZSTD_isError(packed))
        fail(&writer->trace, "", "cannot be compressed");
    return packed;
#else
    enum { BLOCK_BYTES_MAX = 1 << 17 };
    uint8_t *put = writer->packed;
    put32(put, 0xfd2fb528U);
    put[4] = 0xa0; /* the length follows in 4 bytes, and is the window too */
    put32(put + 5, (uint32_t)length);
    put += 9;
    while (length > 0) {
        size_t part = length < BLOCK_BYTES_MAX ? length : BLOCK_BYTES_MAX;
        uint32_t header = (uint32_t)part << 3 | (part == length);
        put[0] = (uint8_t)header;
        put[1] = (uint8_t)(header >> 8);
        put[2] = (uint8_t)(header >> 16);
        memcpy(put + 3, payload, part);
        put += 3 + part;
        payload += part;
        length -= part;
    }
    return (size_t)(put - writer->packed);
#endif
}

static void write_frame(PftWriter *writer, uint32_t kind, const uint8_t *payload, size_t length,
                        uint32_t count, uint64_t first)
{
    if (writer->trace.has_failed)
        return;
    size_t packed = pack(writer, payload, length);
    if (writer->trace.has_failed)
        return;
    uint8_t header[FRAME_HEADER_BYTES];
    put32(header, kind);
    put32(header + 4, (uint32_t)packed);
    put32(header + 8, (uint32_t)length);
    put32(header + 12, count);
    put64(header + 16, first);
    put64(header + 24, checksum(writer->packed, packed, writer->trace.seed));
    put64(header + 32, checksum(header, 32, writer->trace.seed));
    write_bytes(writer, header, sizeof(header));
    write_bytes(writer, writer->packed, packed);
    /* A program that is killed leaves whole frames behind. */
    if (fflush(writer->file) != 0)
        fail_file(writer);
    if (kind == FRAME_CONTENTS || kind == FRAME_RECORDS)
        index_frame(&writer->trace, kind, packed, count);
}

static void flush_contents(PftWriter *writer)
{
    if (writer->pages_bytes == 0)
        return;
    Trace *trace = &writer->trace;
    write_frame(writer, FRAME_CONTENTS, writer->pages, writer->pages_bytes, writer->pages_count,
                trace->contents - writer->pages_count);
    writer->idle_bytes += writer->pages_bytes;
    writer->pages_bytes = 0;
    writer->pages_count = 0;
}

static void begin_columns(PftWriter *writer)
{
    memcpy(writer->trace.at, writer->start, sizeof(writer->start));
    writer->count = 0;
    begin_frame(&writer->trace);
}

static void flush_records(PftWriter *writer)
{
    if (writer->count == 0)
        return;
    size_t length = 4 * (size_t)COLUMNS;
    for (int i = 0; i < COLUMNS; i++) {
        size_t column = (size_t)(writer->trace.at[i] - writer->start[i]);
        put32(writer->payload + 4 * i, (uint32_t)column);
        memcpy(writer->payload + length, writer->start[i], column);
        length += column;
    }
    write_frame(writer, FRAME_RECORDS, writer->payload, length, writer->count,
                writer->trace.records - writer->count);
    writer->idle_bytes = 0;
    begin_columns(writer);
}

static void write_header(PftWriter *writer)
{
    Trace *trace = &writer->trace;
    size_t length = strlen(trace->description);
    uint8_t bytes[FILE_HEADER_BYTES] = {0};
    memcpy(bytes, magic, sizeof(magic));
    put32(bytes + 8, 1);
    put32(bytes + 12, trace->header.page_bytes);
    put64(bytes + 16, trace->header.clock_hz);
    put32(bytes + 24, (uint32_t)length);
    trace->seed = checksum(bytes, 32, 0);
    put64(bytes + 32, trace->seed);
    write_bytes(writer, bytes, sizeof(bytes));
    write_bytes(writer, trace->description, length);
    put64(bytes, checksum((const uint8_t *)trace->description, length, trace->seed));
    write_bytes(writer, bytes, CHECKSUM_BYTES);
}

/* A device or a pipe is written directly and never removed. */
static void open_file(PftWriter *writer)
{
    const char *path = writer->trace.path;
    struct stat status;
    size_t room = strlen(path) + 16;
    if (strcmp(path, "-") == 0) {
        writer->file = stdout;
    } else if (stat(path, &status) == 0 && !S_ISREG(status.st_mode)) {
        writer->file = fopen(path, "wb");
    } else {
        char *name = malloc(room);
        errno = EEXIST;
        for (int i = 0; name != NULL && errno == EEXIST && i < NAME_ATTEMPTS_MAX; i++) {
            snprintf(name, room, "%s.%d.tmp", path, i);
            writer->file = fopen(name, "wbx");
            if (writer->file != NULL)
                break;
        }
        if (writer->file != NULL)
            writer->temporary = name;
        else
            free(name);
    }
    if (writer->file == NULL)
        fail_file(writer);
}

static bool allocate(PftWriter *writer)
{
    bool is_fine = true;
    for (int i = 0; i < COLUMNS; i++) {
        writer->start[i] = malloc(PAYLOAD_BYTES_MAX + SLACK_BYTES);
        is_fine = is_fine && writer->start[i] != NULL;
    }
    writer->payload = malloc(PAYLOAD_BYTES_MAX);
    writer->packed = malloc(PACKED_BYTES_MAX);
    writer->pages = malloc(PAYLOAD_BYTES_MAX);
#ifdef PFT_WITH_ZSTD
    writer->zstd = ZSTD_createCCtx();
    is_fine = is_fine && writer->zstd != NULL;
#endif
    return is_fine && writer->payload != NULL && writer->packed != NULL && writer->pages != NULL;
}

static char *copy_text(const char *text)
{
    char *copy = malloc(strlen(text) + 1);
    return copy != NULL ? strcpy(copy, text) : NULL;
}

PftWriter *pft_writer_new(const char *path, const PftHeader *header)
{
    PftWriter *writer = calloc(1, sizeof(PftWriter));
    if (writer == NULL)
        return NULL;
    Trace *trace = &writer->trace;
    const char *description = header->description != NULL ? header->description : "{}";
    trace->is_writing = true;
    trace->header.clock_hz = header->clock_hz;
    trace->path = copy_text(path);
    trace->description = copy_text(description);
    if (trace->path == NULL || trace->description == NULL || !allocate(writer)) {
        pft_writer_free(writer);
        return NULL;
    }
    trace->header.description = trace->description;
    if (!set_page(trace, header->page_bytes))
        fail(trace, "", "page_bytes is no power of two from 4 to 2^30");
    else if (strlen(description) > DESCRIPTION_BYTES_MAX || !is_utf8(description))
        fail(trace, "", "the description is longer than 1 MiB or not UTF-8");
    else
        open_file(writer);
    if (!trace->has_failed)
        write_header(writer);
    begin_columns(writer);
    settle(writer);
    return writer;
}

/* How many BYTES there are before zeros that say nothing. */
static uint32_t trim(const uint8_t *bytes, uint32_t length)
{
    while (length > 0 && bytes[length - 1] == 0)
        length--;
    return length;
}

/* SPEC in the one way that equal contents are written. */
static PftContent normal_content(const PftContent *spec, uint32_t page_bytes)
{
    PftContent normal = {.form = spec->form};
    if (spec->form == PFT_ID || spec->form == PFT_HASH)
        normal.number = spec->number;
    if (spec->form == PFT_ID && spec->with != 0) {
        normal.at = spec->at;
        normal.with = spec->with;
    }
    if (spec->form != PFT_BYTES)
        return normal;
    normal.bytes = spec->bytes;
    normal.length = trim(spec->bytes, spec->length);
    bool is_ones = normal.length == page_bytes;
    for (uint32_t i = 0; is_ones && i < page_bytes; i++)
        is_ones = spec->bytes[i] == 0xff;
    if (normal.length == 0 || is_ones)
        normal = (PftContent){.form = is_ones ? PFT_ONES : PFT_ZERO};
    return normal;
}

/* The bytes of SPEC, those of BYTES apart, into ITEM; returns how many. */
static size_t put_item(const PftContent *spec, uint8_t *item)
{
    size_t length = 1;
    item[0] = (uint8_t)spec->form;
    if (spec->form == PFT_ID || spec->form == PFT_HASH) {
        put64(item + length, spec->number);
        length += 8;
    }
    if (spec->with != 0) {
        item[0] |= 0x80;
        put32(item + length, spec->at);
        item[length + 4] = spec->with;
        length += 5;
    }
    if (spec->form == PFT_BYTES) {
        put32(item + length, spec->length);
        length += 4;
    }
    return length;
}

static void put_page_bytes(PftWriter *writer, const uint8_t *bytes, size_t length)
{
    while (length > 0) {
        if (writer->pages_bytes == PAYLOAD_BYTES_MAX)
            flush_contents(writer);
        size_t room = PAYLOAD_BYTES_MAX - writer->pages_bytes;
        size_t part = length < room ? length : room;
        memcpy(writer->pages + writer->pages_bytes, bytes, part);
        writer->pages_bytes += part;
        bytes += part;
        length -= part;
    }
}

uint32_t pft_content(PftWriter *writer, const PftContent *spec)
{
    if (!is_open(writer))
        return PFT_NONE;
    Trace *trace = &writer->trace;
    uint32_t page_bytes = trace->header.page_bytes;
    if ((unsigned)spec->form >= PFT_FORMS || (spec->form == PFT_ID && spec->at >= page_bytes) ||
        (spec->form == PFT_BYTES &&
         (spec->length > page_bytes || (spec->bytes == NULL && spec->length > 0))))
        fail(trace, "", "a content of unknown form, or larger than a page");
    if (!settle(writer))
        return PFT_NONE;
    PftContent normal = normal_content(spec, page_bytes);
    uint8_t item[ITEM_BYTES_MAX];
    size_t item_bytes = put_item(&normal, item);
    uint32_t number = normal.form == PFT_BYTES
                          ? intern(&writer->contents, normal.bytes, normal.length, 1)
                          : intern(&writer->contents, item, item_bytes, 2);
    if (number < trace->contents)
        return number;
    size_t wanted = writer->pages_bytes + ITEM_BYTES_MAX + normal.length;
    if (writer->pages_bytes > 0 && wanted > PAYLOAD_BYTES_MAX) {
        flush_contents(writer);
        flush_records(writer);
    }
    if (number >= PFT_NONE - 1 || writer->idle_bytes > IDLE_BYTES_MAX)
        fail(trace, "", "too many contents, or more than 128 MiB that no record uses");
    put_page_bytes(writer, item, item_bytes);
    put_page_bytes(writer, normal.bytes, normal.length);
    writer->pages_count++;
    trace->contents++;
    trace->totals[TOTAL_FORMS + (int)normal.form]++;
    return settle(writer) ? number : PFT_NONE;
}
