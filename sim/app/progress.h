/* The progress line of a run, or of other long work, on standard error. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "simulation.h"

/* Embedded in whoever runs; init and finish around the run. */
typedef struct {
    FILE *out;
    bool terminal;        /* redraw one line, else a plain line each ten seconds */
    bool drawn;           /* a line is on the terminal */
    double shown_seconds; /* when the last line was written, since the start */
} PfProgressLine;

/* TERMINAL says whether OUT (borrowed) is a terminal. */
void pf_progress_init(PfProgressLine *line, FILE *out, bool terminal);

/* A clock for PfSimulationOptions. */
double pf_progress_seconds(void);

/* A `progress` of PfSimulationOptions; USER is the PfProgressLine. Writes nothing in the first
 * second, then at most five times a second on a terminal and each ten seconds elsewhere. */
void pf_progress_update(const PfProgress *progress, void *user);

/* The same for other work: WHAT it is at, as "epoch 3 of 60"; SHARE_DONE of it is done, 0 where
 * that is unknown, after SECONDS. Whether the time has come to write is asked first, where WHAT
 * costs. */
bool pf_progress_is_due(const PfProgressLine *line, double seconds);
void pf_progress_tell(PfProgressLine *line, double seconds, double share_done, const char *what);

/* Takes the line off the terminal. */
void pf_progress_finish(PfProgressLine *line);
