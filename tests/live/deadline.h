/* An end to what would otherwise take as long as a loaded machine makes it take. */
#pragma once

#include <glib.h>
#include <signal.h>

typedef struct {
    int seconds;
    int *interrupted;
} Deadline;

static inline gpointer deadline_wait(gpointer user)
{
    const Deadline *deadline = user;
    g_usleep((gulong)deadline->seconds * G_USEC_PER_SEC);
    g_atomic_int_set(deadline->interrupted, SIGALRM);
    return NULL;
}

/* DEADLINE, which has to live as long as the program, interrupts after so many seconds. */
static inline void deadline_start(Deadline *deadline)
{
    g_thread_unref(g_thread_new("deadline", deadline_wait, deadline));
}
