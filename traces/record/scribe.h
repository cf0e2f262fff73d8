/* A thread that writes down what the program did while the program goes on: encoding takes half as
 * long as running does. One batch of words is on its way at most, so what is recorded does not
 * depend on the thread. */
#pragma once

#include "recording.h"

typedef struct PfScribe PfScribe;

/* Where the host has one processor, all is written at once, and there is no thread. */
PfScribe *pf_scribe_new(void);
/* Waits for what was given. NULL is fine. */
void pf_scribe_free(PfScribe *scribe);

/* Has COUNT words recorded. WORDS and RECORDING must not be touched before pf_scribe_wait. */
void pf_scribe_give(PfScribe *scribe, PfRecording *recording, const uint64_t *words, size_t count);

/* Until what was given is recorded. */
void pf_scribe_wait(PfScribe *scribe);
