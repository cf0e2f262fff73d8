#include "dram_rules.h"

#include <stdio.h>

static const char *const names[PF_DRAM_COMMANDS] = {"ACT", "PRE", "PREA", "RD", "RDA",
                                                    "WR",  "WRA", "REF",  "REFB"};

typedef enum { BANK, GROUP, RANK, OTHER_RANK } Nearness;

static bool reads(int kind)
{
    return kind == PF_DRAM_RD || kind == PF_DRAM_RDA;
}

static bool writes(int kind)
{
    return kind == PF_DRAM_WR || kind == PF_DRAM_WRA;
}

/* From column to column. */
static int column_gap(const PfDramPreset *t, int from, int to, Nearness near)
{
    int burst = (int)t->burst, bubble = (int)t->rank_bubble;
    int read_end = (int)t->cl + burst, write_end = (int)t->cwl + burst;
    if (reads(from) && reads(to))
        return near <= GROUP  ? MAX(burst, (int)t->ccd_l)
               : near == RANK ? MAX(burst, (int)t->ccd_s)
                              : burst + bubble;
    if (writes(from) && writes(to))
        return near <= GROUP  ? MAX(burst, (int)t->ccd_l_write)
               : near == RANK ? MAX(burst, (int)t->ccd_s)
                              : burst;
    if (reads(from))
        return near == OTHER_RANK ? read_end + bubble - (int)t->cwl : read_end + 2 - (int)t->cwl;
    return near <= GROUP  ? write_end + (int)t->wtr_l
           : near == RANK ? write_end + (int)t->wtr_s
                          : write_end + bubble - (int)t->cl;
}

/* From FROM to a command that closes or refreshes what FROM was for, or opens it again. */
static int row_gap(const PfDramPreset *t, int from, int to, Nearness near)
{
    bool all = to == PF_DRAM_PREA || to == PF_DRAM_REF || from == PF_DRAM_PREA ||
               from == PF_DRAM_REF;
    bool concerns = near == BANK || (all && near != OTHER_RANK);
    bool precharges = to == PF_DRAM_PRE || to == PF_DRAM_PREA;
    int written = (int)(t->cwl + t->burst + t->wr);
    if (!concerns)
        return 0;
    switch (from) {
    case PF_DRAM_ACT:
        return (int)(precharges ? t->ras : t->rc);
    case PF_DRAM_RD:
        return precharges ? (int)t->rtp : 0;
    case PF_DRAM_WR:
        return precharges ? written : 0;
    case PF_DRAM_RDA:
        return precharges ? 0 : (int)(t->rtp + t->rp);
    case PF_DRAM_WRA:
        return precharges ? 0 : written + (int)t->rp;
    case PF_DRAM_PRE:
        return precharges ? 0 : (int)t->rp;
    case PF_DRAM_PREA:
        return precharges ? 0 : (int)t->rp_all;
    case PF_DRAM_REF:
        return (int)t->rfc;
    default:
        return (int)t->rfc_bank;
    }
}

/* The clocks that must lie between FROM and a later TO. */
static int gap(const PfDramPreset *t, int from, int to, Nearness near)
{
    bool column = to >= PF_DRAM_RD && to <= PF_DRAM_WRA;
    if (column && (reads(from) || writes(from)))
        return column_gap(t, from, to, near);
    if (column)
        return from == PF_DRAM_ACT && near == BANK ? (int)(reads(to) ? t->rcd : t->rcd_write) : 0;
    int least = row_gap(t, from, to, near);
    bool same_rank = near != OTHER_RANK;
    if (from == PF_DRAM_ACT && to == PF_DRAM_ACT && same_rank)
        least = MAX(least, (int)(near <= GROUP ? t->rrd_l : t->rrd_s));
    if (from == PF_DRAM_ACT && to == PF_DRAM_REFB && same_rank)
        least = MAX(least, (int)t->rrd_s);
    if (from == PF_DRAM_REFB && to == PF_DRAM_ACT && same_rank)
        least = MAX(least, (int)t->rrefd);
    if ((from == PF_DRAM_PRE || from == PF_DRAM_PREA) &&
        (to == PF_DRAM_PRE || to == PF_DRAM_PREA) && same_rank)
        least = MAX(least, (int)t->ppd);
    return least;
}

