/* What a record's bytes depend on: the same on both sides, begun anew with each record frame. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "trace.h"

enum { PF_VIRTUAL_ENTRIES = 256 };

/* Classes of addresses that differences are taken within. */
typedef enum { PF_BASE_READ, PF_BASE_WRITE, PF_BASE_FETCH, PF_BASE_NONE, PF_BASES } PfBase;

typedef struct {
    uint64_t frame; /* the state is that of this frame, else zero */
    uint64_t address[PF_BASES];
    uint64_t value;
    uint64_t page; /* behind the last page event */
} PfContextState;

typedef struct {
    uint64_t frame;
    GArray *contexts; /* of PfContextState */
    uint64_t content; /* the number behind the last content used */
    uint64_t other_page;
    uint64_t time;
    /* Virtual less other address, by the low bits of the page's number. */
    uint64_t virtuals[PF_VIRTUAL_ENTRIES];
} PfBinaryState;

/* A state before any frame. */
void pf_binary_state_init(PfBinaryState *state);
void pf_binary_state_clear(PfBinaryState *state);
/* Forgets all that was: frames do not depend on each other. */
void pf_binary_state_begin_frame(PfBinaryState *state);

/* The state of CONTEXT; the pointer holds until a context with a higher number is asked for. */
PfContextState *pf_binary_state_context(PfBinaryState *state, uint32_t context);

/* The entry of the table of virtual addresses that ADDRESS has. */
static inline unsigned pf_virtual_entry(uint64_t address, unsigned page_shift)
{
    return (unsigned)(address >> page_shift) & (PF_VIRTUAL_ENTRIES - 1);
}
