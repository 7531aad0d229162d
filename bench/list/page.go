package main

import (
	"fmt"
	"strings"

	"github.com/mosaicstack/fedkit/bench/internal/figures"
)

// page is all that there is to read.
func (b *bench) page() string {
	var p strings.Builder
	fmt.Fprintf(&p, "# What a page of a list costs\n\n%s.\nMedians of %d rounds.\n\n    %s\n\n", b.machine(), b.rounds, b.command())
	fmt.Fprintf(&p, "There are %d tasks%s in each of two worlds, the same every time. ", b.rows, b.grown())
	p.WriteString(manual)
	fmt.Fprintf(&p, "## Targets\n\n%s\n", figures.Targets("fedkit", targets(b.run.tables)))
	for _, t := range b.run.tables {
		fmt.Fprintf(&p, "## %s\n\n", t.title)
		if t.note != "" {
			p.WriteString(t.note + "\n\n")
		}
		if t.title == growthSection().title {
			fmt.Fprintf(&p, "%s\n", growthTable(t))
			continue
		}
		fmt.Fprintf(&p, "%s\n", costTable(t))
		if t.title == tasksSection().title {
			fmt.Fprintf(&p, "### Depth\n\nThe share of the list that is before the page.\n\n%s\n", depthTable(t))
		}
	}
	return strings.TrimSuffix(p.String(), "\n")
}

// manual says how to read the tables.
const manual = `10,000 projects have
40,000 missions; 100 users own 5 projects each, and 1,000 teams 9 or 10. Most tables are
of a world in which tasks, notes, memory and documents are spread evenly over their owners
and over three years; the user whose lists they are owns one task in 2,000. Tasks that are
far from even are in the other world: one project has half of all rows, 5,000 teams more
have rows in the oldest fiftieth only, and a third of all rows share one microsecond.

A page has 50 rows, and reads one more to know whether the list goes on. The floor
fetches the same 51 rows by their primary keys, by somebody who knows them already. Every
multiple is of the floor, in the same mode and the same round; it is the median over the
rounds, in which all contenders take turns in an order that changes. A turn is the median
of four calls behind one that is not counted, or one call where it takes 50 ms or more;
three turns of those are enough. All contenders have the same indexes, those of
listquery.Indexes, the same driver, and one connection. That they read the same rows was
checked before.

- **fedkit** is Resource.List. With *members only* the statement looks up besides whether
  the subject is still a member of each team (Schema.TeamsOfMembersOnly). A store knows
  which way the last page of a filter came, and all calls but a cell's first profit by it;
  with *filter unknown* there is a team more in each call's filter, one that owns nothing
  and is never the same, so that the statement has to look around each time.
- **seed's shape** is the gateway that fedkit replaces: statements for the projects and
  the missions that show, then both lists as arguments, one for each id, and the cursor as
  a < x OR (a = x AND b < y).
- **OFFSET** counts the rows before the page.
- **gorm keyset** has subqueries for projects and missions, and the cursor as a row value.

The page *first* is the list's first one, *deep* begins in its middle, and *last* has its
last rows. Statements are prepared, which listquery recommends, unless said otherwise.

## Where the time goes

Taken apart on another day, when the floor took 235 µs and an empty round trip 13 µs: half
of the floor is to find 51 rows by their keys, half to write, send and read them. What a page
takes beside that is:

- 1.1 µs for each row that a walk looks at and that has a project alone, 2 µs where its
  mission's project is looked up too: 0.7 to 0.8 for each look-up by key, 0.3 for the team,
  the rest for the row. Where one row in five shows, as with 200 teams, a page takes 255
  rows, which is more than the floor by itself.
- 1.5 to 2 µs for each value whose newest rows are looked up, and half of that to find a
  mission of a project: 75 values with one team, 1,000 with 20. A hash table of these takes
  0.3 ms to fill, and then 0.2 µs for each row that is looked at, in the index alone: 2,500
  rows where one in 50 shows, and 9,000 among the rows that share a microsecond.
- 25 to 60 µs for the server to get a statement ready that goes one way, and 200 µs for one
  that looks around.
- 0.1 to 0.2 µs for each team of the filter, to check, send and receive it, and 0.4 µs more
  where each is looked for by itself.

What cannot be had for three times the floor: 5,000 teams without rows take 5,000 look-ups
to know that, and 5,000 teams whose rows are all old 15,000, for their projects, the missions
of these, and the newest rows of each project. To send so many teams takes as long as the
floor, and more. Covering indexes on projects and missions save 5 % of a walk, rows that are
fetched late cost a walk as much as they save unless few of many show, and to write the
look-ups as joins changes nothing.

`

// grown says that there are more tasks, if there are.
func (b *bench) grown() string {
	if b.grow < 2 {
		return ""
	}
	return fmt.Sprintf(" (and %d in a third one)", b.rows*b.grow)
}
