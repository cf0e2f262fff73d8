/* Programs under the recorder and beside it, for its tests. */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "guest.h"

/* What a run executed and accessed. */
typedef struct {
    uint64_t instructions;
    uint64_t reads;
    uint64_t writes;
    uint64_t fetches;
} Executed;

/* The folder of the test programs; borrowed. */
const char *programs_folder(void);

/* The path of program NAME, or NULL with the test skipped if it was not built. Free with g_free. */
char *program_path(const char *name);

/* A fresh folder to work in; remove with place_clear. */
char *place_new(void);
void place_clear(char *place);

/* Runs ARGUMENTS (a path first) in PLACE with output to PLACE/out, and records into PLACE/NAME.
 * GUEST is left as it ended; clear it with pf_guest_clear. OPTIONS may be NULL. False on errors. */
bool run_recorded(const char *place, const char *name, char **arguments,
                  const PfRecordingOptions *options, PfGuest *guest, GError **error);

/* The same program under other hooks of Unicorn: one for each instruction, and reads told once. */
bool run_counted(const char *place, char **arguments, Executed *ret_executed);

/* What of a trace is the program's own: records of the kernel's are left out by KERNEL_BYTES. */
Executed executed_by(const PfGuest *guest);

/* Pages of the program at its end that differ from what the trace at PATH leads to; pages that
 * only one of both has count too. RET_PAGES is how many were compared. */
uint64_t count_differences(const char *path, const PfGuest *guest, uint64_t *ret_pages);
