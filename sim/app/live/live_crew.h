/* Real processes that do to their memory what they are told, one command at a time.
 *
 * They live on one processor, without huge pages, and empty that processor's LRU batches after each
 * command, so that a page that nobody else maps has one reference. They die with the thread that
 * made them, in whatever way that ends, and all of them with the crew. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "live_counters.h"
#include "live_mailbox.h"

typedef struct PfCrew PfCrew;

/* INTERRUPTED as in pf_ksm_open. PF_ERROR_IO where there is no memory to be had. */
PfCrew *pf_crew_new(const int *interrupted, GError **error);

/* Ends all that live. */
void pf_crew_free(PfCrew *crew);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfCrew, pf_crew_free)

/* A new process, with nothing mapped of what a scenario maps; RET_NUMBER is its number in the crew.
 * PF_ERROR_LIMIT beyond PF_LIVE_PROCESSES_MAX. */
bool pf_crew_spawn(PfCrew *crew, unsigned *ret_number, GError **error);

/* The process NUMBER forks. */
bool pf_crew_fork(PfCrew *crew, unsigned number, unsigned *ret_child, GError **error);

/* It ends, and its memory is gone when this returns. */
bool pf_crew_exit(PfCrew *crew, unsigned number, GError **error);

/* Whether it was not told to end yet. */
bool pf_crew_lives(const PfCrew *crew, unsigned number);

/* The process numbers (pid_t) of those that live. Free with g_array_unref. */
GArray *pf_crew_pids(const PfCrew *crew);

/* It does COMMAND (no fork, no exit). RET_REFUSAL is the kernel's errno, or 0. An error (of
 * PF_ERROR_TRACE) is that it died of it. */
bool pf_crew_command(PfCrew *crew, unsigned number, PfLiveCommand command, uint64_t address,
                     uint64_t bytes, uint64_t other, int choice, int *ret_refusal, GError **error);

/* The buffer, of PF_LIVE_DATA_BYTES, that PF_LIVE_COPY copies from. */
uint8_t *pf_crew_data(PfCrew *crew);

/* What its /proc/PID/ksm_stat says. */
bool pf_crew_read(PfCrew *crew, unsigned number, int64_t *ret_values, GError **error);
