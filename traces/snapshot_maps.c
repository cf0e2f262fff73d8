#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "snapshot_process.h"

/* A range of addresses that is told the same way from end to end. */
typedef struct {
    uint64_t start;
    uint64_t end;
    const PfMapping *before; /* NULL: was not mapped */
    const PfMapping *after;  /* NULL: is not mapped */
} Change;

/* Memory without a file on a disk has names of the kernel's own making (mm/shmem.c, ipc/shm.c). */
static PfBacking find_backing(const char *path, uint64_t inode)
{
    static const char *const shared[] = {"/memfd:", "/SYSV", "/dev/zero", "/dev/shm/",
                                         "[anon_shmem"};
    if (inode == 0)
        return PF_BACKING_ANON;
    for (size_t i = 0; i < G_N_ELEMENTS(shared); i++)
        if (g_str_has_prefix(path, shared[i]))
            return PF_BACKING_SHMEM;
    return PF_BACKING_FILE;
}

static PfProtection find_protection(const char *permissions)
{
    if (strchr(permissions, 'x') != NULL)
        return PF_PROTECTION_RX;
    return strchr(permissions, 'w') != NULL ? PF_PROTECTION_RW : PF_PROTECTION_RO;
}

/* "7f0000000000-7f0000021000 rw-p 00000000 08:01 131 /usr/lib/x". False for any other line. */
static bool parse_header(const char *line, PfMapping *ret_mapping, bool *ret_wanted)
{
    char permissions[5] = "";
    unsigned major = 0;
    unsigned minor = 0;
    uint64_t inode = 0;
    int path_at = -1;
    PfMapping mapping = {0};
    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n", &mapping.start,
               &mapping.end, permissions, &mapping.offset, &major, &minor, &inode, &path_at) < 7)
        return false;
    const char *path = path_at >= 0 ? line + path_at : "";
    mapping.backing = find_backing(path, inode);
    mapping.protection = find_protection(permissions);
    if (mapping.backing == PF_BACKING_ANON) {
        mapping.offset = 0;
    } else {
        g_autofree char *name = g_strdup_printf("%u.%u.%" PRIu64, major, minor, inode);
        mapping.name = g_intern_string(name);
    }
    *ret_wanted = strncmp(permissions, "---", 3) != 0 && strcmp(path, "[vsyscall]") != 0 &&
                  !g_str_has_prefix(path, "[vvar");
    *ret_mapping = mapping;
    return true;
}

/* " VmFlags: rd wr mr mg": "mg" is MADV_MERGEABLE; "io" and "pf" are no memory but a device
 * (Documentation/filesystems/proc.rst of Linux). */
static void apply_flags(const char *flags, PfMapping *mapping, bool *wanted)
{
    g_auto(GStrv) words = g_strsplit(flags, " ", -1);
    for (char **word = words; *word != NULL; word++) {
        if (strcmp(*word, "mg") == 0)
            mapping->mergeable = true;
        if (strcmp(*word, "io") == 0 || strcmp(*word, "pf") == 0)
            *wanted = false;
    }
}

GArray *pf_process_mappings(const PfProcess *process)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/smaps", process->pid);
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return NULL;
    GArray *mappings = g_array_new(FALSE, FALSE, sizeof(PfMapping));
    PfMapping mapping = {0};
    bool wanted = false;
    for (char *line = text; line != NULL && *line != '\0';) {
        char *end = strchr(line, '\n');
        if (end != NULL)
            *end = '\0';
        PfMapping next;
        bool next_wanted = false;
        if (parse_header(line, &next, &next_wanted)) {
            if (wanted)
                g_array_append_val(mappings, mapping);
            mapping = next;
            wanted = next_wanted;
        } else if (g_str_has_prefix(line, "VmFlags:")) {
            apply_flags(line + strlen("VmFlags:"), &mapping, &wanted);
        }
        line = end != NULL ? end + 1 : NULL;
    }
    if (wanted)
        g_array_append_val(mappings, mapping);
    return mappings;
}

/* Whether an address of both means the same memory. */
static bool is_same(const PfMapping *a, const PfMapping *b)
{
    return a->backing == b->backing && a->name == b->name &&
           (a->backing == PF_BACKING_ANON || a->offset - a->start == b->offset - b->start);
}

/* The mapping of MAPPINGS that holds ADDRESS; *INDEX moves on, for ascending addresses. */
static const PfMapping *mapping_at(const GArray *mappings, guint *index, uint64_t address)
{
    while (*index < mappings->len && g_array_index(mappings, PfMapping, *index).end <= address)
        (*index)++;
    if (*index == mappings->len)
        return NULL;
    const PfMapping *mapping = &g_array_index(mappings, PfMapping, *index);
    return mapping->start <= address ? mapping : NULL;
}

static int compare_addresses(const void *a, const void *b)
{
    uint64_t first = *(const uint64_t *)a;
    uint64_t second = *(const uint64_t *)b;
    return first < second ? -1 : first > second;
}

