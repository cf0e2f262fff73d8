/* What ESX knows of the pages it has looked at: frames, and which page belongs to which.
 *
 * A frame is, as in Waldspurger, US 6,789,156 B1,
 *   a hint   the first page that hashed to a key, not write-protected; has a back-map to that page;
 *   shared   a machine page mapped copy-on-write by one or more pages; has only a count of them;
 *   dropped  a shared one that left the table when its count fell to one. It lingers, without
 *            being counted, until its last page is met again, for nothing leads from it there.
 *
 * The index from pages to frames is the simulator's, not the simulated system's (which walks its
 * own tables there); it is what lets counts be exact. It takes 4 bytes a page in dense address
 * spaces, the frames take 24 bytes each and the index by machine page 4. */
#pragma once

#include "policy.h"
#include "seg_array.h"
#include "table.h"

/* Above this a count does not fit its 16 bits and has an entry in the overflow table. */
enum { PF_ESX_COUNT_MAX = 65535 };

typedef struct {
    uint64_t key;
    uint64_t number;     /* hint: CPN of its page; else the MPN; unused: the next unused frame */
    uint32_t context;    /* hint: context of its page; else PF_ESX_LISTED or PF_ESX_DROPPED */
    uint32_t references; /* 0: hint */
} PfEsxFrame;

enum { PF_ESX_LISTED, PF_ESX_DROPPED };

typedef struct {
    PfSegArray frames; /* PfEsxFrame, numbered from 1 */
    uint32_t top;
    uint32_t first_unused;
    PfSegArray by_mpn; /* uint32_t: the shared frame of a machine page, 0 for none */
    GArray *contexts;  /* PfTable: CPN / chunk size -> number of the chunk */
    PfSegArray chunks; /* of frame numbers, see esx_frames.c */
    uint32_t top_chunk;
    uint32_t first_unused_chunk;
    uint64_t hint_count;
    uint64_t shared_count;   /* shared frames, not dropped */
    uint64_t page_count;     /* pages of shared frames: marked copy-on-write */
    uint64_t single_count;   /* shared frames with a count of one */
    uint64_t overflow_count; /* shared frames with a count above PF_ESX_COUNT_MAX */
} PfEsxFrames;

/* Makes FRAMES empty, for a machine of CAPACITY frames (less than 2^32). */
void pf_esx_frames_init(PfEsxFrames *frames, uint64_t capacity);

/* Frees what FRAMES holds. */
void pf_esx_frames_clear(PfEsxFrames *frames);

/* Frame NUMBER, which must be in use. Good until the next call that adds one. */
const PfEsxFrame *pf_esx_frame(const PfEsxFrames *frames, uint32_t number);

/* Without a count, as in the patent; one in use that is neither this nor shared is dropped. */
static inline bool pf_esx_frame_is_hint(const PfEsxFrame *frame)
{
    return frame->references == 0;
}

/* In the table with a count; if the count is one, it was kept for later matches. */
static inline bool pf_esx_frame_is_shared(const PfEsxFrame *frame)
{
    return frame->references > 0 && frame->context == PF_ESX_LISTED;
}

/* The page of a hint. */
static inline PfPage pf_esx_frame_page(const PfEsxFrame *frame)
{
    return (PfPage){frame->context, (PfCpn){frame->number}};
}

/* The machine page of a shared or dropped frame. */
static inline PfMpn pf_esx_frame_mpn(const PfEsxFrame *frame)
{
    return (PfMpn){(uint32_t)frame->number};
}

/* The frame that PAGE belongs to, or 0. */
uint32_t pf_esx_frames_of_page(const PfEsxFrames *frames, PfPage page);

/* The shared frame of machine page MPN, or 0. */
uint32_t pf_esx_frames_of_mpn(const PfEsxFrames *frames, PfMpn mpn);

/* Adds a hint for PAGE, which belongs to no frame; returns its number. */
uint32_t pf_esx_frames_add_hint(PfEsxFrames *frames, uint64_t key, PfPage page);

/* The hint NUMBER becomes a shared frame of machine page MPN with a count of one, its page. */
void pf_esx_frames_share(PfEsxFrames *frames, uint32_t number, PfMpn mpn);

/* PAGE, which belongs to no frame, joins shared frame NUMBER. */
void pf_esx_frames_join(PfEsxFrames *frames, uint32_t number, PfPage page);

/* PAGE leaves its frame: a hint or a dropped frame is gone then, a shared frame's count falls by
 * one and it is gone at zero. Returns the count that is left. */
uint32_t pf_esx_frames_leave(PfEsxFrames *frames, PfPage page);

/* Shared frame NUMBER, of count one, is dropped. */
void pf_esx_frames_drop(PfEsxFrames *frames, uint32_t number);

/* What belongs to FROM belongs to TO now (which belongs to no frame), if it belongs to any. */
void pf_esx_frames_move(PfEsxFrames *frames, PfPage from, PfPage to);

/* Asserts that counts, indices and HOST agree. */
void pf_esx_frames_check(const PfEsxFrames *frames, const PfHost *host);