static Nearness nearness(const PfDramCommand *a, const PfDramCommand *b)
{
    if (a->rank != b->rank)
        return OTHER_RANK;
    if (a->group != b->group)
        return RANK;
    return a->bank == b->bank ? BANK : GROUP;
}

static unsigned slots(const PfDramPreset *t, int kind)
{
    bool column = kind >= PF_DRAM_RD && kind <= PF_DRAM_WRA;
    return column ? t->column_slots : kind == PF_DRAM_ACT ? t->activate_slots : 1;
}

static bool share_bus(const PfDramPreset *t, int a, int b)
{
    bool a_column = a >= PF_DRAM_RD && a <= PF_DRAM_WRA;
    bool b_column = b >= PF_DRAM_RD && b <= PF_DRAM_WRA;
    return !t->splits_bus || a_column == b_column;
}

/* Whether command NUMBER keeps all rules towards those before it; the fifth ACT of a rank too. */
static bool keeps_gaps(const GArray *commands, guint number, const PfDramPreset *t, bool tell)
{
    enum { FARTHEST = 2000 };
    const PfDramCommand *to = &g_array_index(commands, PfDramCommand, number);
    unsigned activations = 0;
    for (guint i = number; i-- > 0;) {
        const PfDramCommand *from = &g_array_index(commands, PfDramCommand, i);
        uint64_t apart = to->clock - from->clock;
        if (apart > FARTHEST)
            break;
        if (from->channel != to->channel)
            continue;
        int least = gap(t, from->kind, to->kind, nearness(from, to));
        if (share_bus(t, from->kind, to->kind))
            least = MAX(least, (int)slots(t, from->kind));
        bool fifth = to->kind == PF_DRAM_ACT && from->kind == PF_DRAM_ACT &&
                     from->rank == to->rank && ++activations == 4;
        least = fifth ? MAX(least, (int)t->faw) : least;
        if ((int)apart >= least)
            continue;
        if (tell)
            printf("# %s at %" G_GUINT64_FORMAT ", %d after %s, not %d\n", names[to->kind],
                   to->clock, (int)apart, names[from->kind], least);
        return false;
    }
    return true;
}

/* Whether the rows are as COMMAND needs them; OPEN, by bank, is brought up to date. */
static bool fits_state(const PfDramCommand *command, const PfDramPreset *t, bool *open)
{
    uint32_t in_rank = t->bank_groups * t->banks;
    bool *rank = &open[(command->channel * 16 + command->rank) * in_rank];
    bool *bank = &rank[command->group * t->banks + command->bank];
    bool any = false;
    for (uint32_t i = 0; i < in_rank; i++)
        any |= rank[i];
    switch (command->kind) {
    case PF_DRAM_ACT: {
        bool was = *bank;
        *bank = true;
        return !was && command->row < t->rows;
    }
    case PF_DRAM_RD:
    case PF_DRAM_WR:
        return *bank;
    case PF_DRAM_RDA:
    case PF_DRAM_WRA:
    case PF_DRAM_PRE: {
        bool was = *bank;
        *bank = false;
        return was;
    }
    case PF_DRAM_PREA:
        for (uint32_t i = 0; i < in_rank; i++)
            rank[i] = false;
        return any;
    case PF_DRAM_REF:
        return !any;
    default:
        return !*bank;
    }
}

static int compare(gconstpointer a, gconstpointer b)
{
    const PfDramCommand *left = a, *right = b;
    return (left->clock > right->clock) - (left->clock < right->clock);
}

unsigned dram_rules_broken(GArray *commands, const PfDramPreset *timing, bool tell)
{
    g_autofree bool *open = g_new0(bool, 128 * 16 * timing->bank_groups * timing->banks);
    unsigned broken = 0;
    g_array_sort(commands, compare);
    for (guint i = 0; i < commands->len; i++) {
        const PfDramCommand *command = &g_array_index(commands, PfDramCommand, i);
        bool fits = fits_state(command, timing, open);
        if (!fits && tell)
            printf("# %s at %" G_GUINT64_FORMAT " finds the wrong rows open\n",
                   names[command->kind], command->clock);
        broken += !fits || !keeps_gaps(commands, i, timing, tell && broken < 5);
    }
    return broken;
}

void dram_rules_note(const PfDramCommand *command, void *user)
{
    GArray *commands = user;
    g_array_append_val(commands, *command);
}
