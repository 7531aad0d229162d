package listquery

import (
	"context"
	"strings"
)

// sqliteCatalog reads the pragmas of tables and indexes as tables.
type sqliteCatalog struct{ db Querier }

func (c sqliteCatalog) table(ctx context.Context, name string) (*tableInfo, error) {
	schema, table, qualified := strings.Cut(name, ".")
	if !qualified {
		schema, table = "main", name
	}
	info := new(tableInfo)
	var keys []string
	err := eachRow(ctx, c.db, func(scan func(...any) error) error {
		var column, kind string
		var key int
		var nullable bool
		if err := scan(&column, &kind, &key, &nullable); err != nil {
			return err
		}
		info.columns = append(info.columns, column)
		if nullable {
			info.nullable = append(info.nullable, column)
		}
		if key > 0 && strings.EqualFold(kind, "INTEGER") {
			keys = append(keys, column)
		}
		return nil
	}, `SELECT name, type, pk, NOT "notnull" AND NOT pk FROM pragma_table_info(?, ?)`, table, schema)
	if err != nil || len(info.columns) == 0 {
		return nil, err
	}
	if len(keys) == 1 { // the rowid, by which the table itself is sorted
		info.indexes = append(info.indexes, indexInfo{name: "rowid", columns: []indexColumn{{name: keys[0]}}})
	}
	return info, c.addIndexes(ctx, info, schema, table)
}

func (c sqliteCatalog) addIndexes(ctx context.Context, info *tableInfo, schema, table string) error {
	err := eachRow(ctx, c.db, func(scan func(...any) error) error {
		var i indexInfo
		var sql string
		if err := scan(&i.name, &sql); err != nil {
			return err
		}
		if _, condition, partial := strings.Cut(spaced(sql), ") WHERE "); partial {
			i.condition = plain(condition)
		}
		info.indexes = append(info.indexes, i)
		return nil
	}, "SELECT l.name, coalesce((SELECT sql FROM "+quoteName(schema)+".sqlite_master m WHERE m.type = 'index' AND m.name = l.name), '') FROM pragma_index_list(?, ?) l ORDER BY l.name", table, schema)
	if err != nil {
		return err
	}
	for n := range info.indexes {
		i := &info.indexes[n]
		if i.columns != nil {
			continue
		}
		if err := c.addColumns(ctx, i, schema); err != nil {
			return err
		}
	}
	return eachRow(ctx, c.db, func(scan func(...any) error) error { return scan(&info.view) },
		"SELECT type = 'view' FROM "+quoteName(schema)+".sqlite_master WHERE name = ?", table)
}

func (c sqliteCatalog) addColumns(ctx context.Context, i *indexInfo, schema string) error {
	return eachRow(ctx, c.db, func(scan func(...any) error) error {
		var column indexColumn
		if err := scan(&column.name, &column.descending); err != nil {
			return err
		}
		i.columns = append(i.columns, column)
		return nil
	}, `SELECT coalesce(name, ''), "desc" FROM pragma_index_xinfo(?, ?) WHERE key ORDER BY seqno`, i.name, schema)
}

// normal is the condition as it would stand in the index, but for quotes and spaces.
func (c sqliteCatalog) normal(_ context.Context, _, condition string) (string, error) {
	return plain(condition), nil
}

// spaced writes all white space as single spaces and keywords as they are compared.
func spaced(sql string) string {
	sql = strings.Join(strings.Fields(sql), " ")
	return strings.NewReplacer(") where ", ") WHERE ", ") Where ", ") WHERE ", ")WHERE ", ") WHERE ").Replace(sql)
}

// plain is SQL without the quotes of names.
func plain(sql string) string {
	return strings.TrimSuffix(strings.NewReplacer(`"`, "", "`", "").Replace(spaced(sql)), ";")
}
