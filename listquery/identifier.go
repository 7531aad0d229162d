package listquery

import (
	"fmt"
	"regexp"
	"strings"
)

// Names come from the host's code, not from requests. They are checked and quoted all
// the same, so that a typing error is found by Define and not by the database.
var (
	identifierPattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,62}$`)
	resourcePattern   = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)
)

// quoteLiteral returns value as an SQL string for squirrel, which takes a doubled
// question mark for a plain one. The backslash is an ordinary character in standard
// SQL but not in every setting of Postgres, so values with one are refused.
func quoteLiteral(value string) (string, error) {
	if strings.ContainsAny(value, "\\\x00") {
		return "", fmt.Errorf("value %q has a backslash or a NUL", value)
	}
	return "'" + strings.NewReplacer("'", "''", "?", "??").Replace(value) + "'", nil
}

// quoteColumn returns column, quoted, of the table that is known as alias.
func quoteColumn(alias, column string) (string, error) {
	if !identifierPattern.MatchString(column) {
		return "", fmt.Errorf("column %q is not an SQL name", column)
	}
	return alias + `."` + column + `"`, nil
}

// quoteTable returns table, quoted, with the schema before its dot, if any.
func quoteTable(table string) (string, error) {
	parts := strings.Split(table, ".")
	if len(parts) > 2 {
		return "", fmt.Errorf("table %q has more than a schema and a name", table)
	}
	for i, part := range parts {
		if !identifierPattern.MatchString(part) {
			return "", fmt.Errorf("table %q is not an SQL name", table)
		}
		parts[i] = `"` + part + `"`
	}
	return strings.Join(parts, "."), nil
}
