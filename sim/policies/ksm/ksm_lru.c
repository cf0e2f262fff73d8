#include "ksm_lru.h"

/* A fault that finds more references than this does not try to take the frame over. */
enum { REUSE_REFERENCES_MAX = 3 };

static PfKsmLruBatch *batch_of(const PfKsm *ksm, unsigned core)
{
    if (core >= ksm->lru->len)
        g_array_set_size(ksm->lru, core + 1);
    return &g_array_index(ksm->lru, PfKsmLruBatch, core);
}

/* The place of FRAME in a batch, or NULL. */
static uint32_t *find(const PfKsm *ksm, uint32_t frame)
{
    for (guint core = 0; core < ksm->lru->len; core++) {
        PfKsmLruBatch *batch = &g_array_index(ksm->lru, PfKsmLruBatch, core);
        for (unsigned i = 0; i < batch->count; i++)
            if (batch->frames[i] == frame)
                return &batch->frames[i];
    }
    return NULL;
}

void pf_ksm_lru_add(PfKsm *ksm, PfPage page, unsigned core)
{
    PfMpn frame;
    if (ksm->config.lru_batch == 0 || !pf_host_frame(ksm->host, page, &frame))
        return;
    /* A frame that comes anew had been freed: its old page still waits, but for nobody. */
    uint32_t *old = find(ksm, frame.number);
    if (old != NULL)
        *old = 0;
    PfKsmLruBatch *batch = batch_of(ksm, core);
    batch->frames[batch->count++] = frame.number;
    if (batch->count >= ksm->config.lru_batch)
        batch->count = 0;
}

bool pf_ksm_lru_holds(const PfKsm *ksm, PfMpn frame)
{
    return ksm->config.lru_batch != 0 && find(ksm, frame.number) != NULL;
}

void pf_ksm_lru_drain(PfKsm *ksm, unsigned core)
{
    batch_of(ksm, core)->count = 0;
}

void pf_ksm_lru_drain_all(PfKsm *ksm)
{
    g_array_set_size(ksm->lru, 0);
}

void pf_ksm_lru_store(PfKsm *ksm, const PfStoreFault *fault)
{
    if (ksm->config.lru_batch == 0)
        return;
    /* A core that wants to take a frame over first hands its own pages over, lest one of them be
     * the reason why it cannot. */
    bool tries = fault->kind != PF_STORE_NEW_FRAME && !fault->was_claimed && !fault->was_exclusive;
    if (tries && pf_ksm_lru_holds(ksm, fault->old_frame)) {
        bool copied = fault->kind == PF_STORE_COPIED;
        if (fault->old_refs + copied + 1 <= REUSE_REFERENCES_MAX)
            pf_ksm_lru_drain(ksm, fault->core);
    }
    if (fault->kind != PF_STORE_REUSED)
        pf_ksm_lru_add(ksm, fault->page, fault->core);
}
