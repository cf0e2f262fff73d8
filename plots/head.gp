# @NAME@: @SUMMARY@.
# Draw again with: gnuplot @NAME@.gp
set terminal @TERMINAL@
@OUTPUT@
set encoding utf8
set datafile separator ','
set datafile missing 'null'
set format '%h' # the default keeps a place for a sign, and labels stand beside their tics
set tics nomirror out scale 0.6 textcolor rgb '#404040'
grid_type = @GRID_TYPE@

