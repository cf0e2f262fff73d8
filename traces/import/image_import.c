#include "image_import.h"

#include <xxhash.h>

#include "error.h"
#include "import_format.h"
#include "page_telling.h"
#include "trace_content.h"

/* What is mapped at a range. */
typedef struct {
    uint64_t start;
    uint64_t end;
    const char *file; /* of the context's names; NULL for anonymous memory */
    uint64_t offset;
    PfBacking backing;
} Mapped;

/* A page whose frame others map too; they are told behind all pages. */
typedef struct {
    PfSeenPage page;
    uint32_t more;
    PfBacking backing;
    bool is_told;
} Common;

struct PfImageContext {
    PfTraceWriter *writer;
    uint32_t number;
    GStringChunk *names;
    const char *name;
    GArray *mapped; /* Mapped of the epoch before, ascending */
    GArray *pages;  /* PfSeenPage of it */
};

/* The telling of one epoch. */
typedef struct {
    PfImageContext *context;
    const PfImageOptions *options;
    PfImageSummary *summary;
    PfTelling telling;
    GArray *mapped;
    GArray *common;
    guint old;             /* entries of the mappings before that are dealt with */
    size_t skip;           /* ranges to skip that are dealt with */
    uint64_t mapped_until; /* what the last piece of a mapping covers */
    uint64_t pages_until;  /* where the last page ended */
} Epoch;

PfImageContext *pf_image_context_new(PfTraceWriter *writer, uint32_t number, const char *name,
                                     PfContextKind kind)
{
    PfImageContext *context = g_new0(PfImageContext, 1);
    context->writer = writer;
    context->number = number;
    context->names = g_string_chunk_new(256);
    context->name = g_string_chunk_insert_const(context->names, name);
    context->mapped = g_array_new(FALSE, FALSE, sizeof(Mapped));
    context->pages = g_array_new(FALSE, FALSE, sizeof(PfSeenPage));
    PfTraceDetail detail = {.name = name, .node = -1, .core = -1, .context_kind = kind};
    pf_trace_writer_add(writer, &(PfRecord){.kind = PF_RECORD_CONTEXT,
                                            .context = number,
                                            .content = PF_TRACE_NO_CONTENT,
                                            .detail = &detail});
    return context;
}

void pf_image_context_free(PfImageContext *context)
{
    if (context == NULL)
        return;
    g_string_chunk_free(context->names);
    g_array_unref(context->mapped);
    g_array_unref(context->pages);
    g_free(context);
}

static bool is_continued(const Mapped *first, const Mapped *second)
{
    return first->backing == second->backing && first->file == second->file &&
           (first->backing == PF_BACKING_ANON ||
            first->offset + (second->start - first->start) == second->offset);
}

static void tell_mapping(Epoch *epoch, const Mapped *mapped)
{
    PfTraceDetail detail = {
        .name = mapped->file,
        .number = mapped->offset,
        .backing = mapped->backing,
        .node = -1,
        .core = -1,
    };
    pf_trace_writer_add(epoch->context->writer,
                        &(PfRecord){.kind = PF_RECORD_MAP,
                                    .context = epoch->context->number,
                                    .address = mapped->start,
                                    .count = (mapped->end - mapped->start) / PF_IMPORT_PAGE_BYTES,
                                    .content = PF_TRACE_NO_CONTENT,
                                    .detail = &detail});
}

/* Maps the start of WANTED, all of it or what the epoch before had mapped in one way, unless it was
 * in the same way. A piece at a time, as a mapping takes the pages that were there. */
static void map_piece(Epoch *epoch, Mapped wanted)
{
    const GArray *before = epoch->context->mapped;
    const Mapped *old = NULL;
    for (; epoch->old < before->len; epoch->old++) {
        old = &g_array_index(before, Mapped, epoch->old);
        if (old->end > wanted.start)
            break;
        old = NULL;
    }
    bool stays = false;
    if (old != NULL && old->start > wanted.start) {
        wanted.end = MIN(wanted.end, old->start);
    } else if (old != NULL) {
        wanted.end = MIN(wanted.end, old->end);
        stays = is_continued(old, &wanted);
    }
    if (!stays) {
        pf_telling_forget(&epoch->telling, wanted.start, wanted.end);
        tell_mapping(epoch, &wanted);
    }
    epoch->mapped_until = wanted.end;
    GArray *mapped = epoch->mapped;
    Mapped *last = mapped->len > 0 ? &g_array_index(mapped, Mapped, mapped->len - 1) : NULL;
    if (last != NULL && last->end == wanted.start && is_continued(last, &wanted))
        last->end = wanted.end;
    else
        g_array_append_val(mapped, wanted);
}

