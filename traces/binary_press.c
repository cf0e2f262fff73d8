#include "binary_press.h"

#include "binary_layout.h"

/* Frames that are on their way at most; those that must wait before one more thread is started; and
 * threads, beyond which reading what is written is no faster. */
enum { JOBS = 8, JOBS_FOR_THREAD = 3, THREADS_MAX = 4 };

typedef struct {
    PfFrameHeader header;
    size_t length;
    uint64_t time_plus_one;
    uint8_t *payload; /* made when first needed */
} Job;

struct PfPress {
    PfOutput *output;
    uint64_t seed;
    GByteArray *index;
    PfPacker *packer; /* where there is no thread */
    GThread *threads[THREADS_MAX];
    unsigned thread_count; /* 0 until several frames wait */
    unsigned thread_limit;
    GMutex mutex;
    GCond changed;
    Job jobs[JOBS]; /* a ring */
    uint64_t given;
    uint64_t taken; /* by a thread that packs or writes it */
    uint64_t done;
    PfHaste haste;
    bool is_over;
};

PfPress *pf_press_new(PfOutput *output, uint64_t seed)
{
    PfPress *press = g_new0(PfPress, 1);
    press->output = output;
    press->seed = seed;
    press->packer = pf_packer_new();
    press->thread_limit = MIN(g_get_num_processors(), (unsigned)THREADS_MAX);
    press->index = g_byte_array_new();
    g_mutex_init(&press->mutex);
    g_cond_init(&press->changed);
    return press;
}

static const uint8_t *pack(const PfPress *press, PfPacker *packer, Job *job)
{
    return pf_packer_pack(packer, job->payload, job->length, press->seed, press->haste,
                          &job->header);
}

static void write_frame(PfPress *press, const Job *job, const uint8_t *packed)
{
    const PfFrameHeader *header = &job->header;
    uint8_t bytes[PF_FRAME_HEADER_BYTES];
    pf_frame_put_header(bytes, header, press->seed);
    pf_output_write(press->output, bytes, sizeof(bytes));
    pf_output_write(press->output, packed, header->compressed_bytes);
    uint64_t total_bytes = sizeof(bytes) + (uint64_t)header->compressed_bytes;
    if (header->kind == PF_FRAME_CONTENTS || header->kind == PF_FRAME_RECORDS)
        pf_index_add(press->index, header->kind, total_bytes, header->count, job->time_plus_one);
}

/* Packs whatever is next; writes it when all before it is written. */
static void *work(void *user)
{
    PfPress *press = user;
    PfPacker *packer = pf_packer_new();
    g_mutex_lock(&press->mutex);
    for (;;) {
        while (press->taken == press->given && !press->is_over)
            g_cond_wait(&press->changed, &press->mutex);
        if (press->taken == press->given)
            break;
        uint64_t number = press->taken++;
        Job *job = &press->jobs[number % JOBS];
        g_mutex_unlock(&press->mutex);
        const uint8_t *packed = pack(press, packer, job);
        g_mutex_lock(&press->mutex);
        while (press->done != number)
            g_cond_wait(&press->changed, &press->mutex);
        g_mutex_unlock(&press->mutex);
        write_frame(press, job, packed);
        g_mutex_lock(&press->mutex);
        press->done++;
        g_cond_broadcast(&press->changed);
    }
    g_mutex_unlock(&press->mutex);
    pf_packer_free(packer);
    return NULL;
}

void pf_press_free(PfPress *press)
{
    if (press == NULL)
        return;
    pf_press_drain(press);
    g_mutex_lock(&press->mutex);
    press->is_over = true;
    g_cond_broadcast(&press->changed);
    g_mutex_unlock(&press->mutex);
    for (unsigned i = 0; i < press->thread_count; i++)
        g_thread_join(press->threads[i]);
    for (unsigned i = 0; i < JOBS; i++)
        g_free(press->jobs[i].payload);
    pf_packer_free(press->packer);
    g_byte_array_unref(press->index);
    g_mutex_clear(&press->mutex);
    g_cond_clear(&press->changed);
    g_free(press);
}

void pf_press_hurry(PfPress *press, PfHaste haste)
{
    pf_press_drain(press);
    press->haste = haste;
}

uint8_t *pf_press_room(PfPress *press)
{
    g_mutex_lock(&press->mutex);
    while (press->given - press->done == JOBS)
        g_cond_wait(&press->changed, &press->mutex);
    g_mutex_unlock(&press->mutex);
    Job *job = &press->jobs[press->given % JOBS];
    if (job->payload == NULL)
        job->payload = g_malloc(PF_FRAME_PAYLOAD_MAX);
    return job->payload;
}

void pf_press_add(PfPress *press, const PfFrameHeader *header, size_t length,
                  uint64_t time_plus_one)
{
    Job *job = &press->jobs[press->given % JOBS];
    g_assert(job->payload != NULL);
    job->header = *header;
    job->length = length;
    job->time_plus_one = time_plus_one;
    g_mutex_lock(&press->mutex);
    press->given++;
    if (press->thread_count < press->thread_limit && press->given - press->taken >= JOBS_FOR_THREAD)
        press->threads[press->thread_count++] = g_thread_new("press", work, press);
    g_cond_broadcast(&press->changed);
    g_mutex_unlock(&press->mutex);
}

const GByteArray *pf_press_drain(PfPress *press)
{
    while (press->thread_count == 0 && press->done < press->given) {
        Job *job = &press->jobs[press->done++ % JOBS];
        write_frame(press, job, pack(press, press->packer, job));
        press->taken++;
    }
    g_mutex_lock(&press->mutex);
    while (press->done < press->given)
        g_cond_wait(&press->changed, &press->mutex);
    g_mutex_unlock(&press->mutex);
    return press->index;
}
