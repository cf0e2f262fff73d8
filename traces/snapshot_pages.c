#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "error.h"
#include "snapshot_process.h"
#include "trace_content.h"

enum {
    BATCH_PAGES = 1024,      /* read by one call; 4 MiB keeps its fixed cost small */
    WAITING_PAGES = 16384,   /* seen before some are told */
    PAGEMAP_ENTRIES = 16384, /* read at a time */
};

/* Bits of /proc/PID/pagemap and /proc/kpageflags (Documentation/admin-guide/mm/pagemap.rst of
 * Linux). */
static const uint64_t pagemap_present = (uint64_t)1 << 63;
static const uint64_t pagemap_swapped = (uint64_t)1 << 62;
static const uint64_t pagemap_file = (uint64_t)1 << 61;
static const uint64_t pagemap_frame = ((uint64_t)1 << 55) - 1;
static const uint64_t kpageflags_ksm = (uint64_t)1 << 21;
static const uint64_t kpageflags_zero_page = (uint64_t)1 << 24;

/* The PAGEMAP_SCAN request of Linux since 6.7, as include/uapi/linux/fs.h states it: older headers
 * do not have it. */
typedef struct {
    uint64_t size; /* of this struct */
    uint64_t flags;
    uint64_t start;
    uint64_t end;
    uint64_t walk_end; /* out: how far it came */
    uint64_t regions;  /* address of PageRegion */
    uint64_t region_count;
    uint64_t pages_max;
    uint64_t inverted;
    uint64_t all_of;
    uint64_t any_of;
    uint64_t wanted;
} PageScan;

typedef struct {
    uint64_t start;
    uint64_t end;
    uint64_t categories;
} PageRegion;

enum { SCAN_REGIONS = 256 };

static const unsigned long pagemap_scan_request = _IOWR('f', 16, PageScan);
static const uint64_t scan_present = (uint64_t)1 << 3;
static const uint64_t scan_swapped = (uint64_t)1 << 4;

/* A look at one process. Pages wait until a batch is full, then they are read and told. */
typedef struct {
    PfSight *sight;
    const PfProcess *process;
    guint mapping; /* of the process, that the latest page of its own lies in */
    PfTelling telling;
    int pagemap;
    int memory;
    GArray *pages;     /* PfSeenPage that wait */
    GPtrArray *frames; /* PfSeenFrame of each, NULL where nobody else can map it; borrowed */
    GArray *batch;     /* of guint: those of them that need their bytes */
    uint64_t readable;
    uint64_t unreadable;
} Look;

static guint hash_frame(gconstpointer key)
{
    const PfSeenFrame *frame = key;
    uint64_t mixed = (frame->number ^ (uintptr_t)frame->file) * 0x9e3779b97f4a7c15U;
    return (guint)(mixed >> 32);
}

static gboolean equal_frames(gconstpointer a, gconstpointer b)
{
    const PfSeenFrame *first = a;
    const PfSeenFrame *second = b;
    return first->number == second->number && first->file == second->file;
}

void pf_sight_init(PfSight *sight, const PfSnapshotOptions *options, PfTraceWriter *writer,
                   PfSnapshotSummary *summary)
{
    *sight = (PfSight){
        .options = options,
        .writer = writer,
        .summary = summary,
        .frames = g_hash_table_new_full(hash_frame, equal_frames, g_free, NULL),
        .kpageflags = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC),
        .bytes = g_malloc((size_t)BATCH_PAGES * pf_snapshot_page_bytes()),
    };
}

void pf_sight_clear(PfSight *sight)
{
    g_hash_table_unref(sight->frames);
    if (sight->kpageflags >= 0)
        close(sight->kpageflags);
    g_free(sight->bytes);
}

/* What the kernel says of FRAME; 0 where it says nothing. */
static uint64_t read_flags(const PfSight *sight, const PfSeenFrame *frame)
{
    uint64_t flags = 0;
    bool is_known = frame != NULL && frame->file == NULL && sight->kpageflags >= 0 &&
                    pread(sight->kpageflags, &flags, sizeof flags,
                          (off_t)(frame->number * sizeof flags)) == (ssize_t)sizeof flags;
    return is_known ? flags : 0;
}

/* The page's bytes are known: number them, and tell the frame. */
static void take_bytes(Look *look, guint index, const uint8_t *bytes)
{
    uint32_t page_bytes = pf_snapshot_page_bytes();
    PfSeenPage *page = &g_array_index(look->pages, PfSeenPage, index);
    PfSeenFrame *frame = look->frames->pdata[index];
    PfContentSpec spec = {.form = PF_CONTENT_BYTES, .bytes = bytes, .length = page_bytes};
    bool zero_page = false;
    if (pf_content_is_zero(bytes, page_bytes)) {
        spec = (PfContentSpec){.form = PF_CONTENT_ZERO};
        /* Asked for these only, so that no table of all frames has to be read. */
        zero_page = (read_flags(look->sight, frame) & kpageflags_zero_page) != 0;
    }
    page->kind = zero_page ? PF_SEEN_ZERO : PF_SEEN_CONTENT;
    page->content =
        zero_page ? PF_TRACE_NO_CONTENT : pf_trace_writer_content(look->sight->writer, &spec);
    if (frame == NULL)
        return;
    frame->content = page->content;
    frame->is_zero_page = zero_page;
    frame->is_read = true;
}