static PfBacking backing_of(PfPagesKind kind)
{
    if (kind == PF_PAGES_FILE)
        return PF_BACKING_FILE;
    return kind == PF_PAGES_SHMEM ? PF_BACKING_SHMEM : PF_BACKING_ANON;
}

/* What stands behind the pages of RUN from ADDRESS up to END. A file or segment without a name has
 * the context's. */
static Mapped mapping_of(const Epoch *epoch, const PfImageRun *run, PfBacking backing,
                         uint64_t address, uint64_t end)
{
    Mapped mapped = {.start = address, .end = end, .backing = backing};
    if (backing == PF_BACKING_ANON)
        return mapped;
    mapped.file = epoch->context->name;
    mapped.offset = address;
    if (run->file == NULL)
        return mapped;
    mapped.file = g_string_chunk_insert_const(epoch->context->names, run->file);
    mapped.offset = run->file_offset + (address - run->address);
    return mapped;
}

static uint32_t content_of_hash(const Epoch *epoch, const PfImageHash *hash)
{
    bool is_zero = hash->kind == PF_PAGES_ZERO;
    epoch->summary->zero_pages += is_zero;
    PfContentSpec spec = {.form = is_zero ? PF_CONTENT_ZERO : PF_CONTENT_HASH,
                          .number = is_zero ? 0 : hash->identity};
    return pf_trace_writer_content(epoch->context->writer, &spec);
}

static uint32_t content_of_bytes(const Epoch *epoch, const uint8_t *bytes)
{
    PfContentSpec spec = {.form = PF_CONTENT_BYTES, .bytes = bytes, .length = PF_IMPORT_PAGE_BYTES};
    if (pf_content_is_zero(bytes, PF_IMPORT_PAGE_BYTES)) {
        epoch->summary->zero_pages++;
        spec = (PfContentSpec){.form = PF_CONTENT_ZERO};
    } else if (epoch->options->is_hashed) {
        spec = (PfContentSpec){.form = PF_CONTENT_HASH,
                               .number = XXH3_64bits(bytes, PF_IMPORT_PAGE_BYTES)};
    }
    return pf_trace_writer_content(epoch->context->writer, &spec);
}

/* Tells the pages of RUN from ADDRESS up to END, which are mapped. */
static void tell_pages(Epoch *epoch, const PfImageRun *run, uint64_t address, uint64_t end)
{
    for (; address < end; address += PF_IMPORT_PAGE_BYTES) {
        uint64_t index = (address - run->address) / PF_IMPORT_PAGE_BYTES;
        const PfImageHash *hash = run->bytes == NULL ? &run->hashes[index] : NULL;
        PfSeenPage page = {.address = address, .kind = PF_SEEN_CONTENT};
        page.content = hash != NULL
                           ? content_of_hash(epoch, hash)
                           : content_of_bytes(epoch, run->bytes + (address - run->address));
        bool is_told = pf_telling_add(&epoch->telling, &page, false);
        epoch->summary->pages++;
        if (hash == NULL || hash->mappings == 1)
            continue;
        Common common = {.page = page,
                         .more = hash->mappings - 1,
                         .backing = backing_of((PfPagesKind)hash->kind),
                         .is_told = is_told};
        g_array_append_val(epoch->common, common);
    }
}

/* The end of the pages from ADDRESS on, END at most, behind which the same stands, and what. */
static uint64_t end_of_backing(const PfImageRun *run, uint64_t address, uint64_t end,
                               PfBacking *ret_backing)
{
    *ret_backing = backing_of(run->kind);
    if (run->bytes != NULL)
        return end;
    uint64_t index = (address - run->address) / PF_IMPORT_PAGE_BYTES;
    uint64_t last = (end - run->address) / PF_IMPORT_PAGE_BYTES;
    *ret_backing = backing_of((PfPagesKind)run->hashes[index].kind);
    while (index < last && backing_of((PfPagesKind)run->hashes[index].kind) == *ret_backing)
        index++;
    return run->address + index * PF_IMPORT_PAGE_BYTES;
}

