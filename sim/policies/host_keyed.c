/* Keys of what stores make of pages. A policy that looks each store up asks for a page's key store
 * by store, so the image, which knows what each store changes, has the key made from that.
 * Simulated costs have nothing to do with it. */
#include "host.h"

struct PfHostKeyed {
    PfImageFollower follower;   /* its state: that of `ops`, or the engine's key */
    const PfHashFollowOps *ops; /* NULL: `form` */
    PfKeyForm form;
    uint32_t page_bytes;
};

void pf_host_free_keyed(PfHost *host)
{
    g_clear_pointer(&host->keyed, g_free);
}

static void begin(const void *user, void *state, const uint8_t *bytes)
{
    const PfHostKeyed *keyed = user;
    if (keyed->ops != NULL)
        keyed->ops->begin(state, bytes, keyed->page_bytes);
    else
        *(uint64_t *)state = pf_key_page(&keyed->form, bytes, keyed->page_bytes);
}

static void change(const void *user, void *state, uint32_t offset, const uint8_t *old,
                   const uint8_t *new)
{
    const PfHostKeyed *keyed = user;
    uint64_t *key = state;
    if (keyed->ops != NULL)
        keyed->ops->change(state, keyed->page_bytes, offset, old, new);
    else
        *key = pf_key_store(&keyed->form, *key, offset / keyed->form.line_bytes, old, new);
}

/* How keys are followed; of pages without state they are made as a whole. */
static PfHostKeyed *new_keyed(const PfHost *host)
{
    PfHostKeyed *keyed = g_new0(PfHostKeyed, 1);
    keyed->page_bytes = host->base.work->page_bytes;
    keyed->follower = (PfImageFollower){
        .user = keyed, .begin = begin, .change = change, .unit_bytes = sizeof(uint64_t)};
    if (host->alike != NULL || host->hash_bytes != keyed->page_bytes)
        return keyed;
    switch (pf_host_hash_kind(host)) {
    case PF_HASH_SOFTWARE:
    case PF_HASH_FULL:
        keyed->ops = host->setup->hash->follow;
        if (keyed->ops != NULL)
            keyed->follower.state_bytes = keyed->ops->state_bytes(keyed->page_bytes);
        break;
    case PF_HASH_INCREMENTAL:
        keyed->form = pf_hash_engine_form(host->base.work->hash_engine);
        keyed->follower.unit_bytes = keyed->form.line_bytes;
        keyed->follower.state_bytes = sizeof(uint64_t);
        break;
    case PF_HASH_ECC:
        break;
    }
    return keyed;
}

bool pf_host_key_of_result(PfHost *host, uint64_t *ret_key)
{
    PfMemory *memory = host->base.memory;
    if (host->keyed == NULL)
        host->keyed = new_keyed(host);
    const PfHostKeyed *keyed = host->keyed;
    const void *state;
    const uint8_t *bytes = pf_image_result(memory->image, &memory->reader, host->intent.slot,
                                           host->intent.result, &keyed->follower, &state);
    if (bytes == NULL)
        return false;
    if (keyed->follower.state_bytes == 0)
        *ret_key = pf_host_key_of_bytes(host, bytes);
    else if (keyed->ops != NULL)
        *ret_key = pf_host_cut_key(host, keyed->ops->hash(state, keyed->page_bytes));
    else
        *ret_key = pf_host_cut_key(host, *(const uint64_t *)state);
    return true;
}
