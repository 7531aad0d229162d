package listquery

import (
	"strings"

	"github.com/Masterminds/squirrel"

	"github.com/mosaicstack/fedkit/cursor"
)

// The teams of a filter that are looked for in a column of type uuid come to Postgres as
// a hash table, made here: one text, in which each team stands in the bucket that two
// bytes of its id say. To look one up takes half a microsecond, whereas a hash table that
// Postgres makes costs a third of a microsecond for each team, at each place of a
// statement that needs one, and a page may look up fewer teams than there are.
const (
	teamsInBucket = 8   // on average, up to mostBuckets
	mostBuckets   = 256 // that one byte can tell apart
	teamLen       = len("00000000-0000-0000-0000-000000000000")
)

// teamBuckets returns the buckets as one text, with bars between them and commas between
// the teams of each. Teams that match no row are left out.
func teamBuckets(teams []string) string {
	n := min(len(teams)/teamsInBucket+1, mostBuckets)
	sorted, starts := byBucket(teams, n)
	var text strings.Builder
	text.Grow(len(sorted)*(teamLen+1) + n)
	for b := range n {
		if b > 0 {
			text.WriteByte('|')
		}
		for i, team := range sorted[starts[b]:starts[b+1]] {
			if i > 0 {
				text.WriteByte(',')
			}
			text.WriteString(team)
		}
	}
	return text.String()
}

// byBucket sorts teams by their bucket of n, and returns where each bucket starts, and
// behind the last one where that ends.
func byBucket(teams []string, n int) (sorted []string, starts [mostBuckets + 1]int) {
	buckets := make([]int16, len(teams))
	for i, team := range teams {
		if buckets[i] = bucketOf(team, n); buckets[i] != noBucket {
			starts[buckets[i]+1]++ // how many there are in the bucket before, for now
		}
	}
	for b := range n {
		starts[b+1] += starts[b]
	}
	sorted = make([]string, starts[n])
	next := starts
	for i, team := range teams {
		if b := buckets[i]; b != noBucket {
			sorted[next[b]] = team
			next[b]++
		}
	}
	return sorted, starts
}

// noBucket is for what is no uuid as databases write it.
const noBucket = -1

// bucketOf is the number of a team's bucket among n.
func bucketOf(team string, n int) int16 {
	id, err := cursor.ParseUUID(team)
	if err != nil || hasUpper(team) {
		return noBucket
	}
	return int16(uint32(id[3]^id[15]) % uint32(n))
}

// Parts of a statement with the teams of the filter: the buckets as an array, and the
// teams of type uuid and of type text, each a text and a row.
const (
	teamBucketsPart = `"listed-buckets"`
	teamUUIDsPart   = `"listed-teams"`
	teamTextsPart   = `"listed-team-texts"`
)

// teamParts are the parts with the teams that the conditions of a visibility read,
// where they are probes of Postgres. Who reads the first few teams pays for a bucket,
// not for all.
func (v Visibility) teamParts(t terms) []squirrel.Sqlizer {
	if !t.probes || t.dialect != Postgres || !t.teams {
		return nil
	}
	var parts []squirrel.Sqlizer
	uuids, texts := teamColumns(v.node)
	if uuids {
		parts = append(parts,
			part(teamBucketsPart, "SELECT string_to_array(CAST(? AS text), '|') AS v", slot{kind: teamBucketsSlot}),
			part(teamUUIDsPart, "SELECT unnest(string_to_array(b, ',')) AS v FROM (SELECT unnest(v) AS b FROM "+teamBucketsPart+") AS buckets"))
	}
	if texts {
		parts = append(parts, part(teamTextsPart, "SELECT unnest(CAST(? AS text[])) AS v", slot{kind: teamsSlot}))
	}
	return parts
}

// teamColumns reports whether a node asks for teams in columns of type uuid and text.
func teamColumns(n node) (uuids, texts bool) {
	var vs []Visibility
	switch n := n.(type) {
	case teamsNode:
		return n.uuids, !n.uuids
	case parentNode:
		vs = []Visibility{n.visible}
	case anyNode:
		vs = n.vs
	case allNode:
		vs = n.vs
	}
	for _, v := range vs {
		u, t := teamColumns(v.node)
		uuids, texts = uuids || u, texts || t
	}
	return uuids, texts
}

// probe is the condition that name is one of the teams.
//
// A uuid has no comma, and is as long as any other: where it stands in a bucket it is a
// team of its own. If there is no team there is no bucket either, and the length of the
// array is null, which is not what cardinality says. The planner would make a join of the
// other condition, and read every row of every team, if it did not stand below IS TRUE.
func (n teamsNode) probe(name string) string {
	if !n.uuids {
		return "(" + name + " IN (SELECT v FROM " + teamTextsPart + ")) IS TRUE"
	}
	const buckets = "(SELECT v FROM " + teamBucketsPart + ")"
	hash := "(get_byte(uuid_send(" + name + "), 3) # get_byte(uuid_send(" + name + "), 15))"
	return "strpos(" + buckets + "[1 + " + hash + " % array_length(" + buckets + ", 1)], CAST(" + name + " AS text)) > 0"
}

func (n teamsNode) part() (part, cast string) {
	if n.uuids {
		return teamUUIDsPart, "uuid"
	}
	return teamTextsPart, ""
}
