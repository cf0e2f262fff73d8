/* Keys of what stores make of pages. A policy that looks each store up asks for a page's key store by
 * store, so the page is kept as it was when it asked last, and the next key is made from what has
 * changed since. Simulated costs have nothing to do with that. */
#include "host.h"

#include <string.h>

struct PfHostKeyed {
    uint32_t slot;   /* + 1; 0: there is no page here yet */
    uint8_t *bytes;
    uint64_t *state; /* of the policy's hash, or the engine's key */
};

/* Pages are kept by slot, each in the place of another. */
enum { KEYED_PAGES = PF_IMAGE_COPIES };

/* How keys are followed. */
typedef struct {
    const PfHashFollowOps *ops; /* NULL: `form` */
    PfKeyForm form;
    uint32_t page_bytes;
    uint32_t unit_bytes; /* that change together */
    size_t state_bytes;  /* 0: they are not followed */
} Way;

void pf_host_free_keyed(PfHost *host)
{
    for (unsigned i = 0; host->keyed != NULL && i < KEYED_PAGES; i++) {
        g_free(host->keyed[i].bytes);
        g_free(host->keyed[i].state);
    }
    g_clear_pointer(&host->keyed, g_free);
}

static Way way_of(const PfHost *host)
{
    const PfHashEngine *engine = host->base.work->hash_engine;
    const PfHashFollowOps *ops = host->setup->hash->follow;
    Way way = {.page_bytes = host->base.work->page_bytes};
    if (host->alike != NULL || host->hash_bytes != way.page_bytes)
        return way;
    switch (pf_host_hash_kind(host)) {
    case PF_HASH_SOFTWARE:
    case PF_HASH_FULL:
        way.ops = ops;
        way.unit_bytes = sizeof(uint64_t);
        way.state_bytes = ops != NULL ? ops->state_bytes(way.page_bytes) : 0;
        break;
    case PF_HASH_INCREMENTAL:
        way.form = pf_hash_engine_form(engine);
        way.unit_bytes = way.form.line_bytes;
        way.state_bytes = sizeof(uint64_t);
        break;
    case PF_HASH_ECC:
        break;
    }
    return way;
}

/* KEYED goes over to BYTES from FIRST to before END, whole units; mostly few of them have
 * changed. */
static void follow(const Way *way, PfHostKeyed *keyed, const uint8_t *bytes, uint32_t first,
                   uint32_t end)
{
    uint8_t *old = keyed->bytes + first;
    if (memcmp(old, bytes + first, end - first) == 0)
        return;
    if (end - first > way->unit_bytes) {
        uint32_t middle = first + (end - first) / way->unit_bytes / 2 * way->unit_bytes;
        follow(way, keyed, bytes, first, middle);
        follow(way, keyed, bytes, middle, end);
        return;
    }
    if (way->ops != NULL)
        way->ops->change(keyed->state, way->page_bytes, first, old, bytes + first);
    else
        *keyed->state = pf_key_store(&way->form, *keyed->state, first / way->unit_bytes, old,
                                     bytes + first);
    memcpy(old, bytes + first, end - first);
}

static void begin(const Way *way, PfHostKeyed *keyed, PfSlot slot, const uint8_t *bytes)
{
    if (keyed->bytes == NULL) {
        keyed->bytes = g_malloc(way->page_bytes);
        keyed->state = g_malloc(way->state_bytes);
    }
    memcpy(keyed->bytes, bytes, way->page_bytes);
    keyed->slot = slot.index + 1;
    if (way->ops != NULL)
        way->ops->begin(keyed->state, bytes, way->page_bytes);
    else
        *keyed->state = pf_key_page(&way->form, bytes, way->page_bytes);
}

uint64_t pf_host_key_of_result(PfHost *host, PfSlot slot, const uint8_t *bytes,
                               PfByteSpan changed)
{
    Way way = way_of(host);
    if (way.state_bytes == 0)
        return pf_host_key_of_bytes(host, bytes);
    if (host->keyed == NULL)
        host->keyed = g_new0(PfHostKeyed, KEYED_PAGES);
    PfHostKeyed *keyed = &host->keyed[slot.index % KEYED_PAGES];
    uint32_t beside = way.unit_bytes - 1;
    if (keyed->slot == slot.index + 1)
        follow(&way, keyed, bytes, changed.first_bytes & ~beside,
               (changed.end_bytes + beside) & ~beside);
    else
        begin(&way, keyed, slot, bytes);
    return pf_host_cut_key(host, way.ops != NULL ? way.ops->hash(keyed->state, way.page_bytes)
                                                 : *keyed->state);
}
