package strictjson

// nameSet holds the names of one object. Nearly every object has a few members,
// for which comparing is cheaper than a map; beyond them the map keeps the work
// linear in the text, whatever somebody sends.
type nameSet struct {
	few  [8]string
	size int
	many map[string]bool
}

// add puts the name in and returns true, or false if it is in already.
func (s *nameSet) add(name string) bool {
	for _, n := range s.few[:min(s.size, len(s.few))] {
		if n == name {
			return false
		}
	}
	if s.many[name] {
		return false
	}
	if s.size < len(s.few) {
		s.few[s.size] = name
	} else {
		if s.many == nil {
			s.many = make(map[string]bool)
		}
		s.many[name] = true
	}
	s.size++
	return true
}
