#include "cam_card.h"

#include <math.h>

#include "check.h"

static bool is_near(double value, double wanted)
{
    return fabs(value - wanted) <= 1e-12 * fabs(wanted);
}

static void sizes_of_the_table_are_as_printed(void)
{
    for (unsigned table = 0; table < PF_CAM_CARD_COUNT; table++) {
        size_t count;
        const PfCamCardRow *rows = pf_cam_card_rows(table, &count);
        CU_ASSERT(count >= 2);
        for (size_t i = 0; i < count; i++) {
            PfCamCardRow row;
            CU_ASSERT_TRUE(pf_cam_card_look(table, rows[i].entries, &row));
            for (unsigned j = 0; j < PF_CAM_FIGURES; j++)
                CU_ASSERT_EQUAL(row.figures[j], rows[i].figures[j]);
            CU_ASSERT(i == 0 || rows[i].entries > rows[i - 1].entries);
        }
    }
}

/* 8 Ki lies half way, in logarithms, between 4 Ki and 16 Ki: the geometric mean. */
static void between_two_sizes_figures_are_on_a_line_in_logarithms(void)
{
    PfCamCardRow row;
    CU_ASSERT_TRUE(pf_cam_card_look(PF_CAM_CARD_22NM, 8192, &row));
    CU_ASSERT(is_near(row.figures[PF_CAM_SEARCH_NJ], sqrt(0.104 * 0.410)));
    CU_ASSERT(is_near(row.figures[PF_CAM_ACCESS_NS], sqrt(0.475 * 0.728)));
    CU_ASSERT(is_near(row.figures[PF_CAM_LEAKAGE_MW], sqrt(26.0 * 105)));
    CU_ASSERT(is_near(row.figures[PF_CAM_AREA_MM2], sqrt(0.082 * 0.335)));
    /* 45 nm: 4 Ki, from 1 Ki and 16 Ki. */
    CU_ASSERT_TRUE(pf_cam_card_look(PF_CAM_CARD_45NM, 4096, &row));
    CU_ASSERT(is_near(row.figures[PF_CAM_WRITE_NJ], sqrt(0.014 * 0.034)));
    CU_ASSERT(is_near(row.figures[PF_CAM_CYCLE_NS], sqrt(0.266 * 0.17)));
}

/* 4 Mi is as far from 1 Mi as that from 256 Ki: search 22.8 nJ times 22.8 / 5.86. */
static void outside_the_nearest_two_rows_go_on(void)
{
    PfCamCardRow row;
    CU_ASSERT_FALSE(pf_cam_card_look(PF_CAM_CARD_22NM, 4194304, &row));
    CU_ASSERT(is_near(row.figures[PF_CAM_SEARCH_NJ], 22.8 * 22.8 / 5.86));
    CU_ASSERT_TRUE(pf_cam_card_look(PF_CAM_CARD_22NM, 1048576, &row));
    CU_ASSERT_FALSE(pf_cam_card_look(PF_CAM_CARD_22NM, 1048577, &row));
    CU_ASSERT_FALSE(pf_cam_card_look(PF_CAM_CARD_22NM, 63, &row));
    CU_ASSERT_TRUE(pf_cam_card_look(PF_CAM_CARD_22NM, 64, &row));
    /* 16 is as far below 64 as 256 above it, which is half way to 1 Ki. */
    CU_ASSERT_FALSE(pf_cam_card_look(PF_CAM_CARD_45NM, 16, &row));
    CU_ASSERT(is_near(row.figures[PF_CAM_AREA_MM2], 0.0070 / sqrt(0.070 / 0.0070)));
}

/* 45 nm without 16 Ki: from 1 Ki and 64 Ki, two thirds of the way. */
static void a_row_is_told_by_the_others(void)
{
    PfCamCardRow row;
    CU_ASSERT_TRUE(pf_cam_card_leave_out(PF_CAM_CARD_45NM, 2, &row));
    CU_ASSERT_EQUAL(row.entries, 16384);
    CU_ASSERT(is_near(row.figures[PF_CAM_SEARCH_NJ], 0.104 * pow(6.98 / 0.104, 2.0 / 3)));
    /* Off by no more than a hundredth. */
    CU_ASSERT(fabs(row.figures[PF_CAM_SEARCH_NJ] / 1.75 - 1) < 0.02);
    CU_ASSERT_FALSE(pf_cam_card_leave_out(PF_CAM_CARD_45NM, 0, &row));
    CU_ASSERT_FALSE(pf_cam_card_leave_out(PF_CAM_CARD_45NM, 3, &row));
}

/* From 1 Ki to its neighbours it is a factor of 16 and more, hence less good. Times are worse,
 * since CACTI divides arrays of some sizes otherwise than others. */
static void inner_rows_are_near_what_the_others_tell(void)
{
    static const PfCamFigure figures[] = {PF_CAM_SEARCH_NJ, PF_CAM_LEAKAGE_MW, PF_CAM_AREA_MM2};
    for (unsigned table = PF_CAM_CARD_22NM; table <= PF_CAM_CARD_45NM; table++) {
        size_t count;
        const PfCamCardRow *rows = pf_cam_card_rows(table, &count);
        for (size_t i = 1; i + 1 < count; i++) {
            PfCamCardRow row;
            CU_ASSERT_TRUE(pf_cam_card_leave_out(table, i, &row));
            for (unsigned j = 0; j < 3; j++) {
                double error = row.figures[figures[j]] / rows[i].figures[figures[j]] - 1;
                CU_ASSERT(fabs(error) < (rows[i].entries == 1024 ? 0.45 : 0.1));
            }
        }
    }
}

static const PfCheck checks[] = {
    {"sizes of the table are as printed", sizes_of_the_table_are_as_printed},
    {"between two sizes figures are on a line in logarithms",
     between_two_sizes_figures_are_on_a_line_in_logarithms},
    {"outside, the nearest two rows go on", outside_the_nearest_two_rows_go_on},
    {"a row is told by the others", a_row_is_told_by_the_others},
    {"search energy, leakage and area of inner rows are near what the others tell",
     inner_rows_are_near_what_the_others_tell},
};

PF_CHECK_MAIN("cam card", checks)
