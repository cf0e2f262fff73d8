/* What policies and classes of pages say of frames. */
#include "frame.h"

void pf_frame_claim(PfFramePool *pool, PfMpn mpn, uint32_t tag)
{
    PfFrame *frame = pf_frame_at(pool, mpn);
    g_assert(mpn.number != 0 && tag != 0);
    g_assert(pf_frame_is_used(frame));
    pf_seg_array_reserve(&pool->tags, pool->limit);
    frame->count |= PF_FRAME_CLAIMED;
    *(uint32_t *)pf_seg_array_at(&pool->tags, mpn.number) = tag;
}

uint32_t pf_frame_tag(const PfFramePool *pool, PfMpn mpn)
{
    if ((pf_frame_at(pool, mpn)->count & PF_FRAME_CLAIMED) == 0)
        return 0;
    return *(const uint32_t *)pf_seg_array_at(&pool->tags, mpn.number);
}

void pf_frame_set_class(PfFramePool *pool, PfMpn mpn, uint32_t class)
{
    pf_seg_array_reserve(&pool->classes, pool->limit);
    *(uint32_t *)pf_seg_array_at(&pool->classes, mpn.number) = class;
}

uint32_t pf_frame_class(const PfFramePool *pool, PfMpn mpn)
{
    if (mpn.number >= pool->classes.count)
        return 0;
    return *(const uint32_t *)pf_seg_array_at(&pool->classes, mpn.number);
}
