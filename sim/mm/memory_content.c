/* What frames hold. */
#include "memory.h"

bool pf_memory_frame_content(PfMemory *memory, PfMpn mpn, PfContent *ret_content)
{
    const PfFrame *frame = pf_frame_at(&memory->frames, mpn);
    if (frame->holds == PF_FRAME_UNKNOWN)
        return false;
    if ((frame->holds & PF_FRAME_LIVE) != 0)
        return pf_image_content(memory->image, &memory->reader,
                                (PfSlot){frame->holds & ~PF_FRAME_LIVE}, memory->position,
                                ret_content);
    *ret_content = (PfContent){frame->holds};
    pf_content_ref(memory->frames.store, *ret_content);
    return true;
}

bool pf_memory_frame_peek(const PfMemory *memory, PfMpn mpn, PfContent *ret_content)
{
    const PfFrame *frame = pf_frame_at(&memory->frames, mpn);
    if (frame->holds == PF_FRAME_UNKNOWN)
        return false;
    if ((frame->holds & PF_FRAME_LIVE) != 0)
        return pf_image_peek(memory->image, (PfSlot){frame->holds & ~PF_FRAME_LIVE}, ret_content);
    *ret_content = (PfContent){frame->holds};
    return true;
}

void pf_memory_freeze(PfMemory *memory, PfMpn mpn)
{
    if ((pf_frame_at(&memory->frames, mpn)->holds & PF_FRAME_LIVE) == 0)
        return;
    PfContent content;
    if (pf_memory_frame_content(memory, mpn, &content))
        pf_frame_hold_content(&memory->frames, mpn, content);
    else
        pf_frame_hold_unknown(&memory->frames, mpn);
}
