/* The machine's content-addressable memory (section `machine.cam`), which answers in a few cycles
 * what a table needs several lines of memory for; and what becomes of values that it has no room
 * for.
 *
 * With a table behind it these move to a table of chains in memory, as the finder `table` has it,
 * and stay there; a search goes on in the table when the CAM has no further match, unless the table
 * is empty. Without one they are forgotten. A search in vain for a key under which something
 * forgotten is still filed counts as lost: a table would have found that, be it stale or not.
 * Entries that the CAM deletes by itself because their page was stored to are not in that count. */
#include "finder_table.h"
#include "table.h"

/* Cursors of the search in the table, and their end. */
#define IN_TABLE      ((uint64_t)1 << 63)
#define END_OF_SEARCH UINT64_MAX

typedef struct {
    PfHost *host;
    void *table;       /* NULL: there is none behind the CAM */
    PfTable outside;   /* values that are filed but not in the CAM; values do not matter */
    PfTable forgotten; /* without a table: how many of these a key has */
    bool has_overflowed;
} Cam;

static void *cam_create(PfHost *host, const void *config, uint64_t frames, GError **error)
{
    (void)config;
    static const PfFinderTableConfig table = {.index_bits = PF_CONFIG_AUTO};
    Cam *self = g_new0(Cam, 1);
    self->host = host;
    if (!pf_host_cam_overflows(host))
        return self;
    self->table = pf_finder_table.create(host, &table, frames, error);
    if (self->table == NULL)
        g_clear_pointer(&self, g_free);
    return self;
}

static void cam_free(void *user)
{
    Cam *self = user;
    if (self == NULL)
        return;
    pf_finder_table.free(self->table);
    pf_table_clear(&self->outside);
    pf_table_clear(&self->forgotten);
    g_free(self);
}

static bool is_forgotten(const Cam *self, uint64_t key)
{
    return pf_table_find(&self->forgotten, key, NULL);
}

static bool find_in_table(Cam *self, uint64_t key, PfPage page, uint64_t *cursor,
                          uint64_t *ret_value)
{
    uint64_t at = *cursor & ~IN_TABLE;
    bool found = pf_finder_table.find(self->table, key, page, &at, ret_value);
    *cursor = found && at != END_OF_SEARCH ? IN_TABLE | at : END_OF_SEARCH;
    return found;
}

static bool cam_find(void *user, uint64_t key, PfPage page, uint64_t *cursor, uint64_t *ret_value)
{
    Cam *self = user;
    if (*cursor == END_OF_SEARCH)
        return false;
    if ((*cursor & IN_TABLE) == 0) {
        if (pf_host_cam_find(self->host, key, page, cursor, ret_value))
            return true;
        if (is_forgotten(self, key))
            pf_host_cam_count_lost(self->host);
        *cursor =
            self->table != NULL && pf_table_count(&self->outside) > 0 ? IN_TABLE : END_OF_SEARCH;
    }
    return *cursor != END_OF_SEARCH && find_in_table(self, key, page, cursor, ret_value);
}

/* VALUE of KEY has no room in the CAM. */
static void put_outside(Cam *self, uint64_t key, PfPage page, uint64_t value)
{
    uint64_t count = 0;
    self->has_overflowed = true;
    pf_table_insert(&self->outside, value, 0);
    if (self->table != NULL) {
        pf_finder_table.file(self->table, key, page, value);
        return;
    }
    pf_table_find(&self->forgotten, key, &count);
    pf_table_insert(&self->forgotten, key, count + 1);
}

static void take_outside(Cam *self, uint64_t key, uint64_t value)
{
    uint64_t count = 0;
    pf_table_remove(&self->outside, value);
    if (self->table != NULL) {
        pf_finder_table.unfile(self->table, key, value);
        return;
    }
    pf_table_find(&self->forgotten, key, &count);
    if (count > 1)
        pf_table_insert(&self->forgotten, key, count - 1);
    else
        pf_table_remove(&self->forgotten, key);
}

static void cam_file(void *user, uint64_t key, PfPage page, uint64_t value)
{
    Cam *self = user;
    uint64_t other_key;
    uint64_t other;
    switch (pf_host_cam_file(self->host, key, page, value, &other_key, &other)) {
    case PF_CAM_KEPT:
        return;
    case PF_CAM_DISPLACED:
        put_outside(self, other_key, page, other);
        return;
    case PF_CAM_FULL:
        put_outside(self, key, page, value);
        return;
    }
}

static void cam_unfile(void *user, uint64_t key, uint64_t value)
{
    Cam *self = user;
    if (pf_table_find(&self->outside, value, NULL)) {
        take_outside(self, key, value);
        return;
    }
    bool was_there = pf_host_cam_unfile(self->host, key, value);
    g_assert(was_there || pf_host_cam_forgets(self->host));
}

/* The CAM is no memory; the table is made when it is needed first. */
static uint64_t cam_metadata_bytes(const void *user)
{
    const Cam *self = user;
    return self->table != NULL && self->has_overflowed ? pf_finder_table.metadata_bytes(self->table)
                                                       : 0;
}

static void cam_check(void *user)
{
    Cam *self = user;
    if (self->table != NULL)
        pf_finder_table.check(self->table);
}

static bool cam_finds_all(const void *user)
{
    const Cam *self = user;
    bool has_lost = self->table == NULL && pf_table_count(&self->outside) > 0;
    return !has_lost && !pf_host_cam_forgets(self->host);
}

const PfFinderOps pf_finder_cam = {
    .name = "cam",
    .summary = "The machine's content-addressable memory, with a table behind it or none.",
    .create = cam_create,
    .free = cam_free,
    .find = cam_find,
    .file = cam_file,
    .unfile = cam_unfile,
    .metadata_bytes = cam_metadata_bytes,
    .check = cam_check,
    .finds_all = cam_finds_all,
    .uses_cam = true,
};
