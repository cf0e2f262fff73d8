#include "binary_state.h"

#include <string.h>

void pf_binary_state_init(PfBinaryState *state)
{
    *state = (PfBinaryState){.contexts = g_array_new(FALSE, TRUE, sizeof(PfContextState))};
}

void pf_binary_state_clear(PfBinaryState *state)
{
    if (state->contexts != NULL)
        g_array_unref(state->contexts);
    state->contexts = NULL;
}

void pf_binary_state_begin_frame(PfBinaryState *state)
{
    state->frame++;
    state->content = 0;
    state->other_page = 0;
    state->time = 0;
    memset(state->virtuals, 0, sizeof(state->virtuals));
}

PfContextState *pf_binary_state_context(PfBinaryState *state, uint32_t context)
{
    g_assert(context < PF_TRACE_CONTEXTS_MAX);
    if (context >= state->contexts->len)
        g_array_set_size(state->contexts, context + 1);
    PfContextState *found = &g_array_index(state->contexts, PfContextState, context);
    if (found->frame != state->frame)
        *found = (PfContextState){.frame = state->frame};
    return found;
}
