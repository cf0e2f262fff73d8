/* ELF cores of 64 bits, little-endian: of a process (Linux, gcore) by virtual address, or of a
 * machine (QEMU's dump-guest-memory, VirtualBox, /proc/vmcore) by physical address. The layout is
 * that of elf.h. What a segment has in memory but not in the file is absent: not zero. */
#include <elf.h>
#include <inttypes.h>
#include <string.h>

#include "error.h"
#include "image_elfnotes.h"
#include "image_pieces.h"

enum {
    HEAD_BYTES = sizeof(Elf64_Ehdr),
    SEGMENT_BYTES = sizeof(Elf64_Phdr),
    SEGMENTS_MAX = 1 << 20,
    TABLE_OFFSET_MAX = 1 << 24,
    NOTES_BYTES_MAX = 1 << 26,
};

typedef struct {
    GArray *segments;  /* PfImagePiece, aligned, ascending */
    GArray *files;     /* PfCoreFile, ascending */
    GByteArray *notes; /* hold the names of the files */
    guint segment;
    guint file;
    bool is_physical;
    uint64_t partial_pages;
} Core;

/* Members of the tables by their place in them, as the file's bytes need not be aligned. */
#define HEAD_U16(bytes, member)    pf_image_u16((bytes) + offsetof(Elf64_Ehdr, member))
#define HEAD_U64(bytes, member)    pf_image_u64((bytes) + offsetof(Elf64_Ehdr, member))
#define SEGMENT_U32(bytes, member) pf_image_u32((bytes) + offsetof(Elf64_Phdr, member))
#define SEGMENT_U64(bytes, member) pf_image_u64((bytes) + offsetof(Elf64_Phdr, member))

static void close_core(void *self)
{
    Core *core = self;
    g_array_unref(core->segments);
    g_array_unref(core->files);
    g_byte_array_unref(core->notes);
    g_free(core);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Core, close_core)

static bool fail(const PfInput *input, const char *problem, GError **error)
{
    g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "%s: %s", pf_input_name(input), problem);
    return false;
}

/* What is wrong with the file header HEAD, or NULL. */
static const char *head_problem(const uint8_t *head, size_t length)
{
    if (length < HEAD_BYTES || memcmp(head, ELFMAG, SELFMAG) != 0)
        return "no ELF file";
    if (head[EI_CLASS] != ELFCLASS64)
        return "an ELF file of 32 bits; only cores of 64 bits are read";
    if (head[EI_DATA] != ELFDATA2LSB)
        return "a big-endian ELF file; only little-endian cores are read";
    if (HEAD_U16(head, e_type) != ET_CORE)
        return "an ELF file but no core; a program's memory is in a core that gcore makes of it";
    if (HEAD_U16(head, e_phentsize) != SEGMENT_BYTES || HEAD_U64(head, e_phoff) > TABLE_OFFSET_MAX)
        return "a core whose table of segments is not where it can be read";
    return NULL;
}

/* With 65535 segments or more their number stands in the first section header (gabi, e_phnum),
 * which Linux writes at the file's end. */
static bool count_segments(const PfInput *input, const uint8_t *head, uint64_t *ret_count,
                           GError **error)
{
    uint8_t section[sizeof(Elf64_Shdr)];
    *ret_count = HEAD_U16(head, e_phnum);
    if (*ret_count == PN_XNUM) {
        if (!pf_input_peek(input, HEAD_U64(head, e_shoff), section, sizeof section))
            return fail(input,
                        "a core whose number of segments stands at its end; it must be whole, and "
                        "a file that is not compressed",
                        error);
        *ret_count = pf_image_u32(section + offsetof(Elf64_Shdr, sh_info));
    }
    if (*ret_count == 0 || *ret_count > SEGMENTS_MAX)
        return fail(input, "a core without segments, or with more than 1048576", error);
    return true;
}

/* Without the notes, and where they are out of reach, nothing is known of files. */
static void read_notes(Core *core, const PfInput *input, const uint8_t *segment)
{
    uint64_t offset = SEGMENT_U64(segment, p_offset);
    uint64_t bytes = SEGMENT_U64(segment, p_filesz);
    if (core->files->len > 0 || bytes == 0 || bytes > NOTES_BYTES_MAX)
        return;
    size_t length;
    const uint8_t *window = pf_input_window(input, &length);
    g_byte_array_set_size(core->notes, (guint)bytes);
    if (offset <= length && bytes <= length - offset)
        memcpy(core->notes->data, window + offset, (size_t)bytes);
    else if (!pf_input_peek(input, offset, core->notes->data, (size_t)bytes))
        return;
    pf_core_files(core->notes->data, (size_t)bytes, core->files);
}

/* By the address, then by the place in the file. */
static int compare_pieces(const void *a, const void *b)
{
    const PfImagePiece *first = a;
    const PfImagePiece *second = b;
    if (first->address != second->address)
        return first->address < second->address ? -1 : 1;
    return first->offset < second->offset ? -1 : first->offset > second->offset;
}

/* Adds what the file holds of SEGMENT. What is wrong with it, or NULL. */
static const char *add_segment(Core *core, const uint8_t *segment)
{
    PfImagePiece piece = {
        .address =
            core->is_physical ? SEGMENT_U64(segment, p_paddr) : SEGMENT_U64(segment, p_vaddr),
        .offset = SEGMENT_U64(segment, p_offset),
        .bytes = SEGMENT_U64(segment, p_filesz),
    };
    /* The last page of all would end where no number is left. */
    const uint64_t address_max = UINT64_MAX - PF_IMPORT_PAGE_BYTES;
    /* The upper half is the kernel's: its [vsyscall] is in each core. */
    if (!core->is_physical && piece.address > INT64_MAX)
        return NULL;
    if (piece.address > address_max || piece.bytes > address_max - piece.address ||
        piece.bytes > INT64_MAX || piece.offset > INT64_MAX)
        return "a core with a segment that ends behind the last address";
    core->partial_pages += pf_image_piece_align(&piece);
    if (piece.bytes > 0)
        g_array_append_val(core->segments, piece);
    return NULL;
}

