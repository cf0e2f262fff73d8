# Memory that four ways of sharing leave, by kind of page.
# Draw again with: gnuplot potential.gp
set terminal @TERMINAL@
@OUTPUT@
set encoding utf8
set datafile separator ','
half = 0.3

set label 'Memory in use' at graph 0, graph 1 left offset 0, 1.2
set tmargin 3
set xlabel 'MiB; in brackets: share of mmap/fork'
set xrange [0:@MIB_MAX@]
set yrange [0.45:4.55]
set border 1 linewidth 0.7 linecolor rgb '#404040'
set xtics nomirror out scale 0.6 textcolor rgb '#404040'
set format x '%h' # the default keeps a place for a sign, and labels stand beside their tics
set ytics nomirror scale 0 (@TICS@)
set style fill solid 1 border rgb '#ffffff'
set rmargin 3
set key below horizontal Left reverse samplen 1.2 spacing 1.1 height @KEY_GAP@
@LABELS@
plot \
@PLOTS@
