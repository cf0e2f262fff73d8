#include "scribe.h"

struct PfScribe {
    GThread *thread; /* NULL before the first batch */
    GMutex mutex;
    GCond changed;
    PfRecording *recording;
    const uint64_t *words;
    size_t count; /* 0: nothing to do */
    bool is_over;
};

PfScribe *pf_scribe_new(void)
{
    PfScribe *scribe = g_new0(PfScribe, 1);
    g_mutex_init(&scribe->mutex);
    g_cond_init(&scribe->changed);
    return scribe;
}

static void *work(void *user)
{
    PfScribe *scribe = user;
    g_mutex_lock(&scribe->mutex);
    for (;;) {
        while (scribe->count == 0 && !scribe->is_over)
            g_cond_wait(&scribe->changed, &scribe->mutex);
        if (scribe->count == 0)
            break;
        g_mutex_unlock(&scribe->mutex);
        pf_recording_add(scribe->recording, scribe->words, scribe->count);
        g_mutex_lock(&scribe->mutex);
        scribe->count = 0;
        g_cond_broadcast(&scribe->changed);
    }
    g_mutex_unlock(&scribe->mutex);
    return NULL;
}

void pf_scribe_give(PfScribe *scribe, PfRecording *recording, const uint64_t *words, size_t count)
{
    pf_scribe_wait(scribe);
    if (g_get_num_processors() == 1) {
        pf_recording_add(recording, words, count);
        return;
    }
    g_mutex_lock(&scribe->mutex);
    scribe->recording = recording;
    scribe->words = words;
    scribe->count = count;
    g_cond_broadcast(&scribe->changed);
    g_mutex_unlock(&scribe->mutex);
    if (scribe->thread == NULL)
        scribe->thread = g_thread_new("scribe", work, scribe);
}

void pf_scribe_wait(PfScribe *scribe)
{
    if (scribe->thread == NULL)
        return;
    g_mutex_lock(&scribe->mutex);
    while (scribe->count > 0)
        g_cond_wait(&scribe->changed, &scribe->mutex);
    g_mutex_unlock(&scribe->mutex);
}

void pf_scribe_free(PfScribe *scribe)
{
    if (scribe == NULL)
        return;
    pf_scribe_wait(scribe);
    g_mutex_lock(&scribe->mutex);
    scribe->is_over = true;
    g_cond_broadcast(&scribe->changed);
    g_mutex_unlock(&scribe->mutex);
    g_clear_pointer(&scribe->thread, g_thread_join);
    g_mutex_clear(&scribe->mutex);
    g_cond_clear(&scribe->changed);
    g_free(scribe);
}
