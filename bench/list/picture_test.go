package main

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
)

// measuredTasks are tasks of which the floor takes 100 µs, and the others, in the order
// of everyone, twice and four times as long and so on.
func measuredTasks() *tableau {
	t := &tableau{section: tasksSection()}
	for range t.cells {
		var all []series
		for i := range t.contenders {
			all = append(all, series{rounds: []float64{math.Pow(2, float64(i)) * 1e5, math.NaN()}})
		}
		t.measured = append(t.measured, all)
	}
	return t
}

func TestThePictureIsXMLWithAMarkForEachContenderOfEachCell(t *testing.T) {
	text := picture(measuredTasks())
	decoder := xml.NewDecoder(strings.NewReader(text))
	count := make(map[string]int)
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("the picture is not XML: %v\n%s", err, text)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "g" {
			count[start.Attr[0].Value]++
		}
	}
	for _, m := range marks {
		if want := 1 + 2*len(grants()); count[m.class] != want { // one in the legend
			t.Errorf("the picture has %d marks of %s and not %d", count[m.class], m.name, want)
		}
	}
	for _, want := range []string{"prefers-color-scheme: dark", "20 teams, deep", "× 2.00", "× 10<"} {
		if !strings.Contains(text, want) {
			t.Errorf("the picture lacks %q:\n%s", want, text)
		}
	}
}
