# Memory saved over simulated time, one line a policy, each named at its end.
# Draw again with: gnuplot savings.gp
set terminal @TERMINAL@
@OUTPUT@
set encoding utf8
set datafile separator ','
set datafile missing 'null'
scale = @TIME_SCALE@

set label @TITLE@ at graph 0, graph 1 left offset 0, 1.2
set tmargin 3
set xlabel 'simulated time (@TIME_UNIT@)'
set ylabel 'memory saved (MiB)'
set xrange [0:@TIME_MAX@]
set yrange [@SAVED_MIN@:@SAVED_MAX@]
set ytics @SAVED_STEP@
set border 3 linewidth 0.7 linecolor rgb '#404040'
set tics nomirror out scale 0.6 textcolor rgb '#404040'
set format '%h' # the default keeps a place for a sign, and labels stand beside their tics
set grid ytics noxtics back linetype @GRID_TYPE@ linewidth 0.6 linecolor rgb '#d9d9d9'
set rmargin @RIGHT_MARGIN@
unset key
@LABELS@
plot \
@PLOTS@
