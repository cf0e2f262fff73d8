-- How many ways there are to place N queens.
local size = tonumber(... or 6)
local columns, sums, differences, found = {}, {}, {}, 0

local function place(row)
  if row > size then
    found = found + 1
    return
  end
  for column = 1, size do
    if not (columns[column] or sums[row + column] or differences[row - column]) then
      columns[column], sums[row + column], differences[row - column] = true, true, true
      place(row + 1)
      columns[column], sums[row + column], differences[row - column] = nil, nil, nil
    end
  end
end

place(1)
print(string.format("%d queens: %d ways", size, found))
