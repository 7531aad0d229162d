package chaos

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/scope"
)

// gatewayVariable makes the test binary a gateway: it holds the gateway's number.
const gatewayVariable = "FEDKIT_CHAOS_GATEWAY"

func TestMain(m *testing.M) {
	if number, is := os.LookupEnv(gatewayVariable); is {
		if err := serveGateway(number); err != nil {
			log.Fatal(err)
		}
		return
	}
	os.Exit(m.Run())
}

// serveGateway serves the rows of a gateway until its standard input ends, which it does
// when the test has.
func serveGateway(number string) error {
	n, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	handler, err := newHandler(rowsOf(n), nil)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	server, err := federation.NewServer(handler, 0)
	if err != nil {
		return err
	}
	go func() {
		io.Copy(io.Discard, os.Stdin)
		server.Close()
	}()
	if err := server.Serve(listener); err != http.ErrServerClosed {
		return err
	}
	return nil
}

// A row of a gateway. Few times make many ties, within a gateway and between two.
type row struct {
	micros int64
	id     cursor.UUID
}

const rowsPerGateway = 120

// rowsOf returns the rows of a gateway, newest first. They are the same in each process.
func rowsOf(gateway int) []row {
	rng := rand.New(rand.NewPCG(uint64(gateway), 1))
	rows := make([]row, rowsPerGateway)
	for i := range rows {
		rows[i].micros = 1_700_000_000_000_000 + rng.Int64N(80)
		rows[i].id[15] = byte(i)
		rows[i].id[14] = byte(rng.IntN(2)) // some ids are on other gateways, too
	}
	slices.SortFunc(rows, row.compare)
	return slices.CompactFunc(rows, func(a, b row) bool { return a.compare(b) == 0 })
}

// compare puts the newest first.
func (r row) compare(other row) int {
	if r.micros != other.micros {
		return int(other.micros - r.micros)
	}
	return strings.Compare(string(other.id[:]), string(r.id[:]))
}

// rowList is a federation.Lister of rows.
type rowList struct {
	rows   []row
	layout cursor.Layout
}

func (l rowList) Layout(resource string) (cursor.Layout, bool) { return l.layout, resource == "tasks" }

func (l rowList) List(_ context.Context, f scope.Filter, after cursor.Position) ([]json.RawMessage, cursor.Position, error) {
	start := 0
	if after != nil {
		at := row{after[0].Time().UnixMicro(), after[1].UUID()}
		found := false
		if start, found = slices.BinarySearchFunc(l.rows, at, row.compare); found {
			start++
		}
	}
	end := min(start+f.Limit, len(l.rows))
	var page []json.RawMessage
	for _, r := range l.rows[start:end] {
		at := time.UnixMicro(r.micros).UTC().Format(time.RFC3339Nano)
		page = append(page, fmt.Appendf(nil, `{"id":"%s","createdAt":"%s","title":"%s"}`, r.id, at, strings.Repeat("x", 200)))
	}
	if end == len(l.rows) {
		return page, nil, nil
	}
	last := l.rows[end-1]
	return page, cursor.Position{cursor.TimeValue(time.UnixMicro(last.micros)), cursor.UUIDValue(last.id)}, nil
}

// newHandler returns the handler of a gateway, which lets everybody in.
func newHandler(rows []row, fanOut *federation.FanOut) (http.Handler, error) {
	layout, err := cursor.NewLayout("tasks", cursor.Field{Kind: cursor.KindTime}, cursor.Field{Kind: cursor.KindUUID})
	if err != nil {
		return nil, err
	}
	granted, err := scope.Parse(scope.Standard(), []byte(`{"resources":["tasks"],"max_rows_per_query":60}`))
	if err != nil {
		return nil, err
	}
	rules, err := scope.NewRules(scope.Config{Registry: scope.Standard(), Native: everything{}})
	if err != nil {
		return nil, err
	}
	codec, err := cursor.New(cursor.Config{Keys: keys()})
	if err != nil {
		return nil, err
	}
	grant := scope.Grant{ID: "grant-1", Subject: "user-1", Scope: granted}
	return federation.NewHandler(federation.Config{
		Authenticator: letIn{grant}, Evaluator: rules, Lister: rowList{rows, layout}, Cursors: codec, FanOut: fanOut, Timeout: 2 * time.Minute,
	})
}

func keys() *cursor.Keyring {
	ring, err := cursor.NewKeyring([]byte(strings.Repeat("k", 32)))
	if err != nil {
		panic(err)
	}
	return ring
}

type letIn struct{ grant scope.Grant }

func (l letIn) Authenticate(*http.Request) (scope.Grant, error) { return l.grant, nil }

type everything struct{}

func (everything) ReadAccess(context.Context, scope.AccessRequest) (scope.Access, error) {
	return scope.Access{Allowed: true, Personal: true}, nil
}

// A process is a gateway in a process of its own.
type process struct {
	cmd     *exec.Cmd
	stdin   io.Closer
	address string
}

func startGateway(tb testing.TB, number int) *process {
	tb.Helper()
	program, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), gatewayVariable+"="+strconv.Itoa(number))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	p := &process{cmd: cmd, stdin: stdin}
	tb.Cleanup(p.kill)
	address, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		tb.Fatalf("the gateway %d does not start: %v", number, err)
	}
	p.address = strings.TrimSpace(address)
	return p
}

// kill ends the process at once, whatever it does. It may be called again.
func (p *process) kill() {
	if p.cmd.ProcessState == nil {
		p.cmd.Process.Kill()
		p.cmd.Wait()
	}
}
