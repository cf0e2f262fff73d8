/* The memory of a recorded program, which lies in the recorder at the addresses that the program
 * itself uses, so that a pointer of the one is a pointer of the other.
 *
 * One window of address space holds everything but the image of a program that is linked for a
 * place of its own: mappings from the top down, the stack, a position-independent image, the heap,
 * in this order, so that what is used much is near each other and differences of addresses are
 * short.
 * What the program has not mapped is out of reach for the recorder too: the host's own protection
 * tells a stray access, at no cost to all others. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "trace.h"

enum { PF_GUEST_PAGE_BYTES = 4096 };

/* The window: far from where Linux puts a program's own image, libraries and stack, from the shadow
 * of AddressSanitizer, and the same in each run. */
#define PF_GUEST_WINDOW     ((uint64_t)0x200000000000)
#define PF_GUEST_WINDOW_END (PF_GUEST_WINDOW + ((uint64_t)1 << 40))
#define PF_GUEST_MIDDLE     (PF_GUEST_WINDOW + ((uint64_t)1 << 39))
#define PF_GUEST_MAPS_END   (PF_GUEST_MIDDLE - ((uint64_t)64 << 20))
/* As `ulimit -s` is on most systems. */
#define PF_GUEST_STACK_BYTES ((uint64_t)8 << 20)
#define PF_GUEST_STACK_END   (PF_GUEST_MIDDLE - ((uint64_t)1 << 20))
#define PF_GUEST_IMAGE       PF_GUEST_MIDDLE
#define PF_GUEST_HEAP        (PF_GUEST_MIDDLE + ((uint64_t)256 << 20))
#define PF_GUEST_HEAP_END    PF_GUEST_WINDOW_END

/* Pages that are alike. */
typedef struct {
    uint64_t start; /* address of the first page */
    uint64_t end;   /* behind the last */
    PfBacking backing;
    const char *name;    /* unless anonymous; interned */
    uint64_t offset;     /* of `start` in what backs it */
    uint64_t backed_end; /* shared file: address behind the last page that the file had */
    int access;          /* PROT_READ ... as the program asked */
    bool mergeable;
} PfGuestMapping;

typedef struct {
    GArray *mappings; /* of PfGuestMapping, by address, disjoint */
    uint64_t image;   /* what is reserved besides the window; 0 if nothing */
    uint64_t image_end;
    uint64_t heap_end; /* what brk says */
    unsigned shared;   /* anonymous shared mappings so far */
} PfGuestMemory;

/* Reserves the window, and the pages from IMAGE to IMAGE_END unless they are in it; without huge
 * pages, which would fill what the program has not touched. False with PF_ERROR_GUEST where the
 * host has something there. */
bool pf_guest_memory_init(PfGuestMemory *memory, uint64_t image, uint64_t image_end,
                          GError **error);
void pf_guest_memory_clear(PfGuestMemory *memory);

/* Whether LENGTH bytes at ADDRESS can be the program's: only such a pointer may reach the host. */
bool pf_guest_memory_holds(const PfGuestMemory *memory, uint64_t address, uint64_t length);

/* The highest free place for LENGTH bytes, 0 if there is none. */
uint64_t pf_guest_memory_find(const PfGuestMemory *memory, uint64_t length);

/* Whether nothing is mapped from START to END. */
bool pf_guest_memory_is_free(const PfGuestMemory *memory, uint64_t start, uint64_t end);

/* The mapping that holds ADDRESS, or NULL. */
const PfGuestMapping *pf_guest_memory_at(const PfGuestMemory *memory, uint64_t address);

/* Whether the page at ADDRESS has bytes: one behind the end of a shared file has none. */
bool pf_guest_memory_is_readable(const PfGuestMemory *memory, uint64_t address);

/* Maps zero pages, or if FD is not -1 those of the file: a copy of its bytes, or the file itself
 * where MAPPING is shared memory. What was there is gone. 0 or a negative errno. */
int pf_guest_memory_map(PfGuestMemory *memory, const PfGuestMapping *mapping, int fd);

/* Pages from START to END exist no more. */
void pf_guest_memory_unmap(PfGuestMemory *memory, uint64_t start, uint64_t end);

/* Changes what may be done with mapped pages from START to END: -ENOMEM where a page is not. */
int pf_guest_memory_protect(PfGuestMemory *memory, uint64_t start, uint64_t end, int access);

/* Sets whether pages are mergeable. */
void pf_guest_memory_advise(PfGuestMemory *memory, uint64_t start, uint64_t end, bool mergeable);

/* Moves the pages from START to END to TARGET, where nothing is. 0 or a negative errno. */
int pf_guest_memory_move(PfGuestMemory *memory, uint64_t start, uint64_t end, uint64_t target);

/* Calls TELL with each page that holds bytes of the program's or of a file's, in order. */
void pf_guest_memory_pages(const PfGuestMemory *memory, void (*tell)(void *user, uint64_t address),
                           void *user);
