/* References that devices hold on frames. */
#include "memory.h"

PfFault pf_memory_pin(PfMemory *memory, PfSlot slot)
{
    PfFault fault = pf_memory_read(memory, slot);
    if (fault == PF_FAULT_NO_MEMORY)
        return fault;
    PfPin pin = {.slot = slot.index, .mpn = pf_memory_entry(memory, slot)->mpn};
    pf_frame_pin(&memory->frames, (PfMpn){pin.mpn});
    g_array_append_val(memory->pins, pin);
    return fault;
}

static void drop_pin(PfMemory *memory, unsigned index)
{
    PfPin pin = g_array_index(memory->pins, PfPin, index);
    g_array_remove_index(memory->pins, index);
    pf_memory_integrate(memory);
    pf_frame_unpin(&memory->frames, (PfMpn){pin.mpn});
}

void pf_memory_unpin(PfMemory *memory, PfSlot slot)
{
    for (unsigned i = 0; i < memory->pins->len; i++) {
        if (g_array_index(memory->pins, PfPin, i).slot == slot.index) {
            drop_pin(memory, i);
            return;
        }
    }
}

void pf_memory_unpin_all(PfMemory *memory, uint32_t context)
{
    for (unsigned i = memory->pins->len; i-- > 0;) {
        PfSlot slot = {g_array_index(memory->pins, PfPin, i).slot};
        if (pf_image_leaf_of(memory->image, slot)->context == context)
            drop_pin(memory, i);
    }
}
