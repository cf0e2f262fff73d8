/* What of a program goes into the trace, and when: the picture of its memory at the beginning, all
 * accesses after it, what it maps, what the kernel writes, epochs.
 *
 * Accesses are counted as `trace info` counts them: reads, writes and fetches. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest_memory.h"
#include "trace_packed.h"

typedef enum {
    PF_RECORD_VALUES, /* each write with its value */
    PF_RECORD_EPOCHS, /* writes without; pages that changed, whole, from time to time */
    PF_RECORD_NOTHING /* no bytes at all */
} PfRecordContent;

typedef struct {
    PfRecordContent content;
    uint64_t epoch_accesses; /* PF_RECORD_EPOCHS */
    uint64_t skip;           /* accesses before the trace begins */
    uint64_t accesses_max;   /* that are recorded; UINT64_MAX for all */
    const char *name;        /* of the context */
} PfRecordingOptions;

typedef struct PfRecording PfRecording;

/* Borrows WRITER and MEMORY; OPTIONS is copied, its name borrowed. */
PfRecording *pf_recording_new(const PfRecordingOptions *options, const PfGuestMemory *memory,
                              PfTraceWriter *writer);
void pf_recording_free(PfRecording *recording);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfRecording, pf_recording_free)

/* Instructions executed so far, recorded or not. */
uint64_t pf_recording_instructions(const PfRecording *recording);

/* What the program itself did while it was recorded. */
const PfPackedCounts *pf_recording_recorded(const PfRecording *recording);

/* Accesses in the trace, those of the kernel too. */
uint64_t pf_recording_accesses(const PfRecording *recording);

/* Bytes that the kernel wrote on behalf of the program, while recording. */
uint64_t pf_recording_kernel_bytes(const PfRecording *recording);

/* Whether the trace has as many accesses as it may. */
bool pf_recording_is_full(const PfRecording *recording);

/* How many words may be collected before the next add: an epoch or a border lies behind. */
size_t pf_recording_room(const PfRecording *recording);

/* Whether the next WORDS words end nothing, neither an epoch nor the recording: then they may be
 * added while the program goes on. */
bool pf_recording_is_steady(const PfRecording *recording, size_t words);

/* Takes COUNT words of what was executed, after which memory is as it is now. */
void pf_recording_add(PfRecording *recording, const uint64_t *words, size_t count);

/* The events of memory, after they happened. */
void pf_recording_map(PfRecording *recording, const PfGuestMapping *mapping);
void pf_recording_unmap(PfRecording *recording, uint64_t start, uint64_t end);
void pf_recording_move(PfRecording *recording, uint64_t start, uint64_t end, uint64_t target);
void pf_recording_advise(PfRecording *recording, uint64_t start, uint64_t end, PfAdvice advice);
void pf_recording_attribute(PfRecording *recording, uint64_t start, uint64_t end,
                            PfAttribute attribute);

/* The kernel has written LENGTH bytes at ADDRESS. */
void pf_recording_written(PfRecording *recording, uint64_t address, uint64_t length);

/* The program has slept. */
void pf_recording_idle(PfRecording *recording, uint64_t ps);

/* Ends the trace: the last epoch. The writer remains to be finished. */
void pf_recording_finish(PfRecording *recording);