static void append_bounds(GArray *bounds, const GArray *mappings)
{
    for (guint i = 0; i < mappings->len; i++) {
        const PfMapping *mapping = &g_array_index(mappings, PfMapping, i);
        g_array_append_val(bounds, mapping->start);
        g_array_append_val(bounds, mapping->end);
    }
}

/* All ranges that were or are mapped, ascending. */
static GArray *find_changes(const GArray *before, const GArray *after)
{
    g_autoptr(GArray) bounds = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    append_bounds(bounds, before);
    append_bounds(bounds, after);
    g_array_sort(bounds, compare_addresses);
    GArray *changes = g_array_new(FALSE, FALSE, sizeof(Change));
    guint before_index = 0;
    guint after_index = 0;
    for (guint i = 0; i + 1 < bounds->len; i++) {
        uint64_t start = g_array_index(bounds, uint64_t, i);
        uint64_t end = g_array_index(bounds, uint64_t, i + 1);
        if (start == end)
            continue;
        Change change = {start, end, mapping_at(before, &before_index, start),
                         mapping_at(after, &after_index, start)};
        Change *last = changes->len > 0 ? &g_array_index(changes, Change, changes->len - 1) : NULL;
        if (last != NULL && last->end == start && last->before == change.before &&
            last->after == change.after)
            last->end = end;
        else if (change.before != NULL || change.after != NULL)
            g_array_append_val(changes, change);
    }
    return changes;
}

static bool is_replaced(const Change *change)
{
    return change->before != NULL &&
           (change->after == NULL || !is_same(change->before, change->after));
}

static uint64_t page_count(const Change *change)
{
    return (change->end - change->start) / pf_snapshot_page_bytes();
}

/* PAGES from ADDRESS on, which are in MAPPING. */
static void tell_mapping(const PfProcess *process, const PfMapping *mapping, uint64_t address,
                         uint64_t pages, PfTraceWriter *writer)
{
    bool has_file = mapping->backing != PF_BACKING_ANON;
    PfTraceDetail detail = {
        .name = mapping->name,
        .number = has_file ? mapping->offset + (address - mapping->start) : 0,
        .backing = mapping->backing,
        .protection = mapping->protection,
        .mergeable = mapping->mergeable,
    };
    PfRecord record = {
        .address = address,
        .count = pages,
        .content = PF_TRACE_NO_CONTENT,
        .context = process->context,
        .kind = PF_RECORD_MAP,
        .detail = &detail,
    };
    pf_trace_writer_add(writer, &record);
}

static void tell_change(const PfProcess *process, const Change *change, PfTraceWriter *writer)
{
    PfRecord record = {
        .address = change->start,
        .count = page_count(change),
        .content = PF_TRACE_NO_CONTENT,
        .context = process->context,
    };
    if (is_replaced(change)) {
        record.kind = PF_RECORD_UNMAP;
        pf_trace_writer_add(writer, &record);
    }
    const PfMapping *after = change->after;
    if (after != NULL && (change->before == NULL || is_replaced(change))) {
        tell_mapping(process, after, change->start, record.count, writer);
    } else if (after != NULL && after->mergeable != change->before->mergeable) {
        record.kind = PF_RECORD_ADVISE;
        record.choice = after->mergeable ? PF_ADVICE_MERGEABLE : PF_ADVICE_UNMERGEABLE;
        pf_trace_writer_add(writer, &record);
    }
}

void pf_process_tell_backing(const PfProcess *process, const PfMapping *mapping,
                             const PfSeenPage *page, PfTraceWriter *writer)
{
    PfMapping told = *mapping;
    if (page->is_own) {
        told.backing = PF_BACKING_ANON;
        told.name = NULL;
    }
    PfRecord record = {
        .address = page->address,
        .count = 1,
        .content = PF_TRACE_NO_CONTENT,
        .context = process->context,
        .kind = PF_RECORD_UNMAP,
    };
    pf_trace_writer_add(writer, &record);
    tell_mapping(process, &told, page->address, 1, writer);
}

/* Both are ascending. */
static void forget_pages(PfProcess *process, const GArray *changes)
{
    guint kept = 0;
    guint index = 0;
    for (guint i = 0; i < process->pages->len; i++) {
        PfSeenPage page = g_array_index(process->pages, PfSeenPage, i);
        while (index < changes->len && g_array_index(changes, Change, index).end <= page.address)
            index++;
        const Change *change = index < changes->len ? &g_array_index(changes, Change, index) : NULL;
        if (change != NULL && change->start <= page.address && is_replaced(change))
            continue;
        g_array_index(process->pages, PfSeenPage, kept++) = page;
    }
    g_array_set_size(process->pages, kept);
}

void pf_process_tell_mappings(PfProcess *process, GArray *mappings, PfTraceWriter *writer)
{
    g_autoptr(GArray) changes = find_changes(process->mappings, mappings);
    for (guint i = 0; i < changes->len; i++)
        tell_change(process, &g_array_index(changes, Change, i), writer);
    forget_pages(process, changes);
    g_array_unref(process->mappings);
    process->mappings = mappings;
}
