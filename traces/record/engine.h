/* The processor: Unicorn Engine 2.0, with hooks that collect what the program does as packed words
 * (trace_packed.h) in a buffer.
 *
 * A run of instructions comes before the accesses of its block, a fetch where execution enters
 * another line of 64 bytes than it was in. Unicorn's peculiarities are dealt with here: a read
 * across two pages is told three times, an instruction that changes its own block twice, and
 * VEX instructions of 128 bits run as if they were SSE. */
#pragma once

#include "guest.h"

/* A processor that begins at ENTRY with STACK. GUEST is borrowed; its memory is mapped. NULL with
 * PF_ERROR_GUEST. */
PfEngine *pf_engine_new(PfGuest *guest, uint64_t entry, uint64_t stack, GError **error);
void pf_engine_free(PfEngine *engine);

/* Runs until stopped; what goes wrong is told to the guest. */
void pf_engine_run(PfEngine *engine);

/* Asks it to stop, from within a hook. */
void pf_engine_stop(PfEngine *engine);

/* Hands over the words collected, and waits until they are recorded. */
void pf_engine_flush(PfEngine *engine);

/* Hands them over, and waits only where something may end with them. */
void pf_engine_hand_over(PfEngine *engine);

/* Where code of the program's at START to END was overwritten or unmapped by the kernel. */
void pf_engine_forget_code(PfEngine *engine, uint64_t start, uint64_t end);

/* Whether it met an instruction that reads the host's time. */
bool pf_engine_reads_time(const PfEngine *engine);

/* The address of the instruction being executed. */
uint64_t pf_engine_place(const PfEngine *engine);

/* The base of segment register FS. */
void pf_engine_set_fs(PfEngine *engine, uint64_t base);
uint64_t pf_engine_fs(const PfEngine *engine);