/* The range to skip that ADDRESS lies in, or the next behind it; one at the very end if none is. */
static PfAddressRange find_skip(Epoch *epoch, uint64_t address)
{
    const PfImageOptions *options = epoch->options;
    while (epoch->skip < options->skip_count && options->skips[epoch->skip].end <= address)
        epoch->skip++;
    if (epoch->skip < options->skip_count)
        return options->skips[epoch->skip];
    return (PfAddressRange){.start = UINT64_MAX, .end = UINT64_MAX};
}

static void tell_run(Epoch *epoch, const PfImageRun *run)
{
    uint64_t run_end = run->address + run->pages * PF_IMPORT_PAGE_BYTES;
    for (uint64_t address = run->address; address < run_end;) {
        PfAddressRange skip = find_skip(epoch, address);
        if (skip.start <= address) {
            uint64_t end = MIN(skip.end, run_end);
            epoch->summary->skipped_pages += (end - address) / PF_IMPORT_PAGE_BYTES;
            address = end;
            continue;
        }
        PfBacking backing;
        uint64_t end = end_of_backing(run, address, MIN(run_end, skip.start), &backing);
        if (address >= epoch->mapped_until) {
            uint64_t extent_end = run->address + run->extent_pages * PF_IMPORT_PAGE_BYTES;
            extent_end = run->bytes == NULL ? end : MIN(extent_end, skip.start);
            map_piece(epoch, mapping_of(epoch, run, backing, address, extent_end));
        }
        end = MIN(end, epoch->mapped_until);
        tell_pages(epoch, run, address, end);
        address = end;
    }
    epoch->pages_until = run_end;
}

/* The mappings of COMMON but the first, at pages from ADDRESS on. Returns where they end. */
static uint64_t tell_mappings(Epoch *epoch, const Common *common, uint64_t address)
{
    uint64_t end = address + common->more * (uint64_t)PF_IMPORT_PAGE_BYTES;
    bool is_anon = common->backing == PF_BACKING_ANON;
    for (; address < end; address += PF_IMPORT_PAGE_BYTES) {
        Mapped mapped = {.start = address,
                         .end = is_anon ? end : address + PF_IMPORT_PAGE_BYTES,
                         .file = is_anon ? NULL : epoch->context->name,
                         .offset = is_anon ? 0 : common->page.address,
                         .backing = common->backing};
        if (address >= epoch->mapped_until)
            map_piece(epoch, mapped);
        PfSeenPage page = common->page;
        if (is_anon) {
            page.kind = PF_SEEN_ALIAS;
            page.source_context = epoch->context->number;
            page.source_address = page.address;
        }
        page.address = address;
        pf_telling_add(&epoch->telling, &page, common->is_told);
        epoch->summary->pages++;
    }
    return end;
}

/* Pages behind all others that map the frames of those with more mappings. */
static void tell_common(Epoch *epoch)
{
    uint64_t address = epoch->pages_until;
    for (guint i = 0; i < epoch->common->len; i++)
        address = tell_mappings(epoch, &g_array_index(epoch->common, Common, i), address);
}

static void finish_epoch(Epoch *epoch)
{
    PfImageContext *context = epoch->context;
    GArray *pages = pf_telling_finish(&epoch->telling);
    g_array_unref(context->pages);
    context->pages = pages;
    g_array_unref(context->mapped);
    context->mapped = g_steal_pointer(&epoch->mapped);
    epoch->summary->told_pages += epoch->telling.told_pages;
}

bool pf_image_context_tell(PfImageContext *context, PfImageReader *image,
                           const PfImageOptions *options, PfImageSummary *summary, GError **error)
{
    g_autoptr(GArray) common = g_array_new(FALSE, FALSE, sizeof(Common));
    Epoch epoch = {
        .context = context,
        .options = options,
        .summary = summary,
        .mapped = g_array_new(FALSE, FALSE, sizeof(Mapped)),
        .common = common,
    };
    pf_telling_init(&epoch.telling, context->writer, context->number, PF_IMPORT_PAGE_BYTES,
                    context->pages, !options->is_last);
    PfImageRun run;
    PfTraceStatus status;
    while ((status = pf_image_reader_next(image, &run, error)) == PF_TRACE_RECORDS) {
        tell_run(&epoch, &run);
        if (options->progress != NULL)
            options->progress(image, options->user);
        if (pf_import_interrupted(options->interrupted, error)) {
            status = PF_TRACE_ERROR;
            break;
        }
    }
    tell_common(&epoch);
    finish_epoch(&epoch);
    summary->partial_pages += pf_image_reader_partial_pages(image);
    return status == PF_TRACE_END;
}
