/* Which pages map a frame, and the clock that chooses frames to be swapped out by it.
 *
 * A frame is swapped out whole, with all pages that map it: they are not present then, and map a
 * number that is out (frame.h). It comes back whole, so that pages which shared it share it again;
 * but by the policy's doing no longer: nothing of it is merged, protected or claimed.
 *
 * All functions do nothing where memory->swap is NULL, and for pages that map the zero frame. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "addr.h"
#include "seg_array.h"

typedef struct {
    PfSegArray next;     /* uint32_t by slot: the next page of its frame + 1; 0: none */
    PfSegArray previous; /* likewise */
    PfSegArray first;    /* uint32_t by frame: the page linked last + 1 */
    uint32_t hand;       /* frame that the clock came to last */
    uint64_t pages;      /* that are swapped out */
} PfSwap;

typedef struct PfMemory PfMemory;

/* From now on frames may be swapped out. MEMORY has a limit, and no page yet. */
void pf_swap_open(PfMemory *memory);
void pf_swap_close(PfMemory *memory);

/* Room for all slots of MEMORY. */
void pf_swap_sync(PfMemory *memory);

/* SLOT maps from now on, or maps still, what its entry says. */
void pf_swap_link(PfMemory *memory, PfSlot slot);
void pf_swap_unlink(PfMemory *memory, PfSlot slot);

/* Whether the frame of SLOT, a page or the page of a file, is out. */
bool pf_swap_is_out(const PfMemory *memory, PfSlot slot);

/* What a victim must not be. */
typedef struct {
    PfSlot kept[3]; /* pages whose frames stay; PF_NO_SLOT where there is none */
    int node;       /* of this node alone; -1: of any */
} PfSwapWish;

/* The next frame that has not been accessed since the clock came by last, and is neither pinned nor
 * mapped by a page that is locked. False if there is none. */
bool pf_swap_choose(PfMemory *memory, const PfSwapWish *wish, PfMpn *ret_victim);

/* Whether FRAME holds what its file has, too, so that nothing need be written. */
bool pf_swap_is_clean(const PfMemory *memory, PfMpn frame);

/* Appends the slots of the pages that map FRAME, in order of linking, to SLOTS (of PfSlot). */
void pf_swap_pages(const PfMemory *memory, PfMpn frame, GArray *slots);

/* FRAME goes out, with its pages. */
void pf_swap_out(PfMemory *memory, PfMpn frame);
/* What OBJECT, SLOT itself or the page of its file, has out gets a frame as SLOT wants it. False if
 * there is none. */
bool pf_swap_in(PfMemory *memory, PfSlot slot, PfSlot object, PfMpn *ret_frame);

/* Asserts that every page is linked to what it maps. */
void pf_swap_check(const PfMemory *memory);
