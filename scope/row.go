package scope

// row is a row of the decision table, by the number that it has in docs/federation.md.
// Rows 1 to 4 and 16 onwards belong to the transport; row 10 clamps a limit and
// decides nothing.
type row uint8

const (
	rowUndecided   row = 0
	rowScope       row = 5
	rowRegistry    row = 6
	rowExcluded    row = 7
	rowNotGranted  row = 8
	rowLimit       row = 9
	rowCheck       row = 11
	rowUnavailable row = 12
	rowDenied      row = 13
	rowNone        row = 14
	rowSome        row = 15
)

// rows says for each row in which stage it stands, which code it denies with,
// and how many of the stages a request has passed by then.
var rows = [...]struct {
	stage  Stage
	code   Code // rowCheck has the code that Request.Check gave
	passed int
}{
	rowUndecided:   {StageUndecided, CodeUndecided, 0},
	rowScope:       {StageScopeParse, CodeInvalidScope, 0},
	rowRegistry:    {StageResourceAllowlist, CodeInvalidResource, 1},
	rowExcluded:    {StageResourceExclusion, CodeResourceExcluded, 1},
	rowNotGranted:  {StageResourceAllowlist, CodeResourceNotGranted, 2},
	rowLimit:       {StageRowCap, CodeInvalidLimit, 3},
	rowCheck:       {StageCursor, "", 4},
	rowUnavailable: {StageNativeRBAC, CodeNativeUnavailable, 5},
	rowDenied:      {StageNativeRBAC, CodeNativeDenied, 5},
	rowNone:        {StageIntersect, "", 6},
	rowSome:        {StageIntersect, "", 6},
}

// stages are in the order in which a request leaves them behind. The allowlist
// comes second to the exclusion because only its second row completes it.
var stages = [...]Stage{
	StageScopeParse,
	StageResourceExclusion,
	StageResourceAllowlist,
	StageRowCap,
	StageCursor,
	StageNativeRBAC,
	StageIntersect,
}

func (r row) stage() Stage { return rows[r].stage }

// passed returns the stages that the request had passed.
func (r row) passed() []Stage { return stages[:rows[r].passed] }
