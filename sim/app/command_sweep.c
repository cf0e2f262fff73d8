#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "error.h"
#include "sweep_command.h"
#include "sweep_folder.h"

static int run_expand(PfApp *app, const PfCommand *command, int argc, char **argv, GError **error)
{
    return pf_sweep_command(app, command, argc, argv, PF_SWEEP_EXPAND, error);
}

static int run_run(PfApp *app, const PfCommand *command, int argc, char **argv, GError **error)
{
    return pf_sweep_command(app, command, argc, argv, PF_SWEEP_RUN, error);
}

static int run_status(PfApp *app, const PfCommand *command, int argc, char **argv, GError **error)
{
    return pf_sweep_command(app, command, argc, argv, PF_SWEEP_STATUS, error);
}

static int run_collect(PfApp *app, const PfCommand *command, int argc, char **argv, GError **error)
{
    return pf_sweep_command(app, command, argc, argv, PF_SWEEP_COLLECT, error);
}

const PfCommand pf_command_sweep_expand = {
    .name = "sweep expand",
    .arguments = "CONFIG",
    .summary = "Print the points of a sweep",
    .examples = "  pagefold sweep expand cam.cfg                     what it would run\n"
                "  pagefold sweep expand cam.cfg --time              ... and for how long\n",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run_expand,
};

const PfCommand pf_command_sweep_run = {
    .name = "sweep run",
    .arguments = "CONFIG",
    .summary = "Run the points of a sweep that are not done yet",
    .examples = "  pagefold sweep run cam.cfg -o cam                 all points, then results.csv\n"
                "  pagefold sweep run cam.cfg -o cam --shard 0/2     every second point\n",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run_run,
};

const PfCommand pf_command_sweep_status = {
    .name = "sweep status",
    .arguments = "CONFIG",
    .summary = "Tell how many points of a sweep are done",
    .examples = "  pagefold sweep status cam.cfg -o cam              done, failed, pending\n",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run_status,
};

const PfCommand pf_command_sweep_collect = {
    .name = "sweep collect",
    .arguments = "CONFIG",
    .summary = "Write results.csv from the points that are done",
    .examples = "  pagefold sweep collect cam.cfg -o cam             also while others run\n",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run_collect,
};
