/* Small traces under policy `ksm`. */
#pragma once

#include "policy_runs.h"

typedef PolicyPlay KsmPlay;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KsmPlay, policy_play_free)

static inline KsmPlay *ksm_play(const char *top, const char *settings, const char *trace)
{
    return policy_play("ksm", top, settings, trace);
}

static inline KsmPlay *ksm_play_file(const char *top, const char *settings, const char *path)
{
    return policy_play_file("ksm", top, settings, path, true);
}

static inline int64_t ksm_at(const KsmPlay *play, const char *label, const char *name)
{
    return policy_at(play, label, name);
}

static inline int64_t ksm_at_end(const KsmPlay *play, const char *name)
{
    return policy_end(play, name).i;
}
