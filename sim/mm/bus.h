/* Bus pages: what the operating system takes for frames where the memory controller shares pages.
 *
 * Translations give a page's bus page, and caches hold lines by its address; which frame that is
 * stands in the controller's table (indirection.h). A page keeps its bus page when the controller
 * gives it another frame. Pages that a fork has made share have one; a store that the operating
 * system sees gives the page one of its own. Number 0 is the zero page.
 *
 * All functions do nothing where sharing changes page tables: memory->bus is NULL. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "addr.h"
#include "frame.h"
#include "indirection.h"
#include "seg_array.h"

typedef struct {
    PfSegArray pages;     /* PfBpn by slot: its bus page; 0: none, or the zero page */
    PfSegArray users;     /* uint32_t by bus page: slots that have it */
    GArray *free;         /* of PfBpn, last freed first used */
    uint32_t next;        /* above all numbers ever used */
    PfIndirection *table; /* borrowed */
    PfReused reused;      /* of bus pages; the owner sets it */
} PfBus;

typedef struct PfMemory PfMemory;

/* From now on sharing changes TABLE (borrowed) and no page table. Before the first page. */
void pf_bus_open(PfMemory *memory, PfIndirection *table);
void pf_bus_close(PfMemory *memory);

/* Room for all slots of MEMORY. */
void pf_bus_sync(PfMemory *memory);

/* SLOT gets a bus page of its own, unless it has one that no other slot has. */
void pf_bus_take(PfMemory *memory, PfSlot slot);
/* SLOT has none any more. */
void pf_bus_drop(PfMemory *memory, PfSlot slot);
/* TARGET has that of SOURCE, too. */
void pf_bus_copy(PfMemory *memory, PfSlot source, PfSlot target);

/* The bus page of SLOT has, from now on, the frame that SLOT maps. */
void pf_bus_map(PfMemory *memory, PfSlot slot);

/* What a translation of SLOT gives: its bus page, or where there are none its frame. */
PfMpn pf_bus_translation(const PfMemory *memory, PfSlot slot);

/* Where FRAME is seen from above the controller: as the bus page of the slot that it is live for,
 * else in the window on frames. The frame itself where there are no bus pages. */
PfMpn pf_bus_of_frame(const PfMemory *memory, PfMpn frame);

/* Recounts the users of each bus page. */
void pf_bus_check(const PfMemory *memory);
