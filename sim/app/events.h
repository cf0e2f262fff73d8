/* The file of events: a line for each sharing made, broken or ended, policy by policy. It appears
 * under its name when all of it is written. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "simulation.h"

typedef struct PfEvents PfEvents;

/* Begins the file at PATH ("-": standard output). NULL with PF_ERROR_IO. */
PfEvents *pf_events_begin(const char *path, GError **error);
/* An unfinished file is removed. */
void pf_events_free(PfEvents *events);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfEvents, pf_events_free)

/* Where files of the runs may stand meanwhile; borrowed. */
const char *pf_events_directory(const PfEvents *events);
/* Writes what the runs of SIMULATION kept, and finishes the file. False with PF_ERROR_IO. */
bool pf_events_write(PfEvents *events, const PfSimulation *simulation, GError **error);

/* Writes events.csv in DIRECTORY, likewise. */
bool pf_events_add(const char *directory, const PfSimulation *simulation, GError **error);

/* "10ms..20ms", "1000..2000" (cycles), both ends included. False with PF_ERROR_USAGE. */
bool pf_events_window(const char *text, PfWindow *ret_window, GError **error);
