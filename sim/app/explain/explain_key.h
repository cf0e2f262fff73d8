/* Waiting for a key. */
#pragma once

typedef enum {
    PF_KEY_NEXT,
    PF_KEY_QUIT,      /* q, or the end of input */
    PF_KEY_INTERRUPT, /* Ctrl-C, or a signal */
} PfKey;

/* Shows what was written and waits for a key from standard input, a terminal, or until INTERRUPTED
 * is not 0. The terminal is as it was afterwards, whatever happened. */
PfKey pf_explain_wait(const int *interrupted);
