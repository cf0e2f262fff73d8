#include "sweep_share.h"

#include <string.h>

/* A trace that was asked for. */
typedef struct {
    char *path;
    PfTraceTape *tape; /* NULL: too long */
    unsigned users;
} Tape;

typedef struct {
    PfContentStore *store;
    unsigned users;
    bool is_full; /* no run more begins with it */
} Store;

struct PfSweepShare {
    GMutex lock;
    GPtrArray *tapes;  /* of Tape, the last one asked for at the end */
    GPtrArray *stores; /* of Store */
};

static void free_tape(gpointer data)
{
    Tape *tape = data;
    g_free(tape->path);
    pf_trace_tape_free(tape->tape);
    g_free(tape);
}

static void free_store(gpointer data)
{
    Store *store = data;
    pf_content_store_free(store->store);
    g_free(store);
}

PfSweepShare *pf_sweep_share_new(void)
{
    PfSweepShare *share = g_new0(PfSweepShare, 1);
    g_mutex_init(&share->lock);
    share->tapes = g_ptr_array_new_with_free_func(free_tape);
    share->stores = g_ptr_array_new_with_free_func(free_store);
    return share;
}

void pf_sweep_share_free(PfSweepShare *share)
{
    if (share == NULL)
        return;
    g_ptr_array_unref(share->tapes);
    g_ptr_array_unref(share->stores);
    g_mutex_clear(&share->lock);
    g_free(share);
}

/* What another tape may take, once tapes that nobody reads have made room. */
static uint64_t make_room(PfSweepShare *share)
{
    uint64_t held = 0;
    for (guint i = 0; i < share->tapes->len; i++) {
        const Tape *tape = share->tapes->pdata[i];
        held += tape->tape != NULL ? pf_trace_tape_bytes(tape->tape) : 0;
    }
    for (guint i = 0; i < share->tapes->len && held > PF_SWEEP_SHARE_BYTES / 2;) {
        const Tape *tape = share->tapes->pdata[i];
        if (tape->users > 0 || tape->tape == NULL) {
            i++;
            continue;
        }
        held -= pf_trace_tape_bytes(tape->tape);
        g_ptr_array_remove_index(share->tapes, i);
    }
    return held < PF_SWEEP_SHARE_BYTES ? PF_SWEEP_SHARE_BYTES - held : 0;
}

static Tape *find_tape(const PfSweepShare *share, const char *path)
{
    for (guint i = 0; i < share->tapes->len; i++)
        if (strcmp(((const Tape *)share->tapes->pdata[i])->path, path) == 0)
            return share->tapes->pdata[i];
    return NULL;
}

static Tape *take_tape(PfSweepShare *share, const char *path, GError **error)
{
    Tape *tape = find_tape(share, path);
    if (tape == NULL) {
        uint64_t room = make_room(share);
        g_autoptr(GError) cause = NULL;
        PfTraceTape *decoded = pf_trace_tape_new(path, room, &cause);
        if (cause != NULL) {
            g_propagate_error(error, g_steal_pointer(&cause));
            return NULL;
        }
        tape = g_new0(Tape, 1);
        tape->path = g_strdup(path);
        tape->tape = decoded;
        g_ptr_array_add(share->tapes, tape);
    }
    tape->users++;
    return tape;
}

/* The store for pages of PAGE_BYTES that has room. Runs leave contents behind when they end, which
 * the next of the same trace find again; so a store grows, and goes when it has grown too much. */
static PfContentStore *take_store(PfSweepShare *share, uint32_t page_bytes)
{
    for (guint i = 0; i < share->stores->len; i++) {
        Store *store = share->stores->pdata[i];
        store->is_full |= pf_content_store_bytes(store->store) > PF_SWEEP_SHARE_BYTES;
        if (store->is_full || pf_content_page_bytes(store->store) != page_bytes)
            continue;
        store->users++;
        return store->store;
    }
    Store *store = g_new0(Store, 1);
    store->store = pf_content_store_new(page_bytes);
    store->users = 1;
    g_ptr_array_add(share->stores, store);
    return store->store;
}

bool pf_sweep_share_take(PfSweepShare *share, const char *path, PfSweepLoan *ret_loan,
                         GError **error)
{
    *ret_loan = (PfSweepLoan){NULL, NULL};
    g_mutex_lock(&share->lock);
    Tape *tape = take_tape(share, path, error);
    if (tape != NULL && tape->tape == NULL)
        tape->users--; /* each run reads it for itself */
    if (tape != NULL && tape->tape != NULL) {
        ret_loan->tape = tape->tape;
        g_autoptr(PfTrace) trace = pf_trace_open_tape(tape->tape);
        ret_loan->store = take_store(share, pf_trace_header(trace)->page_bytes);
    }
    g_mutex_unlock(&share->lock);
    return tape != NULL;
}

void pf_sweep_share_give_back(PfSweepShare *share, const PfSweepLoan *loan)
{
    g_mutex_lock(&share->lock);
    for (guint i = 0; i < share->tapes->len; i++) {
        Tape *tape = share->tapes->pdata[i];
        tape->users -= loan->tape != NULL && tape->tape == loan->tape;
    }
    for (guint i = share->stores->len; i-- > 0;) {
        Store *store = share->stores->pdata[i];
        store->users -= loan->store != NULL && store->store == loan->store;
        store->is_full |= pf_content_store_bytes(store->store) > PF_SWEEP_SHARE_BYTES;
        if (store->users == 0 && store->is_full)
            g_ptr_array_remove_index(share->stores, i);
    }
    g_mutex_unlock(&share->lock);
}
