/* No index at all: a plain array of keys, compared one after the other.
 *
 * What it finds is what every other finder must find, and what it costs is what they save. An
 * entry is a key and a value, so four share a line; the array grows as values are filed. */
#include "policy.h"
#include "seg_array.h"

typedef struct {
    uint64_t key;
    uint64_t value;
} Entry;

enum { LINE_BYTES = 64, ENTRIES_PER_LINE = LINE_BYTES / sizeof(Entry) };

typedef struct {
    PfHost *host;
    PfSegArray entries;
    uint64_t count;
    uint64_t capacity;
    uint64_t chain_steps;
} Brute;

static Entry *entry_at(const Brute *self, uint64_t index)
{
    g_assert(index < self->count);
    return pf_seg_array_at(&self->entries, (uint32_t)index);
}

/* The lines of entries 0 .. END - 1 that those before BEGIN do not lie on. */
static void charge_entries(const Brute *self, uint64_t begin, uint64_t end)
{
    uint64_t before = (begin + ENTRIES_PER_LINE - 1) / ENTRIES_PER_LINE;
    uint64_t after = (end + ENTRIES_PER_LINE - 1) / ENTRIES_PER_LINE;
    if (after > before)
        pf_host_charge_lines(self->host, PF_ACCOUNT_LOOKUP, after - before);
}

static void *brute_create(PfHost *host, const void *config, uint64_t frames, GError **error)
{
    (void)config;
    (void)error;
    Brute *self = g_new0(Brute, 1);
    self->host = host;
    self->capacity = frames;
    pf_seg_array_init(&self->entries, sizeof(Entry));
    pf_stats_counter(pf_host_stats(host), "chain_steps", "events",
                     "Entries of the finder compared with a key that was looked up.",
                     &self->chain_steps);
    return self;
}

static void brute_free(void *user)
{
    Brute *self = user;
    if (self == NULL)
        return;
    pf_seg_array_clear(&self->entries);
    g_free(self);
}

/* The cursor is the index of the next entry to compare. */
static bool brute_find(void *user, uint64_t key, uint64_t *cursor, uint64_t *ret_value)
{
    Brute *self = user;
    uint64_t begin = *cursor;
    bool found = false;
    while (*cursor < self->count && !found) {
        const Entry *entry = entry_at(self, (*cursor)++);
        self->chain_steps++;
        found = entry->key == key;
        if (found)
            *ret_value = entry->value;
    }
    charge_entries(self, begin, *cursor);
    return found;
}

static void brute_file(void *user, uint64_t key, uint64_t value)
{
    Brute *self = user;
    g_assert(self->count < self->capacity);
    pf_seg_array_reserve(&self->entries, self->count + 1);
    self->count++;
    *entry_at(self, self->count - 1) = (Entry){key, value};
    pf_host_charge_lines(self->host, PF_ACCOUNT_LOOKUP, 1);
}

static void brute_unfile(void *user, uint64_t key, uint64_t value)
{
    Brute *self = user;
    uint64_t index = 0;
    while (entry_at(self, index)->key != key || entry_at(self, index)->value != value)
        index++;
    *entry_at(self, index) = *entry_at(self, self->count - 1);
    self->count--;
    charge_entries(self, 0, index + 1);
    pf_host_charge_lines(self->host, PF_ACCOUNT_LOOKUP, 1);
}

static uint64_t brute_metadata_bytes(const void *user)
{
    const Brute *self = user;
    return self->count * sizeof(Entry);
}

static void brute_check(void *user)
{
    const Brute *self = user;
    g_assert(self->count <= self->capacity);
}

const PfFinderOps pf_finder_brute = {
    .name = "brute",
    .summary = "No index: every key is compared.",
    .create = brute_create,
    .free = brute_free,
    .find = brute_find,
    .file = brute_file,
    .unfile = brute_unfile,
    .metadata_bytes = brute_metadata_bytes,
    .check = brute_check,
};
