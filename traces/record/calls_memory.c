#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "calls.h"
#include "engine.h"

static const uint64_t page_mask = PF_GUEST_PAGE_BYTES - 1;

static uint64_t round_up(uint64_t length)
{
    return (length + page_mask) & ~page_mask;
}

static bool is_page(uint64_t address)
{
    return (address & page_mask) == 0;
}

/* Maps and tells; 0 or a negative errno. */
static int map(PfGuest *guest, const PfGuestMapping *mapping, int fd)
{
    int status = pf_guest_memory_map(&guest->memory, mapping, fd);
    if (status == 0)
        pf_recording_map(guest->recording, mapping);
    pf_engine_forget_code(guest->engine, mapping->start, mapping->end);
    return status;
}

static void unmap(PfGuest *guest, uint64_t start, uint64_t end)
{
    if (start == end)
        return;
    pf_guest_memory_unmap(&guest->memory, start, end);
    pf_recording_unmap(guest->recording, start, end);
    pf_engine_forget_code(guest->engine, start, end);
}

static int64_t call_brk(PfGuest *guest, const uint64_t *arguments)
{
    PfGuestMemory *memory = &guest->memory;
    uint64_t wanted = arguments[0];
    if (wanted < PF_GUEST_HEAP || wanted > PF_GUEST_HEAP_END)
        return (int64_t)memory->heap_end;
    uint64_t before = round_up(memory->heap_end);
    uint64_t after = round_up(wanted);
    PfGuestMapping more = {.start = before, .end = after, .access = PROT_READ | PROT_WRITE};
    if (after < before)
        unmap(guest, after, before);
    else if (after > before && map(guest, &more, -1) != 0)
        return (int64_t)memory->heap_end;
    memory->heap_end = wanted;
    return (int64_t)wanted;
}

/* Where to map LENGTH bytes: 0 if nowhere, or a negative errno. */
static int64_t choose_place(const PfGuest *guest, uint64_t wanted, uint64_t length, uint64_t flags)
{
    const PfGuestMemory *memory = &guest->memory;
    bool is_possible = is_page(wanted) && pf_guest_memory_holds(memory, wanted, length);
    bool is_free = is_possible && pf_guest_memory_is_free(memory, wanted, wanted + length);
    if ((flags & MAP_FIXED_NOREPLACE) != 0)
        return is_free ? (int64_t)wanted : is_possible ? -EEXIST : -ENOMEM;
    if ((flags & MAP_FIXED) != 0)
        return is_possible ? (int64_t)wanted : is_page(wanted) ? -ENOMEM : -EINVAL;
    if ((flags & MAP_32BIT) != 0)
        return -ENOMEM;
    if (wanted != 0 && is_free)
        return (int64_t)wanted;
    uint64_t found = pf_guest_memory_find(memory, length);
    return found != 0 ? (int64_t)found : -ENOMEM;
}

/* What backs a mapping of the host's file FD; false if that cannot be mapped. */
static bool describe_file(PfGuestMapping *mapping, int fd, bool is_shared)
{
    struct stat status;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
        return false;
    g_autofree char *link = g_strdup_printf("/proc/self/fd/%d", fd);
    g_autofree char *path = g_file_read_link(link, NULL);
    g_autofree char *name = g_utf8_make_valid(path != NULL ? path : "file", -1);
    mapping->name = g_intern_string(name);
    mapping->backing = is_shared ? PF_BACKING_SHMEM : PF_BACKING_FILE;
    uint64_t size = (uint64_t)status.st_size;
    uint64_t bytes = size > mapping->offset ? size - mapping->offset : 0;
    mapping->backed_end = mapping->start + MIN(round_up(bytes), mapping->end - mapping->start);
    return true;
}

