/* No index at all: a plain array of keys, compared one after the other, the latest first.
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

/* The lines of entries FIRST .. LAST. */
static uint64_t lines_of(uint64_t first, uint64_t last)
{
    return last / ENTRIES_PER_LINE - first / ENTRIES_PER_LINE + 1;
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

/* The cursor is the number of entries compared so far, from the last one down. */
static bool brute_find(void *user, uint64_t key, PfPage page, uint64_t *cursor, uint64_t *ret_value)
{
    (void)page;
    Brute *self = user;
    uint64_t end = self->count - *cursor;
    uint64_t at = end;
    bool found = false;
    while (at > 0 && !found) {
        const Entry *entry = entry_at(self, --at);
        self->chain_steps++;
        found = entry->key == key;
        if (found)
            *ret_value = entry->value;
    }
    /* The line where the last step ended has been read already. */
    bool is_on_line = *cursor > 0 && end % ENTRIES_PER_LINE != 0;
    if (at < end)
        pf_host_charge_lines(self->host, PF_ACCOUNT_LOOKUP, lines_of(at, end - 1) - is_on_line);
    *cursor = self->count - at;
    return found;
}

static void brute_file(void *user, uint64_t key, PfPage page, uint64_t value)
{
    (void)page;
    Brute *self = user;
    g_assert(self->count < self->capacity);
    pf_seg_array_reserve(&self->entries, self->count + 1);
    self->count++;
    *entry_at(self, self->count - 1) = (Entry){key, value};
    pf_host_charge_lines(self->host, PF_ACCOUNT_LOOKUP, 1);
}

/* Those above move down, for the order of filing is kept; their lines were read by the search. */
static void brute_unfile(void *user, uint64_t key, uint64_t value)
{
    Brute *self = user;
    uint64_t index = self->count - 1;
    while (entry_at(self, index)->key != key || entry_at(self, index)->value != value)
        index--;
    pf_host_charge_lines(self->host, PF_ACCOUNT_LOOKUP, lines_of(index, self->count - 1));
    for (uint64_t i = index; i + 1 < self->count; i++)
        *entry_at(self, i) = *entry_at(self, i + 1);
    self->count--;
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
