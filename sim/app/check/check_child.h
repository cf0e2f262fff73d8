/* Work that may crash, never end or eat all memory, in a process of its own. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct {
    int status;   /* as of waitpid */
    char *told;   /* what the work wrote to its descriptor; owned */
    char *errors; /* the last of what it wrote to its standard output and error; owned */
} PfCheckChild;

/* Runs WORK in a child, which may take CPU_SECONDS of processor time and PF_CHECK_BYTES_MAX of
 * memory beside what the program has; waits for its end, or kills it once *INTERRUPTED is set.
 * False with PF_ERROR_IO or PF_ERROR_INTERRUPTED; else RET_CHILD is to be cleared. */
bool pf_check_child(void (*work)(int descriptor, void *user), void *user, unsigned cpu_seconds,
                    const int *interrupted, PfCheckChild *ret_child, GError **error);
void pf_check_child_clear(PfCheckChild *child);

/* How CHILD ended, which did not get to the end of its work: "it did not end within 60 s of
 * processor time". CPU_SECONDS are those that it was given. Owned by the caller. */
char *pf_check_child_death(const PfCheckChild *child, unsigned cpu_seconds);
