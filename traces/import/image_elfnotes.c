#include "image_elfnotes.h"

#include <elf.h>
#include <string.h>

#include "image_pieces.h"

enum { HEAD_BYTES = 8 * 2, RANGE_BYTES = 8 * 3 };

static size_t aligned(size_t bytes)
{
    return (bytes + 3) & ~(size_t)3;
}

/* Memory that is shared by its nature: memfd, /dev/shm, System V and anonymous shared mappings, by
 * the names that Linux gives them (mm/shmem.c, ipc/shm.c). */
static bool is_shmem(const char *name)
{
    return g_str_has_prefix(name, "/memfd:") || g_str_has_prefix(name, "/dev/shm/") ||
           g_str_has_prefix(name, "/dev/zero") || g_str_has_prefix(name, "/SYSV");
}

/* The note is: COUNT, PAGE BYTES, COUNT times START, END and offset in pages, then COUNT names. */
static void read_files(const uint8_t *note, size_t length, GArray *files)
{
    if (length < HEAD_BYTES)
        return;
    uint64_t count = pf_image_u64(note);
    uint64_t unit = pf_image_u64(note + 8);
    if (count > (length - HEAD_BYTES) / RANGE_BYTES || unit == 0 || unit > UINT32_MAX)
        return;
    const char *name = (const char *)note + HEAD_BYTES + count * RANGE_BYTES;
    const char *end = (const char *)note + length;
    uint64_t last = 0;
    for (uint64_t i = 0; i < count; i++) {
        const uint8_t *range = note + HEAD_BYTES + i * RANGE_BYTES;
        const char *name_end = memchr(name, '\0', (size_t)(end - name));
        uint64_t pages = pf_image_u64(range + 16);
        PfCoreFile file = {
            .start = pf_image_u64(range),
            .end = pf_image_u64(range + 8),
            .offset = pages * unit,
            .name = name,
        };
        uint64_t mask = PF_IMPORT_PAGE_BYTES - 1;
        if (name_end == NULL || file.start < last || file.end <= file.start ||
            pages > INT64_MAX / unit || ((file.start | file.end | file.offset) & mask) != 0)
            return;
        file.kind = is_shmem(name) ? PF_PAGES_SHMEM : PF_PAGES_FILE;
        if (file.kind == PF_PAGES_SHMEM && !g_str_has_prefix(name, "/dev/shm/"))
            file.name = NULL;
        if (name[0] != '\0' && strlen(name) <= PF_TRACE_NAME_BYTES_MAX &&
            g_utf8_validate(name, -1, NULL))
            g_array_append_val(files, file);
        last = file.end;
        name = name_end + 1;
    }
}

void pf_core_files(const uint8_t *notes, size_t length, GArray *files)
{
    for (size_t at = 0; at < length && length - at >= sizeof(Elf64_Nhdr);) {
        size_t name_bytes = pf_image_u32(notes + at);
        size_t note_bytes = pf_image_u32(notes + at + 4);
        uint32_t type = pf_image_u32(notes + at + 8);
        at += sizeof(Elf64_Nhdr);
        size_t whole = aligned(name_bytes) + note_bytes;
        if (whole > length - at)
            return;
        if (type == NT_FILE && name_bytes == 5 && memcmp(notes + at, "CORE", 5) == 0 &&
            files->len == 0)
            read_files(notes + at + aligned(name_bytes), note_bytes, files);
        at += MIN(aligned(whole), length - at);
    }
}
