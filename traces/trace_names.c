#include "trace_names.h"

#include <string.h>

enum { VIRTUAL = PF_RECORD_HAS_VIRTUAL };

static const PfRecordTraits traits[PF_RECORD_KINDS] = {
    [PF_RECORD_CONTEXT] = {.name = "context", .has_detail = true},
    [PF_RECORD_MAP] = {.name = "map", .has_context = true, .has_pages = true, .has_detail = true},
    [PF_RECORD_STATE] = {.name = "state",
                         .has_context = true,
                         .has_pages = true,
                         .has_content = true,
                         .has_step = true},
    [PF_RECORD_FILL] = {.name = "fill",
                        .has_context = true,
                        .has_pages = true,
                        .has_content = true,
                        .has_step = true},
    [PF_RECORD_ALIAS] = {.name = "alias",
                         .has_context = true,
                         .has_pages = true,
                         .has_detail = true},
    [PF_RECORD_RUN] = {.name = "run", .has_context = true},
    [PF_RECORD_READ] = {.name = "read",
                        .has_context = true,
                        .is_access = true,
                        .flags = PF_RECORD_DEPENDENT | VIRTUAL},
    [PF_RECORD_WRITE] = {.name = "write",
                         .has_context = true,
                         .is_access = true,
                         .flags = PF_RECORD_HAS_VALUE | PF_RECORD_MODIFIES | VIRTUAL},
    [PF_RECORD_TOUCH] = {.name = "touch", .has_context = true, .has_pages = true, .flags = VIRTUAL},
    [PF_RECORD_FETCH] = {.name = "fetch", .has_context = true, .is_access = true, .flags = VIRTUAL},
    [PF_RECORD_INIT] = {.name = "init",
                        .has_context = true,
                        .has_pages = true,
                        .has_content = true},
    [PF_RECORD_FORK] = {.name = "fork", .has_context = true, .has_detail = true},
    [PF_RECORD_UNMAP] = {.name = "unmap", .has_context = true, .has_pages = true},
    [PF_RECORD_REMAP] = {.name = "remap",
                         .has_context = true,
                         .has_pages = true,
                         .has_detail = true},
    [PF_RECORD_ADVISE] = {.name = "advise", .has_context = true, .has_pages = true},
    [PF_RECORD_ATTR] = {.name = "attr", .has_context = true, .has_pages = true},
    [PF_RECORD_DMA] = {.name = "dma",
                       .has_context = true,
                       .has_pages = true,
                       .has_content = true,
                       .has_detail = true},
    [PF_RECORD_IDLE] = {.name = "idle", .has_context = true},
    [PF_RECORD_TIME] = {.name = "time"},
    [PF_RECORD_SCAN] = {.name = "scan", .flags = PF_RECORD_SCAN_PASSES},
    [PF_RECORD_CONTROL] = {.name = "control", .has_detail = true},
    [PF_RECORD_BEGIN] = {.name = "begin", .has_context = true, .has_detail = true},
    [PF_RECORD_END] = {.name = "end", .has_context = true, .has_detail = true},
    [PF_RECORD_MARK] = {.name = "mark", .has_detail = true},
    [PF_RECORD_EXIT] = {.name = "exit", .has_context = true},
    [PF_RECORD_GRAIN] = {.name = "grain"},
};

const char *const pf_advice_names[] = {"mergeable",   "unmergeable", "huge",   "nohuge", "dontneed",
                                       "discardable", "suspend",     "resume", NULL};
const char *const pf_attribute_names[] = {"readonly", "executed", "locked", "unlocked",
                                          "pinned",   "unpinned", NULL};
const char *const pf_protection_names[] = {"rw", "ro", "rx", NULL};
const char *const pf_context_kind_names[] = {"process", "vm", NULL};
const char *const pf_grain_names[] = {"access", "page", NULL};

static_assert(sizeof(pf_advice_names) / sizeof(char *) == PF_ADVICE_COUNT + 1, "one name each");
static_assert(sizeof(pf_attribute_names) / sizeof(char *) == PF_ATTRIBUTE_COUNT + 1,
              "one name each");

const PfRecordTraits *pf_record_traits(PfRecordKind kind)
{
    g_assert(kind < PF_RECORD_KINDS);
    return &traits[kind];
}

bool pf_record_has_detail(PfRecordKind kind)
{
    return pf_record_traits(kind)->has_detail;
}

const char *pf_record_kind_name(PfRecordKind kind)
{
    return pf_record_traits(kind)->name;
}

int pf_name_find(const char *const *names, const char *word)
{
    for (int i = 0; names[i] != NULL; i++)
        if (strcmp(names[i], word) == 0)
            return i;
    return -1;
}

enum { COMPARED_BYTES_MAX = 48 };

/* Edit distance (Levenshtein) of two short words, by rows. */
static size_t distance(const char *a, const char *b)
{
    size_t a_length = strlen(a);
    size_t b_length = strlen(b);
    if (a_length > COMPARED_BYTES_MAX || b_length > COMPARED_BYTES_MAX)
        return SIZE_MAX;
    size_t row[COMPARED_BYTES_MAX + 1];
    for (size_t j = 0; j <= b_length; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = MIN(replaced, MIN(row[j], row[j - 1]) + 1);
        }
    }
    return row[b_length];
}

const char *pf_name_nearest(const char *const *names, const char *word)
{
    const char *nearest = NULL;
    size_t best = MAX(strlen(word) / 2, 1) + 1;
    for (size_t i = 0; names[i] != NULL; i++) {
        size_t candidate = distance(names[i], word);
        if (candidate < best) {
            best = candidate;
            nearest = names[i];
        }
    }
    return nearest;
}