static uint64_t address_in_batch(const Look *look, guint number)
{
    guint index = g_array_index(look->batch, guint, number);
    return g_array_index(look->pages, PfSeenPage, index).address;
}

/* Reads COUNT pages from number FROM of the batch on, which are neighbours. */
static void read_run(Look *look, guint from, guint count)
{
    size_t page_bytes = pf_snapshot_page_bytes();
    for (guint done = 0; done < count;) {
        ssize_t got = pread(look->memory, look->sight->bytes, (count - done) * page_bytes,
                            (off_t)address_in_batch(look, from + done));
        guint pages = got > 0 ? (guint)((size_t)got / page_bytes) : 0;
        for (guint i = 0; i < pages; i++)
            take_bytes(look, g_array_index(look->batch, guint, from + done + i),
                       look->sight->bytes + (size_t)i * page_bytes);
        done += pages;
        /* The page behind those that came cannot be read. */
        if (pages == 0) {
            look->unreadable++;
            done++;
        }
    }
}

/* Whether the bytes of waiting page INDEX are known; tells aliases of the zero page apart. */
static bool settle_page(const Look *look, guint index)
{
    PfSeenPage *page = &g_array_index(look->pages, PfSeenPage, index);
    const PfSeenFrame *frame = look->frames->pdata[index];
    if (page->kind == PF_SEEN_ALIAS && frame->is_zero_page)
        page->kind = PF_SEEN_ZERO;
    if (page->kind == PF_SEEN_ALIAS)
        return frame->is_read;
    return page->kind == PF_SEEN_ZERO || page->content != PF_TRACE_NO_CONTENT;
}

static void tell_waiting(Look *look)
{
    PfSnapshotSummary *summary = look->sight->summary;
    for (guint i = 0; i < look->pages->len; i++) {
        const PfSeenPage *page = &g_array_index(look->pages, PfSeenPage, i);
        if (!settle_page(look, i))
            continue;
        look->readable++;
        summary->pages += page->kind != PF_SEEN_ZERO;
        summary->zero_pages += page->kind == PF_SEEN_ZERO;
        summary->aliases += page->kind == PF_SEEN_ALIAS;
        PfSeenFrame *frame = look->frames->pdata[i];
        if (pf_telling_add(&look->telling, page, frame != NULL && frame->is_told) && frame != NULL)
            frame->is_told = true;
    }
    g_array_set_size(look->pages, 0);
    g_ptr_array_set_size(look->frames, 0);
}

/* By /proc/PID/mem and not by process_vm_readv: that pins what it reads, and to pin a page that is
 * shared copy-on-write the kernel first gives the process a copy (gup_must_unshare in mm/gup.c of
 * Linux since 5.19): looking would undo the very sharing that is looked for. */
static void finish_batch(Look *look)
{
    size_t page_bytes = pf_snapshot_page_bytes();
    for (guint from = 0; from < look->batch->len;) {
        guint count = 1;
        while (from + count < look->batch->len &&
               address_in_batch(look, from + count) ==
                   address_in_batch(look, from) + count * page_bytes)
            count++;
        read_run(look, from, count);
        from += count;
    }
    g_array_set_size(look->batch, 0);
    tell_waiting(look);
    pf_snapshot_progress(look->sight->options, look->sight->summary);
}

/* The frame that ENTRY of the pagemap tells, new or seen before; NULL if there is no telling. */
static PfSeenFrame *find_frame(Look *look, const PfMapping *mapping, uint64_t address,
                               uint64_t entry, bool *ret_is_new)
{
    PfSeenFrame key = {.address = address, .context = look->telling.context};
    *ret_is_new = true;
    if ((entry & pagemap_present) != 0 && (entry & pagemap_frame) != 0) {
        key.number = entry & pagemap_frame;
        look->sight->summary->has_frames = true;
    } else if ((entry & pagemap_file) != 0 && mapping->name != NULL) {
        key.number = mapping->offset + (address - mapping->start);
        key.file = mapping->name;
    } else {
        return NULL;
    }
    PfSeenFrame *frame = g_hash_table_lookup(look->sight->frames, &key);
    *ret_is_new = frame == NULL;
    if (frame == NULL) {
        frame = g_memdup2(&key, sizeof key);
        g_hash_table_add(look->sight->frames, frame);
    }
    return frame;
}

/* KSM merges pages of mergeable mappings only. */
static void count_page(const PfSight *sight, const PfMapping *mapping, uint64_t entry,
                       const PfSeenFrame *frame)
{
    PfSnapshotSummary *summary = sight->summary;
    summary->swapped_pages += (entry & pagemap_swapped) != 0;
    if (!mapping->mergeable)
        return;
    summary->mergeable_pages++;
    summary->ksm_pages += (read_flags(sight, frame) & kpageflags_ksm) != 0;
}

