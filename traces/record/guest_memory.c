#include "guest_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "error.h"

static void *pointer_to(uint64_t address)
{
    return (void *)(uintptr_t)address;
}

static bool reserve(uint64_t start, uint64_t end, GError **error)
{
    void *place = mmap(pointer_to(start), end - start, PROT_NONE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (place == pointer_to(start))
        return true;
    int code = errno;
    if (place != MAP_FAILED) {
        /* Kernels before 4.17 take the address for a hint. */
        munmap(place, end - start);
        code = EEXIST;
    }
    g_set_error(error, PF_ERROR, PF_ERROR_GUEST,
                "addresses 0x%" G_GINT64_MODIFIER "x to 0x%" G_GINT64_MODIFIER
                "x are not free here: %s; link the program with -static-pie, and allow address "
                "space (ulimit -v)",
                start, end, g_strerror(code));
    return false;
}

bool pf_guest_memory_init(PfGuestMemory *memory, uint64_t image, uint64_t image_end, GError **error)
{
    *memory = (PfGuestMemory){.mappings = g_array_new(FALSE, FALSE, sizeof(PfGuestMapping)),
                              .heap_end = PF_GUEST_HEAP};
    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
    if (!reserve(PF_GUEST_WINDOW, PF_GUEST_WINDOW_END, error))
        return false;
    if (image >= PF_GUEST_WINDOW && image_end <= PF_GUEST_HEAP)
        return true;
    if (!reserve(image, image_end, error)) {
        munmap(pointer_to(PF_GUEST_WINDOW), PF_GUEST_WINDOW_END - PF_GUEST_WINDOW);
        return false;
    }
    memory->image = image;
    memory->image_end = image_end;
    return true;
}

void pf_guest_memory_clear(PfGuestMemory *memory)
{
    if (memory->mappings == NULL)
        return;
    munmap(pointer_to(PF_GUEST_WINDOW), PF_GUEST_WINDOW_END - PF_GUEST_WINDOW);
    if (memory->image_end > memory->image)
        munmap(pointer_to(memory->image), memory->image_end - memory->image);
    g_array_unref(memory->mappings);
    *memory = (PfGuestMemory){0};
}

static bool is_within(uint64_t address, uint64_t length, uint64_t start, uint64_t end)
{
    return address >= start && address <= end && length <= end - address;
}

bool pf_guest_memory_holds(const PfGuestMemory *memory, uint64_t address, uint64_t length)
{
    return is_within(address, length, PF_GUEST_WINDOW, PF_GUEST_WINDOW_END) ||
           is_within(address, length, memory->image, memory->image_end);
}

static PfGuestMapping *mapping_at(const PfGuestMemory *memory, guint index)
{
    return &g_array_index(memory->mappings, PfGuestMapping, index);
}

/* The number of mappings that end at ADDRESS or before. */
static guint find_index(const PfGuestMemory *memory, uint64_t address)
{
    guint low = 0;
    guint high = memory->mappings->len;
    while (low < high) {
        guint middle = (low + high) / 2;
        if (mapping_at(memory, middle)->end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint64_t pf_guest_memory_find(const PfGuestMemory *memory, uint64_t length)
{
    uint64_t end = PF_GUEST_MAPS_END;
    for (guint i = find_index(memory, end); i > 0; i--) {
        const PfGuestMapping *below = mapping_at(memory, i - 1);
        if (end >= below->end && end - below->end >= length)
            break;
        end = MIN(end, below->start);
    }
    bool fits = end > PF_GUEST_WINDOW && length < end - PF_GUEST_WINDOW;
    return fits ? end - length : 0;
}

bool pf_guest_memory_is_free(const PfGuestMemory *memory, uint64_t start, uint64_t end)
{
    guint index = find_index(memory, start);
    return index == memory->mappings->len || mapping_at(memory, index)->start >= end;
}

const PfGuestMapping *pf_guest_memory_at(const PfGuestMemory *memory, uint64_t address)
{
    guint index = find_index(memory, address);
    if (index == memory->mappings->len || mapping_at(memory, index)->start > address)
        return NULL;
    return mapping_at(memory, index);
}

bool pf_guest_memory_is_readable(const PfGuestMemory *memory, uint64_t address)
{
    const PfGuestMapping *mapping = pf_guest_memory_at(memory, address);
    return mapping != NULL && mapping->access != PROT_NONE &&
           (mapping->backing != PF_BACKING_SHMEM || mapping->backed_end == 0 ||
            address < mapping->backed_end);
}

/* Makes ADDRESS the border of two mappings where it lies within one. */
static void split_at(PfGuestMemory *memory, uint64_t address)
{
    guint index = find_index(memory, address);
    if (index == memory->mappings->len || mapping_at(memory, index)->start >= address)
        return;
    PfGuestMapping upper = *mapping_at(memory, index);
    upper.offset += address - upper.start;
    upper.start = address;
    mapping_at(memory, index)->end = address;
    g_array_insert_val(memory->mappings, index + 1, upper);
}

/* The first of the mappings from START to END, which end there; RET_COUNT is how many. */
static guint cut_out(PfGuestMemory *memory, uint64_t start, uint64_t end, guint *ret_count)
{
    split_at(memory, start);
    split_at(memory, end);
    guint first = find_index(memory, start);
    guint last = first;
    while (last < memory->mappings->len && mapping_at(memory, last)->start < end)
        last++;
    *ret_count = last - first;
    return first;
}

static void forget(PfGuestMemory *memory, uint64_t start, uint64_t end)
{
    guint count;
    guint first = cut_out(memory, start, end, &count);
    if (count > 0)
        g_array_remove_range(memory->mappings, first, count);
}

static void remember(PfGuestMemory *memory, const PfGuestMapping *mapping)
{
    forget(memory, mapping->start, mapping->end);
    guint index = find_index(memory, mapping->start);
    if (index > 0) {
        PfGuestMapping *below = mapping_at(memory, index - 1);
        if (below->end == mapping->start && below->backing == PF_BACKING_ANON &&
            mapping->backing == PF_BACKING_ANON && below->access == mapping->access &&
            below->mergeable == mapping->mergeable) {
            below->end = mapping->end;
            return;
        }
    }
    g_array_insert_val(memory->mappings, index, *mapping);
}

/* What the host must allow for ACCESS: the recorder runs no code of the program itself. */
static int host_access(int access)
{
    if ((access & PROT_WRITE) != 0)
        return PROT_READ | PROT_WRITE;
    return (access & (PROT_READ | PROT_EXEC)) != 0 ? PROT_READ : PROT_NONE;
}

static int place_zeros(uint64_t start, uint64_t length, int access)
{
    void *place = mmap(pointer_to(start), length, access,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    return place == MAP_FAILED ? -errno : 0;
}

/* A copy, so that later changes of the file change nothing here. */
static int place_copy(const PfGuestMapping *mapping, int fd)
{
    uint64_t length = mapping->end - mapping->start;
    int status = place_zeros(mapping->start, length, PROT_READ | PROT_WRITE);
    uint64_t at = 0;
    while (status == 0 && at < length) {
        ssize_t got =
            pread(fd, pointer_to(mapping->start + at), length - at, (off_t)(mapping->offset + at));
        if (got < 0 && errno != EINTR)
            status = -errno;
        if (got == 0)
            break;
        at += got > 0 ? (uint64_t)got : 0;
    }
    if (status == 0 &&
        mprotect(pointer_to(mapping->start), length, host_access(mapping->access)) != 0)
        status = -errno;
    return status;
}

int pf_guest_memory_map(PfGuestMemory *memory, const PfGuestMapping *mapping, int fd)
{
    uint64_t length = mapping->end - mapping->start;
    int access = host_access(mapping->access);
    int status = 0;
    if (fd == -1)
        status = place_zeros(mapping->start, length, access);
    else if (mapping->backing == PF_BACKING_FILE)
        status = place_copy(mapping, fd);
    else if (mmap(pointer_to(mapping->start), length, access, MAP_SHARED | MAP_FIXED, fd,
                  (off_t)mapping->offset) == MAP_FAILED)
        status = -errno;
    if (status == 0)
        remember(memory, mapping);
    return status;
}

void pf_guest_memory_unmap(PfGuestMemory *memory, uint64_t start, uint64_t end)
{
    forget(memory, start, end);
    place_zeros(start, end - start, PROT_NONE);
}

int pf_guest_memory_protect(PfGuestMemory *memory, uint64_t start, uint64_t end, int access)
{
    guint count;
    guint first = cut_out(memory, start, end, &count);
    uint64_t covered = start;
    for (guint i = first; i < first + count && mapping_at(memory, i)->start == covered; i++)
        covered = mapping_at(memory, i)->end;
    if (covered < end)
        return -ENOMEM;
    if (mprotect(pointer_to(start), end - start, host_access(access)) != 0)
        return -errno;
    for (guint i = first; i < first + count; i++)
        mapping_at(memory, i)->access = access;
    return 0;
}

void pf_guest_memory_advise(PfGuestMemory *memory, uint64_t start, uint64_t end, bool mergeable)
{
    guint count;
    guint first = cut_out(memory, start, end, &count);
    for (guint i = first; i < first + count; i++)
        mapping_at(memory, i)->mergeable = mergeable;
}

int pf_guest_memory_move(PfGuestMemory *memory, uint64_t start, uint64_t end, uint64_t target)
{
    guint count;
    guint first = cut_out(memory, start, end, &count);
    if (count != 1)
        return -EFAULT;
    PfGuestMapping moved = *mapping_at(memory, first);
    if (mremap(pointer_to(start), end - start, end - start, MREMAP_MAYMOVE | MREMAP_FIXED,
               pointer_to(target)) == MAP_FAILED)
        return -errno;
    pf_guest_memory_unmap(memory, start, end);
    if (moved.backed_end != 0)
        moved.backed_end += target - start;
    moved.start = target;
    moved.end = target + (end - start);
    remember(memory, &moved);
    return 0;
}

/* Entries of /proc/self/pagemap. */
#define PAGEMAP_PRESENT   ((uint64_t)1 << 63)
#define PAGEMAP_SWAPPED   ((uint64_t)1 << 62)
#define PAGEMAP_EXCLUSIVE ((uint64_t)1 << 56)

/* Whether an anonymous page with ENTRY was stored to: one that was only read is the common zero
 * page, which nobody has for himself. */
static bool is_stored(uint64_t entry)
{
    return (entry & PAGEMAP_SWAPPED) != 0 ||
           (entry & (PAGEMAP_PRESENT | PAGEMAP_EXCLUSIVE)) == (PAGEMAP_PRESENT | PAGEMAP_EXCLUSIVE);
}

static void tell_pages(const PfGuestMapping *mapping, int pagemap,
                       void (*tell)(void *user, uint64_t address), void *user)
{
    enum { BATCH = 512 };
    uint64_t entries[BATCH];
    for (uint64_t at = mapping->start; at < mapping->end;) {
        uint64_t pages = MIN((mapping->end - at) / PF_GUEST_PAGE_BYTES, (uint64_t)BATCH);
        size_t length = pages * sizeof(entries[0]);
        uint64_t place = at / PF_GUEST_PAGE_BYTES * sizeof(entries[0]);
        bool is_known = pread(pagemap, entries, length, (off_t)place) == (ssize_t)length;
        for (uint64_t i = 0; i < pages; i++, at += PF_GUEST_PAGE_BYTES)
            if (!is_known || is_stored(entries[i]) || at < mapping->backed_end)
                tell(user, at);
    }
}

void pf_guest_memory_pages(const PfGuestMemory *memory, void (*tell)(void *user, uint64_t address),
                           void *user)
{
    int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    for (guint i = 0; i < memory->mappings->len; i++)
        if (host_access(mapping_at(memory, i)->access) != PROT_NONE)
            tell_pages(mapping_at(memory, i), pagemap, tell, user);
    if (pagemap >= 0)
        close(pagemap);
}