static int64_t call_mmap(PfGuest *guest, const uint64_t *arguments)
{
    uint64_t length = round_up(arguments[1]);
    uint64_t flags = arguments[3];
    bool is_shared = (flags & MAP_TYPE) != MAP_PRIVATE;
    if (arguments[1] == 0 || !is_page(arguments[5]) || (flags & MAP_HUGETLB) != 0)
        return -EINVAL;
    int fd = -1;
    if ((flags & MAP_ANONYMOUS) == 0 && (fd = pf_call_file(guest, arguments[4])) < 0)
        return -EBADF;
    int64_t place =
        length < arguments[1] ? -ENOMEM : choose_place(guest, arguments[0], length, flags);
    if (place < 0)
        return place;
    PfGuestMapping mapping = {
        .start = (uint64_t)place, .end = (uint64_t)place + length, .access = (int)arguments[2]};
    if (fd >= 0) {
        mapping.offset = arguments[5];
        if (!describe_file(&mapping, fd, is_shared))
            return -ENODEV;
    } else if (is_shared) {
        g_autofree char *name = g_strdup_printf("shared memory %u", ++guest->memory.shared);
        mapping.name = g_intern_string(name);
        mapping.backing = PF_BACKING_SHMEM;
    }
    int status = map(guest, &mapping, fd);
    return status == 0 ? place : status;
}

static int64_t call_munmap(PfGuest *guest, const uint64_t *arguments)
{
    uint64_t length = round_up(arguments[1]);
    if (length == 0 || !is_page(arguments[0]) ||
        !pf_guest_memory_holds(&guest->memory, arguments[0], length))
        return -EINVAL;
    unmap(guest, arguments[0], arguments[0] + length);
    return 0;
}

static int64_t call_mprotect(PfGuest *guest, const uint64_t *arguments)
{
    uint64_t start = arguments[0];
    uint64_t end = start + round_up(arguments[1]);
    if (!is_page(start) || end < start)
        return -EINVAL;
    if (end == start)
        return 0;
    int access = (int)arguments[2] & (PROT_READ | PROT_WRITE | PROT_EXEC);
    int status = pf_guest_memory_protect(&guest->memory, start, end, access);
    if (status != 0)
        return status;
    if (access == PROT_READ)
        pf_recording_attribute(guest->recording, start, end, PF_ATTRIBUTE_READONLY);
    if ((access & PROT_EXEC) != 0)
        pf_recording_attribute(guest->recording, start, end, PF_ATTRIBUTE_EXECUTED);
    return 0;
}

/* Gives pages to OLD, which is mapped and ends at END, up to LENGTH bytes from START. */
static int64_t extend(PfGuest *guest, const PfGuestMapping *old, uint64_t start, uint64_t end,
                      uint64_t length)
{
    PfGuestMapping more = {
        .start = end, .end = start + length, .access = old->access, .mergeable = old->mergeable};
    int status = map(guest, &more, -1);
    return status == 0 ? (int64_t)start : status;
}

static int64_t call_mremap(PfGuest *guest, const uint64_t *arguments)
{
    PfGuestMemory *memory = &guest->memory;
    uint64_t start = arguments[0];
    uint64_t before = round_up(arguments[1]);
    uint64_t after = round_up(arguments[2]);
    if (!is_page(start) || before == 0 || after == 0 || (arguments[3] & MREMAP_FIXED) != 0)
        return -EINVAL;
    const PfGuestMapping *at = pf_guest_memory_at(memory, start);
    if (at == NULL || before > at->end - start)
        return -EFAULT;
    if (after <= before) {
        unmap(guest, start + after, start + before);
        return (int64_t)start;
    }
    PfGuestMapping old = *at;
    if (old.backing != PF_BACKING_ANON)
        return -ENOMEM;
    bool fits = pf_guest_memory_holds(memory, start, after) &&
                pf_guest_memory_is_free(memory, start + before, start + after);
    if (fits)
        return extend(guest, &old, start, start + before, after);
    uint64_t target = pf_guest_memory_find(memory, after);
    if ((arguments[3] & MREMAP_MAYMOVE) == 0 || target == 0)
        return -ENOMEM;
    int status = pf_guest_memory_move(memory, start, start + before, target);
    if (status != 0)
        return status;
    pf_recording_move(guest->recording, start, start + before, target);
    pf_engine_forget_code(guest->engine, start, start + before);
    return extend(guest, &old, target, target + before, after);
}