static void look_at_page(Look *look, const PfMapping *mapping, uint64_t address, uint64_t entry)
{
    if ((entry & (pagemap_present | pagemap_swapped)) == 0)
        return;
    bool is_new = true;
    PfSeenFrame *frame = find_frame(look, mapping, address, entry, &is_new);
    count_page(look->sight, mapping, entry, frame);
    /* Without a content: not read (yet). */
    PfSeenPage page = {
        .address = address,
        .content = PF_TRACE_NO_CONTENT,
        .kind = PF_SEEN_CONTENT,
        .is_own = mapping->backing != PF_BACKING_ANON && (entry & pagemap_file) == 0,
    };
    if (!is_new) {
        page.kind = PF_SEEN_ALIAS;
        page.source_context = frame->context;
        page.source_address = frame->address;
    }
    guint index = look->pages->len;
    g_array_append_val(look->pages, page);
    g_ptr_array_add(look->frames, frame);
    if (is_new)
        g_array_append_val(look->batch, index);
    if (look->batch->len == BATCH_PAGES || look->pages->len == WAITING_PAGES)
        finish_batch(look);
}

static void look_at_range(Look *look, const PfMapping *mapping, uint64_t start, uint64_t end)
{
    uint64_t page_bytes = pf_snapshot_page_bytes();
    g_autofree uint64_t *entries = g_new(uint64_t, PAGEMAP_ENTRIES);
    for (uint64_t address = start; address < end;) {
        uint64_t count = MIN((end - address) / page_bytes, PAGEMAP_ENTRIES);
        ssize_t got = pread(look->pagemap, entries, count * sizeof *entries,
                            (off_t)(address / page_bytes * sizeof *entries));
        if (got <= 0)
            return;
        uint64_t known = (uint64_t)got / sizeof *entries;
        for (uint64_t i = 0; i < known; i++)
            look_at_page(look, mapping, address + i * page_bytes, entries[i]);
        address += known * page_bytes;
    }
}

/* Terabytes that a program has reserved but hardly used (shadow memory, arenas) have tables for
 * the used part only; where the kernel can it is asked for that. */
static void look_at_mapping(Look *look, const PfMapping *mapping)
{
    PageRegion regions[SCAN_REGIONS];
    for (uint64_t address = mapping->start; address < mapping->end;) {
        PageScan scan = {
            .size = sizeof scan,
            .start = address,
            .end = mapping->end,
            .regions = (uintptr_t)regions,
            .region_count = SCAN_REGIONS,
            .any_of = scan_present | scan_swapped,
            .wanted = scan_present | scan_swapped,
        };
        int count = ioctl(look->pagemap, pagemap_scan_request, &scan);
        if (count < 0) {
            look_at_range(look, mapping, address, mapping->end);
            return;
        }
        for (int i = 0; i < count; i++)
            look_at_range(look, mapping, regions[i].start, regions[i].end);
        if (scan.walk_end <= address)
            return;
        address = scan.walk_end;
    }
}

/* Pages come in ascending order. */
static void tell_backing(void *user, const PfSeenPage *page)
{
    Look *look = user;
    const GArray *mappings = look->process->mappings;
    while (g_array_index(mappings, PfMapping, look->mapping).end <= page->address)
        look->mapping++;
    pf_process_tell_backing(look->process, &g_array_index(mappings, PfMapping, look->mapping), page,
                            look->sight->writer);
}

static int open_of(const PfProcess *process, const char *name)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/%s", process->pid, name);
    return open(path, O_RDONLY | O_CLOEXEC);
}

bool pf_sight_look(PfSight *sight, PfProcess *process, GError **error)
{
    g_autoptr(GArray) pages = g_array_new(FALSE, FALSE, sizeof(PfSeenPage));
    g_autoptr(GPtrArray) frames = g_ptr_array_new();
    g_autoptr(GArray) batch = g_array_new(FALSE, FALSE, sizeof(guint));
    Look look = {
        .sight = sight,
        .process = process,
        .pagemap = open_of(process, "pagemap"),
        .memory = open_of(process, "mem"),
        .pages = pages,
        .frames = frames,
        .batch = batch,
    };
    bool allowed = look.pagemap >= 0 && look.memory >= 0;
    pf_telling_init(&look.telling, sight->writer, process->context, pf_snapshot_page_bytes(),
                    process->pages, true);
    look.telling.tell_backing = tell_backing;
    look.telling.user = &look;
    for (guint i = 0; i < process->mappings->len && allowed; i++)
        look_at_mapping(&look, &g_array_index(process->mappings, PfMapping, i));
    finish_batch(&look);
    GArray *seen = pf_telling_finish(&look.telling);
    g_array_unref(process->pages);
    process->pages = seen;
    sight->summary->told_pages += look.telling.told_pages;
    sight->summary->unreadable_pages += look.unreadable;
    if (look.pagemap >= 0)
        close(look.pagemap);
    if (look.memory >= 0)
        close(look.memory);
    if (allowed && (look.unreadable == 0 || look.readable > 0))
        return true;
    g_set_error(error, PF_ERROR, PF_ERROR_IO,
                "process %d: its memory cannot be read; run as root, or as its own user",
                process->pid);
    return false;
}
