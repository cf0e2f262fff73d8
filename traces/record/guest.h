/* A program that is recorded: its memory, its files, its clock, and how it ended. */
#pragma once

#include "guest_files.h"
#include "guest_memory.h"
#include "recording.h"
#include "rng.h"

typedef struct PfEngine PfEngine;

/* Numbers that every program gets: of its user and group, of itself. */
enum { PF_GUEST_USER = 1000, PF_GUEST_PROCESS = 1000 };

/* When every program begins: 2020-01-01 00:00:00 UTC. */
#define PF_GUEST_EPOCH_SECONDS 1577836800

typedef struct {
    const char *path;   /* of the program */
    char **arguments;   /* the first is the program's name; NULL-terminated */
    char **environment; /* NAME=VALUE; NULL-terminated */
    int *interrupted;   /* polled; nonzero ends the recording; may be NULL */
    PfRecordingOptions recording;
    void (*warn)(void *user, const char *text); /* may be NULL */
    void *user;
} PfGuestOptions;

typedef struct PfGuest {
    const PfGuestOptions *options; /* borrowed */
    PfGuestMemory memory;
    PfGuestFiles files;
    PfRecording *recording;
    PfEngine *engine;
    char *program;      /* its absolute path */
    uint64_t slept_ns;  /* the clock is ahead of the instructions by this */
    PfRng random;       /* AT_RANDOM, getrandom and /dev/urandom */
    uint64_t caught;    /* a bit for each signal with a handler of the program's */
    uint64_t ignored;   /* ... that is ignored */
    GHashTable *warned; /* numbers of system calls that were warned of */
    bool has_exited;
    int status;    /* exit status; 128 + the signal's number if one ended it */
    char *ending;  /* how it ended, if not by exit; a sentence; owned */
    GError *error; /* why it cannot go on, else NULL */
} PfGuest;

/* Loads the program, without running it. ERROR: PF_ERROR_GUEST where it is no program for this. */
bool pf_guest_init(PfGuest *guest, const PfGuestOptions *options, GError **error);
void pf_guest_clear(PfGuest *guest);

/* Runs the program to its end, and records it through WRITER, which remains to be finished. False
 * with PF_ERROR_GUEST if it needs what there is not, with PF_ERROR_INTERRUPTED if it was
 * interrupted; the trace is good so far. */
bool pf_guest_run(PfGuest *guest, PfTraceWriter *writer, GError **error);

/* Nanoseconds that its clock has moved: one for each instruction, and what it slept. */
uint64_t pf_guest_now_ns(const PfGuest *guest);

/* The program waits. */
void pf_guest_sleep(PfGuest *guest, uint64_t ns);

/* Fills LENGTH bytes at BYTES with what this program gets for random ones. */
void pf_guest_random(PfGuest *guest, void *bytes, size_t length);

/* The program ends with STATUS; ENDING (taken, NULL for an exit) says how. */
void pf_guest_end(PfGuest *guest, int status, char *ending);

/* The program needs what there is not: a sentence with what, and the mend. */
void pf_guest_refuse(PfGuest *guest, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Words of what was executed since the last flush go to the recording: before each event. */
void pf_guest_flush(PfGuest *guest);

/* One system call NUMBER with ARGUMENTS; returns its result, a negative errno on errors. */
int64_t pf_guest_call(PfGuest *guest, uint64_t number, const uint64_t arguments[6]);
