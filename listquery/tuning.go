package listquery

// A tuning says when a statement of Postgres goes which way. The numbers decide what a
// page costs, never what is on it: whatever they are, each way gives the same rows.
//
// They were chosen on 3,000,000 rows so that the ways cost about the same where one
// takes over from the other: some 2 µs to look up the newest rows of one value, and 0.7
// to find the value; 1 to 2 µs to look at a row of the walk and to look up whether it
// shows, 0.4 µs if the values that show are in a hash table.
type tuning struct {
	// few values are merged at once: looking around first would cost more.
	few int

	// sample is how many rows the walk looks at before it goes on. Fewer than poor of
	// them that show end it, and rich of them are enough. In between, it is left to a
	// hash table that saves to look at the others; or, if the values are too many for
	// that, the walk looks at resample rows, of which as many as good must show.
	sample, poor, rich, resample, good int

	// walk is how many rows the walk may look at for one page. It may do so whatever its
	// sample says if there are more than many values: to merge them would take longer, and
	// where the sample is poor a few rows farther may be the page, or the end of the list.
	walk, many int

	// Values between hashMin and hashMax, or fewer where the sample is not poor, are put
	// into a hash table for a walk of up to hashWalk rows.
	hashMin, hashMax, hashWalk int

	// depth is how many newest rows are looked up for each row of the page, over all
	// values, before the bound is known that the page lies above.
	depth int
}

// standardTuning is for pages up to the first of pageSizes.
var standardTuning = tuning{
	few: 128, sample: 80, poor: 5, rich: 15, resample: 240, good: 12, walk: 1500, many: 2500,
	hashMin: 600, hashMax: 2500, hashWalk: 9000,
	depth: 4,
}

// pageSizes are the sizes of pages, in rows and with the row behind the page, that have
// a statement of their own. How far a walk may go depends on the size, and is written
// into the statement: of a limit that comes as an argument the planner assumes that
// it lets a tenth of the table through, and might sort the table.
var pageSizes = [...]int{129, 1025, MaxLimit + 1}

// pageSize is the index of the smallest size that rows fit into.
func pageSize(rows int) int {
	for i, size := range pageSizes {
		if rows <= size {
			return i
		}
	}
	return len(pageSizes) - 1
}

// sized returns the tuning for pages of a size. The largest ones do without the hash
// table: so far a walk would have Postgres compile the statement.
func (t tuning) sized(size int) tuning {
	factor := (pageSizes[size] + pageSizes[0] - 1) / pageSizes[0]
	t.walk *= factor
	t.many *= factor
	t.hashWalk *= factor
	if size == len(pageSizes)-1 {
		t.hashMin, t.hashMax, t.hashWalk = 1, 0, 1
	}
	return t
}
