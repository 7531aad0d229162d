package main

// A section is a table: cells of one world, in one mode.
type section struct {
	title      string
	note       string
	world      string
	mode       mode
	cells      []cell
	contenders []contender
}

// worldOf is where a contender reads.
func (s section) worldOf(c contender) string {
	if c.grown {
		return "grown"
	}
	return s.world
}

// tasksSection has the cells from the first to the last page.
func tasksSection() section {
	contenders := append(everyone(), fromMembers(), fromUnknown())
	return section{title: "Tasks", world: "even", mode: prepared, cells: cellsOf(tasks, depths...), contenders: contenders}
}

func othersSection() section {
	s := section{title: "Notes, memory, and documents of a host's own", world: "even", mode: prepared, contenders: everyone()}
	s.cells = cellsOf(notes, firstPage, deepPage)
	for _, depth := range []float64{firstPage, deepPage, lastPage} {
		s.cells = append(s.cells, cell{resource: memory, subject: theSubject, grant: teams(1, 0), depth: depth, most: mostOfFloor})
	}
	s.cells = append(s.cells, cellsOf(userDefined, firstPage, deepPage)...)
	return s
}

func genericSection() section {
	return section{title: "Tasks, planned for no particular arguments", note: "plan_cache_mode = force_generic_plan.",
		world: "even", mode: generic, cells: cellsOf(tasks, firstPage, deepPage), contenders: everyone()}
}

func unpreparedSection() section {
	s := section{title: "Tasks, not prepared", note: "Each statement is planned for each page.",
		world: "even", mode: unprepared, cells: cellsOf(tasks, firstPage, deepPage), contenders: everyone()}
	for i := range s.cells {
		s.cells[i].most = 0
	}
	return s
}

// growthSection has each page in both worlds, in turns.
func growthSection() section {
	s := section{title: "Tasks, growing", world: "even", mode: prepared, cells: cellsOf(tasks, firstPage, deepPage),
		contenders: []contender{fromFloor(), fromLibrary(), inGrown(fromFloor(), grownFloor), inGrown(fromLibrary(), grownLibrary)}}
	for i := range s.cells {
		s.cells[i].byTime = true
	}
	return s
}

// skewSection has what is far from even. Its world is described in skewed.sql.
func skewSection() section {
	s := section{title: "Tasks, far from even", world: "skewed", mode: prepared, contenders: everyone(),
		note: "A page that is empty has no rows to compare with, and no target."}
	add := func(name, subject string, g grant, most float64, depths ...float64) {
		for _, depth := range depths {
			s.cells = append(s.cells, cell{name: name, resource: tasks, subject: subject, grant: g, depth: depth, most: most})
		}
	}
	add("one project has half of all rows, and shows", theSubject, teams(1, 1), mostOfFloor, firstPage, deepPage)
	add("that project and 899 teams more", theSubject, teams(1, 900), mostOfFloor, firstPage, deepPage)
	add("20 teams, and the project does not show", theSubject, teams(2, 21), mostInMiddle, firstPage, deepPage)
	add("900 teams, and the project does not show", theSubject, teams(2, 901), mostOfFloor, firstPage, deepPage)
	add("all rows of an owner are old", "user-2", teams(1, 0), mostOfFloor, firstPage, deepPage)
	add("all rows of 5,000 teams are old", theSubject, teams(1001, 6000), mostOfFloor, firstPage, deepPage)
	add("1,000 teams with rows, 4,000 without", theSubject, teams(1, 1000).nobodys(4000), mostOfFloor, firstPage, deepPage)
	add("5,000 teams without rows", theSubject, grant{}.nobodys(5000), mostOfFloor, firstPage, deepPage)
	add("in no team, within a third of all rows that share a microsecond", theSubject, teams(1, 0), mostOfFloor, deepPage)
	add("in no team, with rows of no other time", "user-3", teams(1, 0), mostOfFloor, firstPage)
	add("in no team, and owns nothing", "nobody", teams(1, 0), 0, firstPage)
	return s
}
