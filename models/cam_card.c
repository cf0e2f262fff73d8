#include "cam_card.h"

#include <glib.h>
#include <math.h>

const char *const pf_cam_figure_names[PF_CAM_FIGURES] = {"access_ns", "cycle_ns",   "search_nJ",
                                                         "write_nJ",  "leakage_mW", "area_mm2"};

const char *const pf_cam_card_names[PF_CAM_CARD_COUNT] = {"22nm", "45nm", "ram-22nm"};

static const PfCamCardRow rows_22nm[] = {
    {64, {0.077, 0.038, 0.0018, 0.0005, 0.5, 0.0017}},
    {1024, {0.238, 0.161, 0.024, 0.004, 6.3, 0.017}},
    {4096, {0.475, 0.161, 0.104, 0.007, 26, 0.082}},
    {16384, {0.728, 0.094, 0.410, 0.010, 105, 0.335}},
    {65536, {1.30, 0.094, 1.63, 0.021, 420, 1.36}},
    {262144, {2.93, 0.29, 5.86, 0.057, 1480, 5.03}},
    {1048576, {10.2, 1.21, 22.8, 0.204, 5713, 21.0}},
};

static const PfCamCardRow rows_45nm[] = {
    {64, {0.188, 0.095, 0.0079, 0.0018, 1.9, 0.0070}},
    {1024, {0.434, 0.266, 0.104, 0.014, 24, 0.070}},
    {16384, {1.47, 0.17, 1.75, 0.034, 397, 1.40}},
    {65536, {2.48, 0.17, 6.98, 0.070, 1590, 5.66}},
};

/* A read is the search; a write takes what a read takes; an access is over before the next. */
static const PfCamCardRow rows_ram_22nm[] = {
    {65536, {0.78, 0.78, 0.013, 0.013, 139, 0.41}},
    {1048576, {2.4, 2.4, 0.050, 0.050, 2206, 5.8}},
};

const PfCamCardRow *pf_cam_card_rows(PfCamCardTable table, size_t *ret_count)
{
    switch (table) {
    case PF_CAM_CARD_22NM:
        *ret_count = G_N_ELEMENTS(rows_22nm);
        return rows_22nm;
    case PF_CAM_CARD_45NM:
        *ret_count = G_N_ELEMENTS(rows_45nm);
        return rows_45nm;
    case PF_CAM_CARD_RAM_22NM:
        *ret_count = G_N_ELEMENTS(rows_ram_22nm);
        return rows_ram_22nm;
    case PF_CAM_CARD_COUNT:
        break;
    }
    g_assert_not_reached();
}

/* The figures at ENTRIES on the line, in logarithms, through A and B. */
static void draw_line(const PfCamCardRow *a, const PfCamCardRow *b, uint64_t entries,
                      PfCamCardRow *ret_row)
{
    double way =
        log((double)entries / (double)a->entries) / log((double)b->entries / (double)a->entries);
    ret_row->entries = entries;
    for (unsigned i = 0; i < PF_CAM_FIGURES; i++)
        ret_row->figures[i] = a->figures[i] * pow(b->figures[i] / a->figures[i], way);
}

/* On the line through those two of ROWS between which ENTRIES lies, or the nearest two. */
static bool interpolate(const PfCamCardRow *rows, size_t count, uint64_t entries,
                        PfCamCardRow *ret_row)
{
    size_t right = 1;
    while (right + 1 < count && rows[right].entries < entries)
        right++;
    if (rows[right].entries == entries)
        *ret_row = rows[right];
    else
        draw_line(&rows[right - 1], &rows[right], entries, ret_row);
    return rows[0].entries <= entries && entries <= rows[count - 1].entries;
}

bool pf_cam_card_look(PfCamCardTable table, uint64_t entries, PfCamCardRow *ret_row)
{
    size_t count;
    const PfCamCardRow *rows = pf_cam_card_rows(table, &count);
    return interpolate(rows, count, entries, ret_row);
}

bool pf_cam_card_leave_out(PfCamCardTable table, size_t index, PfCamCardRow *ret_row)
{
    size_t count;
    const PfCamCardRow *rows = pf_cam_card_rows(table, &count);
    g_assert(count > 2 && index < count);
    g_autofree PfCamCardRow *others = g_new(PfCamCardRow, count - 1);
    for (size_t i = 0; i + 1 < count; i++)
        others[i] = rows[i < index ? i : i + 1];
    return interpolate(others, count - 1, rows[index].entries, ret_row);
}