static int advice_of(uint64_t number)
{
    switch (number) {
    case MADV_MERGEABLE:
        return PF_ADVICE_MERGEABLE;
    case MADV_UNMERGEABLE:
        return PF_ADVICE_UNMERGEABLE;
    case MADV_HUGEPAGE:
        return PF_ADVICE_HUGE;
    case MADV_NOHUGEPAGE:
        return PF_ADVICE_NOHUGE;
    case MADV_DONTNEED:
        return PF_ADVICE_DONTNEED;
    case MADV_FREE:
        return PF_ADVICE_DISCARDABLE;
    default:
        return -1;
    }
}

/* Pages of files keep what was stored to them: rare, and no program relies on it. */
static void drop_pages(PfGuest *guest, uint64_t start, uint64_t end)
{
    for (uint64_t at = start; at < end;) {
        const PfGuestMapping *mapping = pf_guest_memory_at(&guest->memory, at);
        uint64_t next = mapping != NULL ? MIN(mapping->end, end) : at + PF_GUEST_PAGE_BYTES;
        if (mapping != NULL && mapping->backing == PF_BACKING_ANON) {
            madvise((void *)(uintptr_t)at, next - at, MADV_DONTNEED);
            pf_recording_advise(guest->recording, at, next, PF_ADVICE_DONTNEED);
        }
        at = next;
    }
}

static int64_t call_madvise(PfGuest *guest, const uint64_t *arguments)
{
    uint64_t start = arguments[0];
    uint64_t length = round_up(arguments[1]);
    uint64_t end = start + length;
    if (!is_page(start) || !pf_guest_memory_holds(&guest->memory, start, length))
        return -EINVAL;
    int advice = advice_of(arguments[2]);
    if (advice < 0 || end == start)
        return 0;
    if (advice == PF_ADVICE_DONTNEED) {
        drop_pages(guest, start, end);
        return 0;
    }
    if (advice == PF_ADVICE_MERGEABLE || advice == PF_ADVICE_UNMERGEABLE)
        pf_guest_memory_advise(&guest->memory, start, end, advice == PF_ADVICE_MERGEABLE);
    pf_recording_advise(guest->recording, start, end, (PfAdvice)advice);
    return 0;
}

static int64_t lock_pages(PfGuest *guest, const uint64_t *arguments, PfAttribute attribute)
{
    uint64_t start = arguments[0] & ~page_mask;
    uint64_t end = round_up(arguments[0] + arguments[1]);
    if (end < start || !pf_guest_memory_holds(&guest->memory, start, end - start))
        return -ENOMEM;
    pf_recording_attribute(guest->recording, start, end, attribute);
    return 0;
}

static int64_t call_mlock(PfGuest *guest, const uint64_t *arguments)
{
    return lock_pages(guest, arguments, PF_ATTRIBUTE_LOCKED);
}

static int64_t call_munlock(PfGuest *guest, const uint64_t *arguments)
{
    return lock_pages(guest, arguments, PF_ATTRIBUTE_UNLOCKED);
}

static int64_t call_msync(PfGuest *guest, const uint64_t *arguments)
{
    if (pf_call_bytes(guest, arguments[0], arguments[1]) == NULL)
        return -ENOMEM;
    return pf_call_result(msync((void *)(uintptr_t)arguments[0], arguments[1], (int)arguments[2]));
}

const PfCallRow pf_calls_memory[] = {
    {SYS_mmap, "mmap", call_mmap, NULL, NULL},
    {SYS_mprotect, "mprotect", call_mprotect, NULL, NULL},
    {SYS_munmap, "munmap", call_munmap, NULL, NULL},
    {SYS_brk, "brk", call_brk, NULL, NULL},
    {SYS_mremap, "mremap", call_mremap, NULL, NULL},
    {SYS_madvise, "madvise", call_madvise, NULL, NULL},
    {SYS_mlock, "mlock", call_mlock, NULL, NULL},
    {SYS_munlock, "munlock", call_munlock, NULL, NULL},
    {SYS_msync, "msync", call_msync, NULL, NULL},
    {0, NULL, NULL, NULL, NULL},
};
