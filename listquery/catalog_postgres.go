package listquery

import (
	"context"
	"fmt"
	"strings"

	"github.com/lib/pq"
)

// postgresCatalog reads pg_class, pg_attribute, pg_type and pg_index. A partitioned table
// has an entry of its own for each index that all its partitions have. It does not know
// which columns of a materialized view can be null.
type postgresCatalog struct{ db Querier }

func (c postgresCatalog) table(ctx context.Context, name string) (*tableInfo, error) {
	quoted, err := quoteTable(name)
	if err != nil {
		return nil, err
	}
	info := new(tableInfo)
	found := false
	err = c.each(ctx, func(scan func(...any) error) error {
		found = true
		return scan(&info.view, (*pq.StringArray)(&info.columns), (*pq.StringArray)(&info.nullable), (*pq.StringArray)(&info.untexted))
	}, `SELECT c.relkind NOT IN ('r', 'p', 'm'),
			array(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
			array(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attnotnull AND c.relkind <> 'm'),
			array(SELECT a.attname::text FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
				WHERE a.attrelid = c.oid AND a.attnum > 0 AND t.typcategory <> 'S')
		FROM pg_class c WHERE c.oid = to_regclass($1)`, quoted)
	if err != nil || !found {
		return nil, err
	}
	info.indexes, err = c.indexes(ctx, quoted)
	return info, err
}

// indexes lists the B-trees of a table by their columns, up to the first one that
// statements cannot look up: an expression, or one with an operator class or collation
// other than the column's own. The bits of indoption are DESC and NULLS FIRST: an order
// as ORDER BY has it by default has both or none.
func (c postgresCatalog) indexes(ctx context.Context, quoted string) ([]indexInfo, error) {
	var indexes []indexInfo
	err := c.each(ctx, func(scan func(...any) error) error {
		var i indexInfo
		var names pq.StringArray
		var options pq.Int64Array
		if err := scan(&i.name, &i.invalid, &i.condition, &names, &options); err != nil {
			return err
		}
		for n, name := range names {
			option := options[n]
			i.columns = append(i.columns, indexColumn{name: name, descending: option&1 != 0, unordered: option != 0 && option != 3})
		}
		indexes = append(indexes, i)
		return nil
	}, `SELECT i.indexrelid::regclass::text, NOT (i.indisvalid AND i.indisready), coalesce(pg_get_expr(i.indpred, i.indrelid), ''),
			array(SELECT CASE WHEN o.opcdefault AND i.indcollation[n] = a.attcollation THEN a.attname::text ELSE '' END
				FROM generate_series(0, i.indnkeyatts - 1) n
				LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[n] AND i.indkey[n] > 0
				LEFT JOIN pg_opclass o ON o.oid = i.indclass[n] ORDER BY n),
			array(SELECT i.indoption[n]::bigint FROM generate_series(0, i.indnkeyatts - 1) n ORDER BY n)
		FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam
		WHERE i.indrelid = to_regclass($1) AND m.amname = 'btree' ORDER BY 1`, quoted)
	return indexes, err
}

// normal has Postgres explain a statement with the condition. It is explained in the
// words of pg_get_expr, with the table's name before each column.
func (c postgresCatalog) normal(ctx context.Context, table, condition string) (string, error) {
	quoted, err := quoteTable(table)
	if err != nil {
		return "", err
	}
	const output = "Output: "
	normal := ""
	err = c.each(ctx, func(scan func(...any) error) error {
		var line string
		if err := scan(&line); err != nil {
			return err
		}
		if _, expression, ok := strings.Cut(line, output); ok && normal == "" {
			normal = strings.ReplaceAll(expression, "t0.", "")
		}
		return nil
	}, fmt.Sprintf("EXPLAIN (VERBOSE, COSTS OFF) SELECT (%s) FROM %s AS t0 WHERE false", condition, quoted))
	return normal, err
}

// each runs a statement and calls f for its rows.
func (c postgresCatalog) each(ctx context.Context, f func(scan func(...any) error) error, query string, args ...any) error {
	return eachRow(ctx, c.db, f, query, args...)
}

func eachRow(ctx context.Context, db Querier, f func(scan func(...any) error) error, query string, args ...any) error {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
