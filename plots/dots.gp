unset label
unset arrow
set lmargin at screen @LEFT@
set rmargin at screen 0.97
set tmargin at screen @TOP@
set bmargin at screen @BOTTOM@
@LABELS@
set xrange [@LEAST@:@MOST@]
set yrange [@ROWS@ + 0.6:0.4]
set border 1 linewidth 0.7 linecolor rgb '#404040'
set grid noxtics ytics back linetype grid_type linewidth 0.6 linecolor rgb '#d9d9d9'
set xtics autofreq
set ytics scale 0 (@TICS@)
set xlabel @AXIS@
unset key
plot \
@PLOTS@
