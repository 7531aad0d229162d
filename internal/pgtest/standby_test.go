package pgtest

import "testing"

func TestAPromotedStandbyHasWhatCameFromItsPrimaryAndTakesWrites(t *testing.T) {
	t.Parallel()
	primary := NewCluster(t)
	db := open(t, primary.DSN())
	if _, err := db.Exec("CREATE TABLE things (id int); INSERT INTO things VALUES (7)"); err != nil {
		t.Fatal(err)
	}
	standby := primary.NewStandby(t)
	if _, err := open(t, standby.DSN()).Exec("INSERT INTO things VALUES (8)"); err == nil {
		t.Error("a standby takes writes")
	}
	either := open(t, PrimaryDSN(standby, primary))
	if _, err := either.Exec("INSERT INTO things VALUES (9)"); err != nil {
		t.Errorf("the primary is not found: %v", err)
	}
	if err := db.Close(); err != nil { // which complains once its server is gone
		t.Error(err)
	}
	primary.Kill(t)
	standby.Promote(t)
	var id int
	if err := either.QueryRow("INSERT INTO things VALUES (10) RETURNING (SELECT min(id) FROM things)").Scan(&id); err != nil || id != 7 {
		t.Errorf("the promoted standby reads %d, %v", id, err)
	}
}
