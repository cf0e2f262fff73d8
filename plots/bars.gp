scale = @SCALE@
half = @HALF@

set label @TITLE@
set tmargin 3
set xlabel @AXIS@
set xrange [0:@MOST@]
set xtics @STEP@
set yrange [0.45:@ROWS@ + 0.55]
set border 1 linewidth 0.7 linecolor rgb '#404040'
set ytics scale 0 (@TICS@)
set style fill solid 1 border rgb '#ffffff'
set rmargin 3
@KEY@
@LABELS@
plot \
@PLOTS@
