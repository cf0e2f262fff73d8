#include "interrupt.h"

#include <glib.h>
#include <pthread.h>
#include <signal.h>

static void fill_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
}

/* A thread that waits for the signals needs neither a handler nor state that a handler can see. */
static void *wait_for_signals(void *user)
{
    int *interrupted = user;
    sigset_t set;
    fill_signals(&set);
    int number = 0;
    if (sigwait(&set, &number) != 0)
        return NULL;
    g_atomic_int_set(interrupted, number);
    if (sigwait(&set, &number) != 0)
        return NULL;
    signal(number, SIG_DFL);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    raise(number);
    return NULL;
}

void pf_interrupt_watch(int *interrupted)
{
    sigset_t set;
    fill_signals(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    g_thread_unref(g_thread_new("signals", wait_for_signals, interrupted));
}

void pf_interrupt_child_setup(void *user)
{
    (void)user;
    sigset_t set;
    fill_signals(&set);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}
