package main

import (
	"fmt"
	"time"

	"github.com/mosaicstack/fedkit/internal/demo"
)

// The gateways. Home is the one that clients ask.
const (
	home = "home"
	east = "east"
	west = "west"
)

// subject is the user whose tasks are listed, who has an account at each gateway.
const subject = "ada"

// titles are the tasks of each gateway, the newest first.
var titles = map[string][]string{
	home: {
		"Sharpen the chisels",
		"Order oak & ash boards",
		"Oil the lathe",
		"Repair the clamp rack",
		"Label the screws <4 mm",
		"Draw the plans of a bench",
		"Glue the drawer fronts",
		"Sweep the floor",
		"Test the dust extractor",
		"Hang the new door",
	},
	east: {
		"Water the tomatoes",
		"Prune the pear tree",
		"Turn the compost",
		"Sow the winter rye",
		"Mend the greenhouse roof",
		"Move the bee hives",
		"Lift the potatoes",
		"Stake the dahlias",
		"Net the cherries",
		"Test the soil",
	},
	west: {
		"Feed the sourdough",
		"Bottle the plum jam",
		"Descale the kettle",
		"Season the iron pan",
		"Bake “the usual” for Sunday",
		"Sort the spice drawer",
		"Salt the lemons",
		"Salt the beans",
		"Grind coffee for the week",
		"Plan the menu",
	},
}

// dataOf returns what is in the database of a gateway. The newest task of each gateway
// and the oldest one are of the same microsecond as those of the others; in between they
// alternate.
func dataOf(name string) demo.Data {
	owner := subject
	place := map[string]int{home: 0, east: 1, west: 2}[name]
	project := demo.Project{ID: newID(place, 0), Name: name, OwnerType: "user", OwnerID: &owner}
	data := demo.Data{
		Users:    []demo.User{{ID: subject, Name: "Ada", Email: "ada@" + name + ".example"}},
		Projects: []demo.Project{project},
	}
	newest := time.Date(2026, time.June, 12, 17, 30, 0, 123456e3, time.UTC)
	for i, title := range titles[name] {
		created := newest.Add(-time.Duration(i) * 7 * time.Hour)
		if i > 0 && i < len(titles[name])-1 {
			created = created.Add(-time.Duration((place*(i+1))%3) * 83 * time.Minute)
		}
		data.Tasks = append(data.Tasks, demo.Task{
			ID: newID(place, i+1), Title: title, ProjectID: &project.ID,
			Status:    []string{"not-started", "in-progress", "done"}[min(i/3, 2)],
			Priority:  []string{"high", "medium", "low"}[(i+place)%3],
			CreatedAt: created, UpdatedAt: created,
		})
	}
	return data
}

// newID returns the id of the nth row of a gateway.
func newID(place, n int) string {
	return fmt.Sprintf("%08x-0000-4000-8000-%012x", place+1, n)
}
