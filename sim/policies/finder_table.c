/* The hash table of Waldspurger, US 6,789,156 B1: a table of chains, each a list of frames.
 *
 * The low bits of a key are the index of a chain, whose frames are compared by their full key.
 * Both tables are preallocated for the worst case of nothing shared: as many frames as the machine
 * has, and the next power of two of chains. A chain is a 24-bit pointer; a frame is a 64-bit key,
 * a 24-bit machine page number, a 16-bit count and a 24-bit pointer, 16 bytes in all. Machines with
 * more frames than 24 bits can number take 32-bit pointers, 4 and 18 bytes.
 *
 * Each chain head and each frame visited lies on a line of its own. The table accounts for its
 * frames wholly; what a policy keeps in them is not counted again by the policy. */
#include "finder_table.h"

#include <inttypes.h>

#include "error.h"
#include "seg_array.h"
#include "units.h"

enum {
    POINTER_BITS = 24,
    POINTER_BYTES = 3,
    WIDE_POINTER_BYTES = 4,
    KEY_BYTES = 8,
    COUNT_BYTES = 2,
    /* Chains for 1 TiB of 4 KiB pages: the host, too, has to hold those that are used. */
    INDEX_BITS_MAX = 28,
};

#define END_OF_CHAIN UINT64_MAX

/* Numbered from 1; 0 ends a chain and the list of free frames. */
typedef struct {
    uint64_t key;
    uint64_t value;
    uint32_t next;
} Frame;

typedef struct {
    PfHost *host;
    uint64_t capacity; /* frames */
    uint64_t chain_count;
    uint64_t used;
    PfSegArray chains; /* uint32_t: number of the first frame */
    PfSegArray frames;
    uint32_t top; /* highest number ever used */
    uint32_t first_free;
    uint64_t chain_steps;
} Table;

static const PfConfigField table_fields[] = {
    {.key = "index_bits",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(PfFinderTableConfig, index_bits),
     .standard = "auto",
     .min = 1,
     .max = INDEX_BITS_MAX,
     .automatic = true,
     .unit = "bits",
     .description = "Low bits of a key that choose the chain; auto: as many chains as the next "
                    "power of two of the machine's frames."},
};

static uint32_t *chain_of(const Table *self, uint64_t key)
{
    return pf_seg_array_at(&self->chains, (uint32_t)(key & (self->chain_count - 1)));
}

static Frame *frame_at(const Table *self, uint32_t number)
{
    g_assert(number > 0 && number <= self->top);
    return pf_seg_array_at(&self->frames, number);
}

/* Bytes of a number of a frame, as chains and frames hold it. */
static uint64_t pointer_bytes(const Table *self)
{
    return self->capacity <= (uint64_t)1 << POINTER_BITS ? POINTER_BYTES : WIDE_POINTER_BYTES;
}

static PfStatValue read_chains(const void *user)
{
    return pf_stat_uint(((const Table *)user)->chain_count);
}

static PfStatValue read_chain_bytes(const void *user)
{
    const Table *self = user;
    return pf_stat_uint(self->chain_count * pointer_bytes(self));
}

static PfStatValue read_frames(const void *user)
{
    return pf_stat_uint(((const Table *)user)->capacity);
}

static PfStatValue read_frame_bytes(const void *user)
{
    const Table *self = user;
    return pf_stat_uint(self->capacity *
                        (KEY_BYTES + pointer_bytes(self) + COUNT_BYTES + pointer_bytes(self)));
}

static void register_stats(Table *self)
{
    PfStatsGroup *group = pf_host_stats(self->host);
    pf_stats_counter(group, "chain_steps", "events",
                     "Entries of the finder compared with a key that was looked up.",
                     &self->chain_steps);
    pf_stats_level(group, "chains", "events", "Chains of the finder's table.", read_chains, self);
    pf_stats_level(group, "chain_bytes", "bytes", "What they take.", read_chain_bytes, self);
    pf_stats_level(group, "frames", "events", "Frames that the finder's table has room for.",
                   read_frames, self);
    pf_stats_level(group, "frame_bytes", "bytes", "What they take.", read_frame_bytes, self);
}

static void *table_create(PfHost *host, const void *user_config, uint64_t frames, GError **error)
{
    const PfFinderTableConfig *config = user_config;
    if (frames >= UINT32_MAX) {
        g_set_error(error, PF_ERROR, PF_ERROR_LIMIT,
                    "the finder \"table\" holds less than 2^32 frames, the machine has %" PRIu64,
                    frames);
        return NULL;
    }
    Table *self = g_new0(Table, 1);
    self->host = host;
    self->capacity = frames;
    self->chain_count = config->index_bits == PF_CONFIG_AUTO ? pf_next_power_of_two(frames)
                                                             : (uint64_t)1 << config->index_bits;
    pf_seg_array_init(&self->chains, sizeof(uint32_t));
    pf_seg_array_reserve(&self->chains, self->chain_count);
    pf_seg_array_init(&self->frames, sizeof(Frame));
    register_stats(self);
    return self;
}

