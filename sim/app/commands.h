/* The commands, each defined in the file of its name. A new one is a file and a row of the table
 * in options.c. */
#pragma once

#include "options.h"

extern const PfCommand pf_command_run;
extern const PfCommand pf_command_sweep_expand;
extern const PfCommand pf_command_sweep_run;
extern const PfCommand pf_command_sweep_status;
extern const PfCommand pf_command_sweep_collect;
extern const PfCommand pf_command_sweep_frontier;
extern const PfCommand pf_command_compare;
extern const PfCommand pf_command_plot;
extern const PfCommand pf_command_bundle;
extern const PfCommand pf_command_potential;
extern const PfCommand pf_command_explain;
extern const PfCommand pf_command_trace_info;
extern const PfCommand pf_command_trace_text;
extern const PfCommand pf_command_trace_binary;
extern const PfCommand pf_command_trace_verify;
extern const PfCommand pf_command_trace_cut;
extern const PfCommand pf_command_trace_mix;
extern const PfCommand pf_command_trace_record;
extern const PfCommand pf_command_trace_snapshot;
extern const PfCommand pf_command_trace_generate;
extern const PfCommand pf_command_trace_import;
extern const PfCommand pf_command_config_check;
extern const PfCommand pf_command_config_dump;
extern const PfCommand pf_command_config_explain;
extern const PfCommand pf_command_calibrate;
extern const PfCommand pf_command_check_policy;
extern const PfCommand pf_command_list;
extern const PfCommand pf_command_validate_ksm;
extern const PfCommand pf_command_validate_curve;
extern const PfCommand pf_command_validate_cam;
