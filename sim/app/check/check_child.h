/* Work that may crash, never end or eat all memory, in a process of its own. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    int status;           /* as of waitpid */
    uint64_t cpu_seconds; /* that it took */
    bool is_done;         /* came to the end of its work */
    bool has_slept;       /* waited, with all its threads, until it was killed */
    char *told;           /* what the work wrote to its descriptor; owned */
    char *errors; /* the last of what it wrote to its standard output and error; owned */
} PfCheckChild;

/* From now on SIGINT and SIGTERM do not end the program but make the descriptor that is returned
 * readable; -1 with PF_ERROR_IO. No thread watches them as elsewhere (interrupt.h): what is forked
 * from a program of several threads may find locks taken for good. */
int pf_check_watch(GError **error);

/* Runs WORK in a child, with nothing to read, which may take CPU_SECONDS of processor time, wait
 * for as long without a thread that could run, and take 4 GiB of memory beside what the program
 * has; waits for its end, or kills it once INTERRUPTS, of pf_check_watch, can be read. What it has
 * started ends with it. False with PF_ERROR_IO or PF_ERROR_INTERRUPTED; else RET_CHILD is to be
 * cleared. */
bool pf_check_child(void (*work)(int descriptor, void *user), void *user, unsigned cpu_seconds,
                    int interrupts, PfCheckChild *ret_child, GError **error);
void pf_check_child_clear(PfCheckChild *child);

/* How CHILD ended, which did not get to the end of its work: "it did not end within 60 s of
 * processor time". CPU_SECONDS are those that it was given. Owned by the caller. */
char *pf_check_child_death(const PfCheckChild *child, unsigned cpu_seconds);
