@PLACE@
x_scale = @X_SCALE@
y_scale = @Y_SCALE@
@X@
@Y@
unset label
unset arrow
set tmargin @TOP@
@BOTTOM@
@LEFT@
set rmargin @RIGHT@
set border 3 linewidth 0.7 linecolor rgb '#404040'
set grid ytics noxtics back linetype grid_type linewidth 0.6 linecolor rgb '#d9d9d9'
unset key
@LABELS@
plot \
@PLOTS@
