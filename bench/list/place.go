package main

import (
	"context"
	"database/sql"
	"errors"
	"net/url"

	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/mosaicstack/fedkit/listquery"
)

// A mode is how statements are run; it is the same for all contenders.
type mode uint8

const (
	prepared   mode = iota // once for each connection, which is what listquery recommends
	unprepared             // planned for each page
	generic                // prepared, and planned for no particular arguments
)

// A place is a world, the one connection to it of a mode, and the contenders there.
type place struct {
	db         *sql.DB
	mode       mode
	statements map[string]*sql.Stmt

	plain   library // that takes the filter's word for the teams
	members library // that holds them to the table of memberships
	gorm    *gorm.DB
}

func newPlace(dsn string, m mode) (*place, error) {
	dsn = with(dsn, "timezone", "UTC")
	if m == generic {
		dsn = with(dsn, "plan_cache_mode", "force_generic_plan")
	}
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	p := &place{db: db, mode: m, statements: make(map[string]*sql.Stmt)}
	if err := p.furnish(); err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

// furnish makes the contenders that are libraries.
func (p *place) furnish() (err error) {
	if p.plain, err = newLibrary(p.db, listquery.Schema{}, p.mode != unprepared); err != nil {
		return err
	}
	if p.members, err = newLibrary(p.db, listquery.Schema{TeamsOfMembersOnly: true}, p.mode != unprepared); err != nil {
		return err
	}
	// The same driver as the others have.
	dialect := postgres.New(postgres.Config{Conn: p.db})
	p.gorm, err = gorm.Open(dialect, &gorm.Config{PrepareStmt: p.mode != unprepared, Logger: logger.Discard})
	return err
}

func (p *place) close() error { return p.db.Close() }

// query runs a statement that is written by hand.
func (p *place) query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	if p.mode == unprepared {
		return p.db.QueryContext(ctx, text, args...)
	}
	s := p.statements[text]
	if s == nil {
		var err error
		if s, err = p.db.PrepareContext(ctx, text); err != nil {
			return nil, err
		}
		p.statements[text] = s
	}
	return s.QueryContext(ctx, args...)
}

// strings runs a statement that selects one column.
func (p *place) strings(ctx context.Context, text string, args ...any) ([]string, error) {
	rows, err := p.query(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var values []string
	for rows.Next() {
		var v string
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	return values, rows.Err()
}

// with sets a parameter of a data source name.
func with(dsn, name, value string) string {
	u, err := url.Parse(dsn)
	if err != nil || u.Scheme == "" {
		return dsn + " " + name + "=" + value
	}
	query := u.Query()
	query.Set(name, value)
	u.RawQuery = query.Encode()
	return u.String()
}
