package listquery

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/mosaicstack/fedkit/scope"
)

var (
	// ErrUnknownResource is a resource that the store does not list.
	ErrUnknownResource = errors.New("listquery: unknown resource")

	// ErrPosition is a position that does not fit the resource's layout. One out of a
	// cursor that was bound to the layout always fits.
	ErrPosition = errors.New("listquery: position does not fit the order")

	// ErrClosed is a page, a row or an access that was asked of a store after its Close.
	ErrClosed = errors.New("listquery: the store is closed")

	// ErrLimit is a limit below 1 or above MaxLimit.
	ErrLimit = errors.New("listquery: limit out of range")
)

// failure says what a database error means to the caller, and what was being done. The
// driver's error stays in the chain for the host's log.
//
// Drivers report a cancelled statement in words of their own (Postgres' 57014); the
// error then matches ctx.Err() as well. A database out of reach matches
// scope.ErrUnavailable.
func failure(ctx context.Context, doing string, err error) error {
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("listquery: %s: %w: %w", doing, ctx.Err(), err)
	case outOfReach(err):
		return fmt.Errorf("listquery: %s: %w: %w", doing, scope.ErrUnavailable, err)
	}
	return fmt.Errorf("listquery: %s: %w", doing, err)
}

// outOfReach tells a database that cannot answer now from one that cannot answer this.
func outOfReach(err error) bool {
	var network net.Error
	var postgres interface{ SQLState() string }
	var sqlite interface{ Code() int }
	switch {
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.As(err, &network):
		return true
	case errors.As(err, &postgres):
		return postgresOutOfReach(postgres.SQLState())
	case errors.As(err, &sqlite):
		return sqliteOutOfReach(sqlite.Code())
	}
	return false
}

// postgresOutOfReach reads an SQLSTATE, see appendix A of the PostgreSQL manual.
func postgresOutOfReach(state string) bool {
	if len(state) != 5 {
		return false
	}
	switch state[:2] {
	case "08", "53", "58": // connection exception, insufficient resources, system error
		return true
	case "40": // transaction rollback: a deadlock, or others' changes; or a standby must go on
		return true
	}
	switch state {
	case "57P01", "57P02", "57P03", "57P04", "57P05", // shutting down, crashed, starting up, dropped, idle too long
		"57014", "55P03", // statement_timeout or an operator, lock_timeout
		"25P03", "25P04": // the host's transaction was idle, or open, for too long
		return true
	}
	return false
}

// sqliteOutOfReach reads a result code, see https://www.sqlite.org/rescode.html.
func sqliteOutOfReach(code int) bool {
	const busy, locked, ioError, cannotOpen = 5, 6, 10, 14
	switch code & 0xff {
	case busy, locked, ioError, cannotOpen:
		return true
	}
	return false
}
