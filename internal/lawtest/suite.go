package lawtest

import "testing"

// trial is one subtest of a suite. It opens as many databases as it needs.
type trial struct {
	name string
	run  func(t *testing.T, open Open)
}

// Storage runs everything that listquery must keep on a real database.
func Storage(t *testing.T, open Open) {
	run(t, open, []trial{
		{"the seed", seedStorage},
		{"finding", storageFindings},
		{"law 1 pages concatenated are the one big query", lawOfPages},
		{"law 2 a row visible throughout appears exactly once", lawOfConcurrency},
		{"law 3 a restriction never adds a row", lawOfRestriction},
		{"a store", storeTrials},
		{"get", getTrials},
		{"a resource of the host", resourceTrials},
		{"a schema of the host", schemaTrials},
	})
}

// Gateway runs everything that federation's handler must keep in front of a
// store on a real database.
func Gateway(t *testing.T, open Open) {
	run(t, open, []trial{
		{"the seed", seedGateway},
		{"finding", gatewayFindings},
		{"laws 1 and 2 hold over HTTP", lawOfPagesOverHTTP},
		{"law 4 invisible rows leave no trace", lawOfInvisibility},
		{"law 5 hostile input costs no statement", lawOfHostility},
		{"law 6 a cursor is bound to its query", lawOfBinding},
		{"law 7 every changed cursor is refused", lawOfCanonicity},
		{"law 8 no failure of a part becomes an allow", lawOfFailure},
		{"get", lawOfGet},
		{"the audit", auditTrials},
		{"a peer that does not read holds no connection", stalledPeers},
		{"law 9 nothing on the wire names an inner thing", lawOfSilence},
	})
}

// run plays the trials side by side.
func run(t *testing.T, open Open, trials []trial) {
	t.Helper()
	for _, trial := range trials {
		t.Run(trial.name, func(t *testing.T) {
			t.Parallel()
			trial.run(t, open)
		})
	}
}
