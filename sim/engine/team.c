/* Workers that play one range of records in all runs, a run at a time each. Runs share nothing that
 * changes meanwhile, so who plays which does not matter to any result. */
#include "simulation_internal.h"

/* Ranges shorter than this are not worth waking anybody for. */
enum { RECORDS_WORTH_SHARING = 256 };

struct PfTeam {
    GPtrArray *runs;
    GPtrArray *threads;
    GMutex lock;
    GCond work;
    GCond done;
    uint64_t round;
    unsigned at_work;
    bool stop;
    const PfRecordBlock *block;
    uint32_t from;
    uint32_t to;
    int next_run; /* atomic */
};

static void play_some(struct PfTeam *team)
{
    for (;;) {
        int index = g_atomic_int_add(&team->next_run, 1);
        if (index >= (int)team->runs->len)
            return;
        pf_run_play(g_ptr_array_index(team->runs, (guint)index), team->block, team->from,
                    team->to);
    }
}

static gpointer worker(gpointer data)
{
    struct PfTeam *team = data;
    uint64_t round = 0;
    g_mutex_lock(&team->lock);
    for (;;) {
        while (team->round == round && !team->stop)
            g_cond_wait(&team->work, &team->lock);
        if (team->stop)
            break;
        round = team->round;
        g_mutex_unlock(&team->lock);
        play_some(team);
        g_mutex_lock(&team->lock);
        if (--team->at_work == 0)
            g_cond_signal(&team->done);
    }
    g_mutex_unlock(&team->lock);
    return NULL;
}

struct PfTeam *team_new(GPtrArray *runs, unsigned threads)
{
    struct PfTeam *team = g_new0(struct PfTeam, 1);
    team->runs = runs;
    team->threads = g_ptr_array_new();
    g_mutex_init(&team->lock);
    g_cond_init(&team->work);
    g_cond_init(&team->done);
    unsigned helpers = MIN(threads, runs->len);
    for (unsigned i = 1; i < helpers; i++)
        g_ptr_array_add(team->threads, g_thread_new("run", worker, team));
    return team;
}

void team_free(struct PfTeam *team)
{
    if (team == NULL)
        return;
    g_mutex_lock(&team->lock);
    team->stop = true;
    g_cond_broadcast(&team->work);
    g_mutex_unlock(&team->lock);
    for (unsigned i = 0; i < team->threads->len; i++)
        g_thread_join(g_ptr_array_index(team->threads, i));
    g_ptr_array_unref(team->threads);
    g_mutex_clear(&team->lock);
    g_cond_clear(&team->work);
    g_cond_clear(&team->done);
    g_free(team);
}

void team_play(struct PfTeam *team, const PfRecordBlock *block, uint32_t from, uint32_t to)
{
    team->block = block;
    team->from = from;
    team->to = to;
    team->next_run = 0;
    if (team->threads->len == 0 || to - from < RECORDS_WORTH_SHARING) {
        play_some(team);
        return;
    }
    g_mutex_lock(&team->lock);
    team->at_work = team->threads->len;
    team->round++;
    g_cond_broadcast(&team->work);
    g_mutex_unlock(&team->lock);
    play_some(team);
    g_mutex_lock(&team->lock);
    while (team->at_work > 0)
        g_cond_wait(&team->done, &team->lock);
    g_mutex_unlock(&team->lock);
}