static void table_free(void *user)
{
    Table *self = user;
    if (self == NULL)
        return;
    pf_seg_array_clear(&self->chains);
    pf_seg_array_clear(&self->frames);
    g_free(self);
}

/* The cursor is the number of the next frame to compare, so that the value just returned may be
 * removed. */
static bool table_find(void *user, uint64_t key, PfPage page, uint64_t *cursor, uint64_t *ret_value)
{
    (void)page;
    Table *self = user;
    uint64_t lines = 0;
    uint32_t number = 0;
    if (*cursor == 0) {
        number = *chain_of(self, key);
        lines++;
    } else if (*cursor != END_OF_CHAIN) {
        number = (uint32_t)*cursor;
    }
    *cursor = END_OF_CHAIN;
    bool found = false;
    while (number != 0 && !found) {
        const Frame *frame = frame_at(self, number);
        lines++;
        self->chain_steps++;
        number = frame->next;
        found = frame->key == key;
        if (found)
            *ret_value = frame->value;
    }
    if (number != 0)
        *cursor = number;
    if (lines > 0)
        pf_host_charge_lines(self->host, PF_ACCOUNT_LOOKUP, lines);
    return found;
}

static uint32_t take_frame(Table *self)
{
    g_assert(self->used < self->capacity);
    self->used++;
    uint32_t number = self->first_free;
    if (number != 0) {
        self->first_free = frame_at(self, number)->next;
        return number;
    }
    number = ++self->top;
    pf_seg_array_reserve(&self->frames, (uint64_t)number + 1);
    return number;
}

static void table_file(void *user, uint64_t key, PfPage page, uint64_t value)
{
    (void)page;
    Table *self = user;
    uint32_t *chain = chain_of(self, key);
    uint32_t number = take_frame(self);
    *frame_at(self, number) = (Frame){.key = key, .value = value, .next = *chain};
    *chain = number;
    pf_host_charge_lines(self->host, PF_ACCOUNT_LOOKUP, 2);
}

static void table_unfile(void *user, uint64_t key, uint64_t value)
{
    Table *self = user;
    uint32_t *link = chain_of(self, key);
    uint64_t lines = 1;
    for (;;) {
        g_assert(*link != 0);
        Frame *frame = frame_at(self, *link);
        lines++;
        if (frame->key == key && frame->value == value)
            break;
        link = &frame->next;
    }
    uint32_t number = *link;
    Frame *frame = frame_at(self, number);
    *link = frame->next;
    frame->next = self->first_free;
    self->first_free = number;
    self->used--;
    pf_host_charge_lines(self->host, PF_ACCOUNT_LOOKUP, lines);
}

static uint64_t table_metadata_bytes(const void *user)
{
    return read_chain_bytes(user).u + read_frame_bytes(user).u;
}

/* Whether frame NUMBER hangs in the chain of its key. */
static bool is_in_chain(const Table *self, uint32_t number)
{
    uint32_t at = *chain_of(self, frame_at(self, number)->key);
    for (uint64_t steps = 0; at != 0 && at != number; at = frame_at(self, at)->next)
        g_assert(steps++ < self->used);
    return at == number;
}

static void table_check(void *user)
{
    const Table *self = user;
    g_autofree bool *is_free = g_new0(bool, (size_t)self->top + 1);
    uint64_t free_frames = 0;
    for (uint32_t number = self->first_free; number != 0; number = frame_at(self, number)->next) {
        g_assert(!is_free[number]);
        is_free[number] = true;
        free_frames++;
    }
    g_assert(self->used + free_frames == self->top);
    for (uint32_t number = 1; number <= self->top; number++)
        g_assert(is_free[number] || is_in_chain(self, number));
}

const PfFinderOps pf_finder_table = {
    .name = "table",
    .summary = "Hash table of chains, 3 bytes a chain and 16 a frame, preallocated.",
    .fields = table_fields,
    .field_count = G_N_ELEMENTS(table_fields),
    .config_bytes = sizeof(PfFinderTableConfig),
    .create = table_create,
    .free = table_free,
    .find = table_find,
    .file = table_file,
    .unfile = table_unfile,
    .metadata_bytes = table_metadata_bytes,
    .check = table_check,
};
