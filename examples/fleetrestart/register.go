package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/mosaicstack/fedkit/fleetlock"
	"github.com/mosaicstack/fedkit/fleetlock/etcdlock"
	"github.com/mosaicstack/fedkit/fleetlock/pglock"
)

// registerLease is the lease of a lock in a register, which must have one, unless the
// user says otherwise.
const registerLease = 10 * time.Second

// openLock returns the lock that the user asked for, and what closes its register.
func (a arguments) openLock(ctx context.Context) (*fleetlock.Lock, func() error, error) {
	if a.register == "" {
		return a.lock(), func() error { return nil }, nil
	}
	scheme, _, _ := strings.Cut(a.register, "://")
	open := a.openPostgres
	if scheme == "etcd" {
		open = a.openEtcd
	}
	register, done, err := open(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("the register cannot be used: %w", err)
	}
	if a.lease == 0 {
		a.lease = registerLease
	}
	return fleetlock.On(register, programName, a.lockOptions()...), done, nil
}

// registerMistake says what is wrong with the URL of a register; it is empty if nothing is.
func registerMistake(text string) string {
	u, err := url.Parse(text)
	switch {
	case text == "":
		return ""
	case err != nil:
		return "-register takes a URL" // which may hold a password
	case u.Scheme != "postgres" && u.Scheme != "postgresql" && u.Scheme != "etcd":
		return fmt.Sprintf("-register takes a URL of postgres or etcd, not of %q", u.Scheme)
	case u.Scheme == "etcd" && u.Host == "":
		return "-register takes an etcd URL with the addresses of the members, as in etcd://a:2379,b:2379"
	case u.Scheme == "etcd" && (u.RawQuery != "" || strings.Trim(u.Path, "/") != "" || u.Fragment != ""):
		return "-register takes an etcd URL with nothing behind the addresses; it does not speak TLS with etcd"
	}
	return ""
}

// openPostgres opens the register, and makes its table if it is not there and the user asks
// for more than to see it.
func (a arguments) openPostgres(ctx context.Context) (fleetlock.Register, func() error, error) {
	db, err := sql.Open("postgres", a.register)
	if err != nil {
		return nil, nil, err
	}
	cfg := pglock.Config{DB: db, Listen: a.register}
	register, err := pglock.New(ctx, cfg)
	switch {
	case !tableMissing(err):
	case a.status:
		err = fmt.Errorf("its table is missing, and -status does not make it: %w", err)
	default:
		register, err = makeTable(ctx, cfg)
	}
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return register, func() error { return errors.Join(register.Close(), db.Close()) }, nil
}

// tableMissing reports whether the error says that there is no such table.
func tableMissing(err error) bool {
	var answer *pq.Error
	return errors.As(err, &answer) && answer.Code == pqerror.UndefinedTable
}

// makeTable opens the register after it has made its table. If another restarter was
// faster in that, the table is there all the same.
func makeTable(ctx context.Context, cfg pglock.Config) (*pglock.Register, error) {
	ddl, _ := pglock.DDL("") // fails for a name of a schema only
	_, ddlErr := cfg.DB.ExecContext(ctx, ddl)
	register, err := pglock.New(ctx, cfg)
	if err != nil {
		return nil, errors.Join(ddlErr, err)
	}
	return register, nil
}

// openEtcd opens the register of a cluster whose members are the host of the URL, as the
// user that it names, if it names one.
func (a arguments) openEtcd(ctx context.Context) (fleetlock.Register, func() error, error) {
	u, err := url.Parse(a.register)
	if err != nil {
		return nil, nil, err
	}
	password, _ := u.User.Password()
	ctx, cancel := context.WithTimeout(ctx, registerLease)
	defer cancel()
	client, err := clientv3.New(clientv3.Config{
		Endpoints:            strings.Split(u.Host, ","),
		Username:             u.User.Username(),
		Password:             password,
		DialTimeout:          registerLease, // of the log-in
		DialKeepAliveTime:    6 * time.Second,
		DialKeepAliveTimeout: time.Second,
		Logger:               zap.NewNop(), // what fails shows in errors
	})
	if err != nil {
		return nil, nil, err
	}
	register, err := etcdlock.New(ctx, etcdlock.Config{Client: client})
	if err != nil {
		return nil, nil, errors.Join(err, client.Close())
	}
	return register, client.Close, nil
}
