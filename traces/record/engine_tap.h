/* Inside of the processor: the buffer that hooks fill, and what is known of the code. */
#pragma once

#include <setjmp.h>
#include <unicorn/unicorn.h>

#include "engine.h"
#include "scribe.h"
#include "trace_packed.h"

enum {
    PF_TAP_WORDS = 1 << 15,
    /* What the last block may add: Unicorn ends blocks after 512 instructions, and none of them
     * accesses more than the 64 words of fxsave, but rep, each step of which is a block. */
    PF_TAP_WORDS_SPARE = 512 * 2 * 72,
    PF_TAP_BLOCK_BITS = 15,
    PF_TAP_BLOCKS = 1 << PF_TAP_BLOCK_BITS,
    PF_TAP_LINE_SHIFT = 6,
};

/* A block of straight code, as Unicorn translates it. */
typedef struct {
    uint64_t address; /* 0: none */
    uint32_t bytes;
    uint32_t instructions;
} PfBlock;

typedef struct {
    uint64_t *end;     /* behind the last word */
    uint64_t *limit;   /* where a new block has them handed over */
    uint64_t *run;     /* the word that counts the instructions of the current block */
    uint64_t line;     /* that execution is in */
    unsigned echoes;   /* reads to come that are no accesses */
    uint64_t code_low; /* the lowest address of code executed so far ... */
    uint64_t
        code_bytes;  /* ... to the highest, and 8: writes begin that much before what they hit */
    PfBlock block;   /* being executed */
    PfBlock *blocks; /* known, by the hash of their address */
    uint64_t *words; /* the buffer; the word before the first is 0 */
    uint64_t *other_words; /* the one that is being recorded, or will be used next */

    bool is_restarting; /* a write has hit the current block: its instruction runs once more */
    bool is_single;     /* ... in a block of its own, the current one */
    bool is_repeating;  /* ... and has not yet come to that write */
    uint64_t restart_word;
    uint64_t restart_value;
    uint64_t *restart_end; /* words before accesses of the current block */
} PfTap;

struct PfEngine {
    PfTap tap; /* first: hooks get it */
    PfGuest *guest;
    PfScribe *scribe;
    uc_engine *unicorn;
    uc_hook hooks[4];
    bool is_tapped; /* accesses are still wanted */
    bool is_stopped;
    bool reads_time; /* by an instruction, and so the host's */
    uint64_t entry;
    uint64_t bad_address; /* of an access outside of all regions */
    bool is_bad;
    void *signal_stack;
    sigjmp_buf landing; /* where a stray access of the program leads */
    uint64_t stray_address;
};

/* Adds the hooks of accesses and blocks. */
uc_err pf_tap_attach(PfEngine *engine);

/* Removes those of accesses: the program goes on unrecorded. */
void pf_tap_detach(PfEngine *engine);

/* The current block ended before the instruction at PLACE was completed: it counts, what comes
 * after it does not. */
void pf_tap_cut_block(PfEngine *engine, uint64_t place);

/* Forgets all blocks. */
void pf_tap_forget_blocks(PfTap *tap);
