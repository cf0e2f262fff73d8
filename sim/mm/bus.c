#include "bus.h"

#include "memory.h"

static PfBpn *page_at(const PfMemory *memory, PfSlot slot)
{
    return pf_seg_array_at(&memory->bus->pages, slot.index);
}

static uint32_t *users_at(const PfMemory *memory, PfBpn page)
{
    return pf_seg_array_at(&memory->bus->users, page.number);
}

void pf_bus_open(PfMemory *memory, PfIndirection *table)
{
    PfBus *bus = g_new0(PfBus, 1);
    pf_seg_array_init(&bus->pages, sizeof(PfBpn));
    pf_seg_array_init(&bus->users, sizeof(uint32_t));
    bus->free = g_array_new(FALSE, FALSE, sizeof(PfBpn));
    bus->next = 1;
    bus->table = table;
    memory->bus = bus;
    pf_bus_sync(memory);
}

void pf_bus_close(PfMemory *memory)
{
    if (memory->bus == NULL)
        return;
    pf_seg_array_clear(&memory->bus->pages);
    pf_seg_array_clear(&memory->bus->users);
    g_array_unref(memory->bus->free);
    g_clear_pointer(&memory->bus, g_free);
}

void pf_bus_sync(PfMemory *memory)
{
    if (memory->bus != NULL)
        pf_seg_array_reserve(&memory->bus->pages, memory->entry_limit);
}

void pf_bus_drop(PfMemory *memory, PfSlot slot)
{
    if (memory->bus == NULL)
        return;
    PfBpn *page = page_at(memory, slot);
    if (page->number != 0 && --*users_at(memory, *page) == 0)
        g_array_append_val(memory->bus->free, *page);
    page->number = 0;
}

void pf_bus_take(PfMemory *memory, PfSlot slot)
{
    PfBus *bus = memory->bus;
    if (bus == NULL)
        return;
    PfBpn *page = page_at(memory, slot);
    if (page->number != 0 && *users_at(memory, *page) == 1)
        return;
    pf_bus_drop(memory, slot);
    if (bus->free->len > 0) {
        *page = g_array_index(bus->free, PfBpn, bus->free->len - 1);
        g_array_set_size(bus->free, bus->free->len - 1);
        if (bus->reused.tell != NULL)
            bus->reused.tell(bus->reused.user, (PfMpn){page->number});
    } else {
        page->number = bus->next++;
        pf_seg_array_reserve(&bus->users, bus->next);
    }
    *users_at(memory, *page) = 1;
}

void pf_bus_copy(PfMemory *memory, PfSlot source, PfSlot target)
{
    if (memory->bus == NULL || page_at(memory, source)->number == page_at(memory, target)->number)
        return;
    pf_bus_drop(memory, target);
    PfBpn page = *page_at(memory, source);
    *page_at(memory, target) = page;
    *users_at(memory, page) += page.number != 0;
}

void pf_bus_map(PfMemory *memory, PfSlot slot)
{
    if (memory->bus == NULL || page_at(memory, slot)->number == 0)
        return;
    pf_indirection_map(memory->bus->table, *page_at(memory, slot),
                       (PfMpn){pf_memory_entry(memory, slot)->mpn});
}

PfMpn pf_bus_translation(const PfMemory *memory, PfSlot slot)
{
    if (memory->bus != NULL)
        return (PfMpn){page_at(memory, slot)->number};
    return (PfMpn){pf_memory_entry(memory, slot)->mpn};
}

PfMpn pf_bus_of_frame(const PfMemory *memory, PfMpn frame)
{
    if (memory->bus == NULL)
        return frame;
    const PfFrame *held = pf_frame_at(&memory->frames, frame);
    PfSlot slot = {held->holds & ~PF_FRAME_LIVE};
    if ((held->holds & PF_FRAME_LIVE) != 0 && page_at(memory, slot)->number != 0)
        return pf_bus_translation(memory, slot);
    return (PfMpn){PF_INDIRECTION_DIRECT + frame.number};
}

void pf_bus_check(const PfMemory *memory)
{
    const PfBus *bus = memory->bus;
    if (bus == NULL)
        return;
    g_autofree uint32_t *users = g_new0(uint32_t, bus->next);
    for (uint32_t i = 0; i < memory->entry_limit; i++)
        users[page_at(memory, (PfSlot){i})->number]++;
    uint32_t unused = 0;
    for (uint32_t page = 1; page < bus->next; page++) {
        g_assert(users[page] == *users_at(memory, (PfBpn){page}));
        unused += users[page] == 0;
    }
    g_assert(unused == bus->free->len);
}
