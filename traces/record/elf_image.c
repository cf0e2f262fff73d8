#include "elf_image.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"

/* More than any linker makes. */
enum { PARTS_MAX = 128 };

static const uint64_t page_mask = PF_GUEST_PAGE_BYTES - 1;

static bool complain(const PfElf *elf, const char *problem, GError **error)
{
    g_set_error(error, PF_ERROR, PF_ERROR_GUEST, "%s: %s", elf->name, problem);
    return false;
}

static const char *machine_problem(const Elf64_Ehdr *header)
{
    if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB ||
        header->e_machine != EM_X86_64)
        return "is not for x86-64; compile it for x86-64, as by x86_64-linux-gnu-gcc -static";
    if (header->e_type != ET_EXEC && header->e_type != ET_DYN)
        return "is no executable; link it (with -static)";
    if (header->e_phentsize != sizeof(Elf64_Phdr) || header->e_phnum == 0 ||
        header->e_phnum > PARTS_MAX)
        return "is a damaged executable; link it anew";
    return NULL;
}

static const char *part_problem(const Elf64_Phdr *part)
{
    static const char damaged[] = "is a damaged executable; link it anew";
    if (part->p_type == PT_INTERP)
        return "is dynamically linked, and shared libraries are not recorded; link it with "
               "-static";
    if (part->p_type != PT_LOAD)
        return NULL;
    /* Addresses of programs have 47 bits. */
    uint64_t most = (uint64_t)1 << 47;
    if (part->p_vaddr >= most || part->p_memsz >= most || part->p_filesz > part->p_memsz ||
        part->p_offset >= most || ((part->p_vaddr ^ part->p_offset) & page_mask) != 0)
        return damaged;
    return NULL;
}

static bool read_at(const PfElf *elf, void *bytes, size_t length, uint64_t offset)
{
    return pread(elf->fd, bytes, length, (off_t)offset) == (ssize_t)length;
}

static bool read_headers(PfElf *elf, GError **error)
{
    if (!read_at(elf, &elf->header, sizeof(elf->header), 0) ||
        memcmp(elf->header.e_ident, ELFMAG, SELFMAG) != 0) {
        bool is_script = memcmp(elf->header.e_ident, "#!", 2) == 0;
        return complain(elf,
                        is_script ? "is a script; name its interpreter (static) before it"
                                  : "is no ELF executable; name a static program for x86-64 Linux",
                        error);
    }
    const char *problem = machine_problem(&elf->header);
    if (problem != NULL)
        return complain(elf, problem, error);
    elf->parts = g_new0(Elf64_Phdr, elf->header.e_phnum);
    if (!read_at(elf, elf->parts, elf->header.e_phnum * sizeof(Elf64_Phdr), elf->header.e_phoff))
        return complain(elf, "is cut short; link it anew", error);
    return true;
}

static bool check_parts(PfElf *elf, GError **error)
{
    elf->start = UINT64_MAX;
    for (unsigned i = 0; i < elf->header.e_phnum; i++) {
        const Elf64_Phdr *part = &elf->parts[i];
        const char *problem = part_problem(part);
        if (problem != NULL)
            return complain(elf, problem, error);
        if (part->p_type != PT_LOAD)
            continue;
        elf->start = MIN(elf->start, part->p_vaddr & ~page_mask);
        elf->end = MAX(elf->end, (part->p_vaddr + part->p_memsz + page_mask) & ~page_mask);
    }
    if (elf->end <= elf->start)
        return complain(elf, "has nothing to load; link it anew", error);
    if (elf->header.e_type == ET_DYN) {
        elf->bias = PF_GUEST_IMAGE - elf->start;
        elf->start += elf->bias;
        elf->end += elf->bias;
        if (elf->end > PF_GUEST_HEAP)
            return complain(elf, "is larger than 256 MiB; link it without -pie, or make it smaller",
                            error);
    }
    return true;
}

bool pf_elf_open(PfElf *elf, const char *path, GError **error)
{
    g_autofree char *name = g_path_get_basename(path);
    *elf = (PfElf){.fd = open(path, O_RDONLY | O_CLOEXEC), .name = g_utf8_make_valid(name, -1)};
    struct stat status;
    if (elf->fd < 0 || fstat(elf->fd, &status) != 0 || access(path, X_OK) != 0) {
        int code = errno;
        g_set_error(error, PF_ERROR, PF_ERROR_GUEST, "%s: %s", path, g_strerror(code));
        return false;
    }
    if (!S_ISREG(status.st_mode))
        return complain(elf, "is no file; name a program", error);
    return read_headers(elf, error) && check_parts(elf, error);
}

void pf_elf_close(PfElf *elf)
{
    if (elf->fd >= 0)
        close(elf->fd);
    g_free(elf->name);
    g_free(elf->parts);
    *elf = (PfElf){.fd = -1};
}

static int access_of(const Elf64_Phdr *part)
{
    return ((part->p_flags & PF_R) != 0 ? PROT_READ : 0) |
           ((part->p_flags & PF_W) != 0 ? PROT_WRITE : 0) |
           ((part->p_flags & PF_X) != 0 ? PROT_EXEC : 0);
}

/* Behind the bytes of the file come zeros. */
static int load_part(const PfElf *elf, const Elf64_Phdr *part, PfGuestMemory *memory)
{
    uint64_t start = (part->p_vaddr + elf->bias) & ~page_mask;
    uint64_t bytes_end = part->p_vaddr + elf->bias + part->p_filesz;
    uint64_t file_end = part->p_filesz > 0 ? (bytes_end + page_mask) & ~page_mask : start;
    uint64_t end = (part->p_vaddr + elf->bias + part->p_memsz + page_mask) & ~page_mask;
    int access = access_of(part);
    int status = 0;
    if (file_end > start) {
        PfGuestMapping file = {.start = start,
                               .end = file_end,
                               .backing = PF_BACKING_FILE,
                               .name = g_intern_string(elf->name),
                               .offset = part->p_offset & ~page_mask,
                               .access = access};
        status = pf_guest_memory_map(memory, &file, elf->fd);
    }
    if (status == 0 && end > file_end) {
        PfGuestMapping zeros = {.start = file_end, .end = end, .access = access};
        status = pf_guest_memory_map(memory, &zeros, -1);
    }
    /* Only a part that may be written has zeros within the last page of the file. */
    if (status == 0 && part->p_memsz > part->p_filesz && (access & PROT_WRITE) != 0)
        memset((void *)(uintptr_t)bytes_end, 0, MIN(file_end, end) - bytes_end);
    return status;
}

bool pf_elf_load(const PfElf *elf, PfGuestMemory *memory, GError **error)
{
    int status = 0;
    for (unsigned i = 0; i < elf->header.e_phnum && status == 0; i++)
        if (elf->parts[i].p_type == PT_LOAD)
            status = load_part(elf, &elf->parts[i], memory);
    if (status == 0)
        return true;
    g_set_error(error, PF_ERROR, PF_ERROR_GUEST, "%s: cannot be loaded: %s", elf->name,
                g_strerror(-status));
    return false;
}

uint64_t pf_elf_headers_address(const PfElf *elf)
{
    uint64_t offset = elf->header.e_phoff;
    for (unsigned i = 0; i < elf->header.e_phnum; i++) {
        const Elf64_Phdr *part = &elf->parts[i];
        if (part->p_type == PT_LOAD && offset >= part->p_offset &&
            offset < part->p_offset + part->p_filesz)
            return part->p_vaddr + (offset - part->p_offset) + elf->bias;
    }
    return 0;
}
