set origin @PLACE@
set size @SIZE@
unset label
@LABELS@
set tmargin 3.5
set bmargin 3
set lmargin 8
set rmargin 1
set xrange [-0.5:@NODES@ - 0.5]
set yrange [@NODES@ - 0.5:-0.5]
set border 0
unset key
set xtics scale 0 (@TICS@)
set ytics scale 0 (@TICS@)
set xlabel '@X@'
set ylabel '@Y@'
set style fill solid 1 border rgb '#ffffff'
# From white to blue, by the share of the policy's lines.
shade(p) = int(255 - 255 * p / 100) * 65536 + int(255 - 141 * p / 100) * 256 + int(255 - 77 * p / 100)
number(p) = p == 0 ? '0' : sprintf(p < 10 ? '%.1f' : '%.0f', p)
shown = @SHOWN@ # numbers have room in so few cells
plot \
     'numa.csv' skip 1 every @ROWS@ using 3:2:($3 - 0.5):($3 + 0.5):($2 - 0.5):($2 + 0.5):(shade($5)) with boxxyerror fillcolor rgb variable, \
     'numa.csv' skip 1 every @ROWS@ using (shown && $5 < 55 ? $3 : NaN):2:(number($5)) with labels textcolor rgb '#000000', \
     'numa.csv' skip 1 every @ROWS@ using (shown && $5 >= 55 ? $3 : NaN):2:(number($5)) with labels textcolor rgb '#ffffff'