/* Pages are read in the order of the file and told in that of their addresses. */
static const char *check_order(GArray *segments)
{
    g_array_sort(segments, compare_pieces);
    for (guint i = 1; i < segments->len; i++) {
        const PfImagePiece *before = &g_array_index(segments, PfImagePiece, i - 1);
        const PfImagePiece *piece = &g_array_index(segments, PfImagePiece, i);
        if (before->address + before->bytes > piece->address)
            return "a core whose segments overlap; make it without paging";
        if (before->offset + before->bytes > piece->offset)
            return "a core whose segments do not stand in the order of their addresses";
    }
    return NULL;
}

/* A process's core has no physical addresses; a machine's has, though its first may be 0. */
static bool is_physical(const uint8_t *table, uint64_t count)
{
    bool has_virtual = false;
    for (uint64_t i = 0; i < count; i++) {
        const uint8_t *segment = table + i * SEGMENT_BYTES;
        if (SEGMENT_U32(segment, p_type) != PT_LOAD)
            continue;
        if (SEGMENT_U64(segment, p_paddr) != 0)
            return true;
        has_virtual = has_virtual || SEGMENT_U64(segment, p_vaddr) != 0;
    }
    return !has_virtual;
}

static bool read_table(Core *core, PfInput *input, uint64_t offset, uint64_t count, GError **error)
{
    uint64_t end = offset + count * SEGMENT_BYTES;
    if (!pf_input_fill(input, (size_t)end, error))
        return false;
    size_t length;
    const uint8_t *table = pf_input_window(input, &length);
    if (length < end)
        return fail(input, "a core that ends within its table of segments", error);
    table += offset;
    core->is_physical = is_physical(table, count);
    const char *problem = NULL;
    for (uint64_t i = 0; i < count && problem == NULL; i++) {
        const uint8_t *segment = table + i * SEGMENT_BYTES;
        if (SEGMENT_U32(segment, p_type) == PT_NOTE)
            read_notes(core, input, segment);
        else if (SEGMENT_U32(segment, p_type) == PT_LOAD)
            problem = add_segment(core, segment);
    }
    if (problem == NULL)
        problem = check_order(core->segments);
    return problem == NULL || fail(input, problem, error);
}

static void *open_core(PfInput *input, GError **error)
{
    if (!pf_input_fill(input, HEAD_BYTES, error))
        return NULL;
    size_t length;
    const uint8_t *head = pf_input_window(input, &length);
    const char *problem = head_problem(head, length);
    uint64_t count;
    if (problem != NULL) {
        fail(input, problem, error);
        return NULL;
    }
    if (!count_segments(input, head, &count, error))
        return NULL;
    g_autoptr(Core) core = g_new0(Core, 1);
    core->segments = g_array_new(FALSE, FALSE, sizeof(PfImagePiece));
    core->files = g_array_new(FALSE, FALSE, sizeof(PfCoreFile));
    core->notes = g_byte_array_new();
    if (!read_table(core, input, HEAD_U64(head, e_phoff), count, error))
        return NULL;
    return g_steal_pointer(&core);
}

/* Says whose the pages from ADDRESS on are. Returns where that ends. */
static uint64_t tell_file(Core *core, uint64_t address, PfImageRun *ret_run)
{
    const PfCoreFile *file = NULL;
    for (; core->file < core->files->len; core->file++) {
        file = &g_array_index(core->files, PfCoreFile, core->file);
        if (file->end > address)
            break;
        file = NULL;
    }
    if (file == NULL || core->is_physical)
        return UINT64_MAX;
    if (file->start > address)
        return file->start;
    ret_run->kind = file->kind;
    ret_run->file = file->name;
    ret_run->file_offset = file->offset + (address - file->start);
    return file->end;
}

static PfTraceStatus next_core(void *self, PfInput *input, PfImageRun *ret_run, GError **error)
{
    Core *core = self;
    if (core->segment == core->segments->len)
        return PF_TRACE_END;
    PfImagePiece *piece = &g_array_index(core->segments, PfImagePiece, core->segment);
    uint64_t end = tell_file(core, piece->address, ret_run);
    if (!pf_image_piece_next(piece, end, input, ret_run, error))
        return PF_TRACE_ERROR;
    core->segment += piece->bytes == 0;
    return PF_TRACE_RECORDS;
}

static PfContextKind context_kind(const void *self)
{
    return ((const Core *)self)->is_physical ? PF_CONTEXT_VM : PF_CONTEXT_PROCESS;
}

static uint64_t partial_pages(const void *self)
{
    return ((const Core *)self)->partial_pages;
}

static const char *remark(const void *self)
{
    const Core *core = self;
    if (core->is_physical || core->files->len > 0)
        return NULL;
    return "which pages are of files is not known: the core has no note of it, or one at its end, "
           "which can be read in a file that is not compressed";
}

static bool looks(const PfImportSight *sight)
{
    return sight->length >= SELFMAG && memcmp(sight->bytes, ELFMAG, SELFMAG) == 0;
}

static const PfImageForm form = {
    .open = open_core,
    .next = next_core,
    .close = close_core,
    .context_kind = context_kind,
    .partial_pages = partial_pages,
    .remark = remark,
};

const PfImportFormat pf_import_elfcore = {
    .name = "elfcore",
    .summary = "ELF core of a process (gcore) or a machine (dump-guest-memory)",
    .looks = looks,
    .image = &form,
};
