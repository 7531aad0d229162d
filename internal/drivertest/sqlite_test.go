package drivertest

import (
	"net/url"
	"path/filepath"
	"testing"

	"modernc.org/sqlite"

	"github.com/mosaicstack/fedkit/internal/lawtest"
	"github.com/mosaicstack/fedkit/listquery"
)

// openSQLite opens an empty database in a file of its own. Readers and a writer
// work side by side in WAL mode; writers wait for each other.
func openSQLite(t *testing.T) lawtest.DB {
	t.Helper()
	dsn := url.URL{
		Scheme: "file",
		Path:   filepath.Join(t.TempDir(), "law.db"),
		RawQuery: url.Values{"_pragma": {
			"busy_timeout(20000)", "journal_mode(WAL)", "synchronous(OFF)",
		}}.Encode(),
	}
	return lawtest.NewDB(t, lawtest.Connector(&sqlite.Driver{}, dsn.String()), listquery.SQLite)
}

func TestStorageOnSQLite(t *testing.T) { lawtest.Storage(t, openSQLite) }

func TestGatewayOnSQLite(t *testing.T) { lawtest.Gateway(t, openSQLite) }
