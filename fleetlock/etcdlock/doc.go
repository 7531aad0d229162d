// Package etcdlock keeps locks of package fleetlock in etcd, for fleets that share one, or
// whose lock must go on when any one server dies. It is a module of its own, because of
// what etcd's client needs.
//
//	client, err := clientv3.New(clientv3.Config{
//		Endpoints:            endpoints,
//		DialKeepAliveTime:    6 * time.Second, // or a member that hangs is asked again and
//		DialKeepAliveTimeout: time.Second,     // again; servers refuse less than 5 seconds
//	})
//	if err != nil {
//		return err
//	}
//	defer client.Close()
//	register, err := etcdlock.New(ctx, etcdlock.Config{Client: client})
//	if err != nil {
//		return err
//	}
//	lock := fleetlock.On(register, "restart", fleetlock.Lease(10*time.Second))
//
// A lock is a key, and each transition one transaction that compares the key's mod
// revision. Each term of the record, of one who holds or waits, names a lease of etcd, and
// each lease has a key that shows that it lives. Client and lease go together: the next
// term of a client runs on the lease of its last one, whose key is there. So an acquisition
// and a release that nobody disputes cost one entry of etcd's log each, which is what
// etcd's own concurrency.Mutex costs on a session that was made before. The first one of a
// client, one in a hundred after it, and one after a pause that is longer than the lease ask
// for a lease before.
//
// # Time
//
// When a term is over is found out in two ways. Who has known the term for its
// whole length, by a clock of its own, without seeing it begin again, knows that it is
// over: that does not depend on etcd's clocks, and an election in between costs nothing.
// For those who come later, etcd ends the lease and deletes its key. That takes up to
// two seconds longer, because leases have whole seconds, and as much again as the lease
// when a new leader is elected meanwhile.
//
// A holder's deadline is neither: it is three quarters of its lease after it sent its
// last renewal, by its own clock, whatever etcd says.
//
// # Tokens
//
// A token is one above the revision that the lock was seen at, or above the token
// before it. It is never above the revision of its grant, so tokens rise even if the
// keys are deleted. They start again only if etcd's revisions do: restore a snapshot with
// etcdutl's --bump-revision.
//
// # Partitions
//
// A member that is cut off from the majority answers nothing here: all reads are
// linearizable. A client that reaches only such a member is cut off, and its holders give
// up at their deadlines.
package etcdlock
