package main

import (
	"strings"
	"testing"
)

func TestEveryShapeIsOneList(t *testing.T) {
	for _, s := range shapes {
		r, err := measure(t.Context(), cell{3, s}, 4) // which looks at every row
		if err != nil {
			t.Errorf("%s: %v", s.name, err)
		}
		if len(r.merged) != 4 || len(r.alone) != 4 || r.rows < pageRows/3 || r.asked < 0.5 || r.bytes <= 0 {
			t.Errorf("%s came to %+v", s.name, r)
		}
	}
}

func TestThePictureHasALineForEachList(t *testing.T) {
	all := []result{
		{cell: cell{8, inTurn}, merged: []float64{2e7}, alone: []float64{1.9e7}},
		{cell: cell{8, inRuns}, merged: []float64{3e7}, alone: []float64{1.9e7}},
	}
	text := picture(all)
	if n := strings.Count(text, "<rect"); n != 2 {
		t.Errorf("the picture has %d bars", n)
	}
	if over := all[0].over(); over > 1 || targets(all)[1].Met() || !targets(all)[0].Met() {
		t.Errorf("20 ms after 19 are %.1f %% above: %+v", over, targets(all))
	}
}
