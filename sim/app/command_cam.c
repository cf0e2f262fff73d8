#include <stdio.h>

#include "cam_card.h"
#include "commands.h"

/* How far off each row of TABLE is what the others tell, in per cent. */
static void print_errors(PfCamCardTable table)
{
    size_t count;
    const PfCamCardRow *rows = pf_cam_card_rows(table, &count);
    for (size_t i = 0; count > 2 && i < count; i++) {
        PfCamCardRow told;
        bool is_between = pf_cam_card_leave_out(table, i, &told);
        printf("%-5s %9" G_GUINT64_FORMAT "  %-12s", pf_cam_card_names[table], rows[i].entries,
               is_between ? "interpolated" : "extrapolated");
        for (unsigned j = 0; j < PF_CAM_FIGURES; j++)
            printf(" %+9.0f %%", 100 * (told.figures[j] / rows[i].figures[j] - 1));
        printf("\n");
    }
}

static int run(PfApp *app, const PfCommand *command, int argc, char **argv, GError **error)
{
    const GOptionEntry entries[] = {{NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL}};
    g_auto(GStrv) arguments = NULL;
    PfParse parsed = pf_options_parse(app, command, entries, argc, argv, &arguments, error);
    if (parsed != PF_PARSE_GO)
        return parsed == PF_PARSE_DONE ? 0 : 2;
    printf("%-5s %9s  %-12s", "card", "entries", "left out");
    for (unsigned j = 0; j < PF_CAM_FIGURES; j++)
        printf(" %11s", pf_cam_figure_names[j]);
    printf("\n");
    for (unsigned table = 0; table < PF_CAM_CARD_COUNT; table++)
        print_errors((PfCamCardTable)table);
    return 0;
}

const PfCommand pf_command_validate_cam = {
    .name = "validate cam",
    .arguments = "",
    .summary = "Tell each size of the CAM's card by the other sizes, and how far that is off",
    .examples =
        "  pagefold validate cam                             error of each figure, per cent\n",
    .arguments_min = 0,
    .arguments_max = 0,
    .run = run,
};
