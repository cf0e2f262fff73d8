/* What a CAM costs: figures of CACTI 7 at a few sizes, and between them by interpolation.
 *
 * The figures are those that CACTI 7 (github.com/HewlettPackard/cacti, commit 1ffd8df) prints for
 * `-cache type "cam"` with a 64-bit key, fully associative, one read-write and one search port,
 * itrs-hp transistors, 360 K, no ECC, and all else as in its cache.cfg. The rows of RAM are its
 * figures for a RAM of as many bits, where a row is read instead of searched. They are a model's
 * output and no silicon; CACTI's CAMs are optimistic. Between two rows each figure is taken to be a
 * power of the size: a straight line in logarithms. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    PF_CAM_CARD_22NM,
    PF_CAM_CARD_45NM,
    PF_CAM_CARD_RAM_22NM, /* for set-associative units */
    PF_CAM_CARD_COUNT
} PfCamCardTable;

typedef enum {
    PF_CAM_ACCESS_NS,
    PF_CAM_CYCLE_NS, /* between two searches that follow each other */
    PF_CAM_SEARCH_NJ,
    PF_CAM_WRITE_NJ,
    PF_CAM_LEAKAGE_MW,
    PF_CAM_AREA_MM2,
    PF_CAM_FIGURES
} PfCamFigure;

enum { PF_CAM_CARD_KEY_BITS = 64 }; /* of the keys in all tables */

typedef struct {
    uint64_t entries;
    double figures[PF_CAM_FIGURES];
} PfCamCardRow;

/* "access_ns", "search_nJ" ... */
extern const char *const pf_cam_figure_names[PF_CAM_FIGURES];
/* "22nm", "45nm", "ram-22nm". */
extern const char *const pf_cam_card_names[PF_CAM_CARD_COUNT];

/* The rows of TABLE by size, smallest first; constants of the program. */
const PfCamCardRow *pf_cam_card_rows(PfCamCardTable table, size_t *ret_count);

/* The figures of a CAM of ENTRIES by TABLE: those of the row of that size, else from the two rows
 * around it, else (outside of the table) from the two nearest. Whether ENTRIES is inside. */
bool pf_cam_card_look(PfCamCardTable table, uint64_t entries, PfCamCardRow *ret_row);

/* The same for the size of row INDEX of TABLE without using that row: how far that is off the row
 * says how good the interpolation is. Whether the other rows are on both sides of it. The table has
 * three rows or more. */
bool pf_cam_card_leave_out(PfCamCardTable table, size_t index, PfCamCardRow *ret_row);
