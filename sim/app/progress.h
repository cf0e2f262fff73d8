/* The progress line of a run, on standard error. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "simulation.h"

/* Embedded in whoever runs; init and finish around the run. */
typedef struct {
    FILE *out;
    bool terminal;        /* redraw one line, else a plain line each ten seconds */
    bool drawn;           /* a line is on the terminal */
    const char *unit;     /* " pages/s": of what is counted instead of records; then no simulated
                             time is told. NULL for a run */
    double shown_seconds; /* when the last line was written, since the start */
} PfProgressLine;

/* TERMINAL says whether OUT (borrowed) is a terminal. */
void pf_progress_init(PfProgressLine *line, FILE *out, bool terminal);

/* A clock for PfSimulationOptions. */
double pf_progress_seconds(void);

/* A `progress` of PfSimulationOptions; USER is the PfProgressLine. Writes nothing in the first
 * second, then at most five times a second on a terminal and each ten seconds elsewhere. */
void pf_progress_update(const PfProgress *progress, void *user);

/* Takes the line off the terminal. */
void pf_progress_finish(PfProgressLine *line);
