//go:build unix

package etcdlock_test

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"
)

// A member is one server of a cluster, in a process of its own: this test binary, run
// again with memberVariable set.
type member struct {
	name, dir         string
	client, peer      string // URLs
	cluster, newState string
	process           *exec.Cmd
	commands          io.WriteCloser
}

const memberVariable = "ETCDLOCK_MEMBER"

// beMember runs a member until standard input ends, as it does when the test dies.
func beMember() error {
	args := strings.Split(os.Getenv(memberVariable), " ")
	name, dir, client, peer, cluster, state := args[0], args[1], args[2], args[3], args[4], args[5]
	cfg := embed.NewConfig()
	cfg.Name, cfg.Dir, cfg.InitialCluster, cfg.ClusterState = name, dir, cluster, state
	cfg.LogLevel, cfg.LogOutputs = "panic", []string{"stderr"}
	cfg.TickMs, cfg.ElectionMs = 100, 1500 // a busy machine must not end every term
	cfg.UnsafeNoFsync = true               // what is tested is a process that dies and no power failure
	for _, place := range []struct {
		listen, advertise *[]url.URL
		at                string
	}{{&cfg.ListenClientUrls, &cfg.AdvertiseClientUrls, client}, {&cfg.ListenPeerUrls, &cfg.AdvertisePeerUrls, peer}} {
		u, err := url.Parse(place.at)
		if err != nil {
			return err
		}
		*place.listen, *place.advertise = []url.URL{*u}, []url.URL{*u}
	}
	e, err := embed.StartEtcd(cfg)
	if err != nil {
		return err
	}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		for _, other := range e.Server.Cluster().Members() {
			switch {
			case other.ID == e.Server.MemberID():
			case in.Text() == "cut":
				e.Server.CutPeer(other.ID)
			case in.Text() == "mend":
				e.Server.MendPeer(other.ID)
			}
		}
	}
	os.Exit(0)
	return nil
}

// start begins the process, and does not wait for a majority.
func (m *member) start(tb testing.TB) {
	tb.Helper()
	self, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	m.process = exec.Command(self)
	m.process.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s %s %s %s %s", memberVariable, m.name, m.dir, m.client, m.peer, m.cluster, m.newState))
	m.process.Stderr = os.Stderr
	if m.commands, err = m.process.StdinPipe(); err != nil {
		tb.Fatal(err)
	}
	if err := m.process.Start(); err != nil {
		tb.Fatal(err)
	}
	m.newState = "existing"
}

func (m *member) signal(tb testing.TB, s syscall.Signal) {
	tb.Helper()
	if err := m.process.Process.Signal(s); err != nil {
		tb.Errorf("member %s: %v", m.name, err)
	}
}

func (m *member) pause(tb testing.TB)  { m.signal(tb, syscall.SIGSTOP) }
func (m *member) resume(tb testing.TB) { m.signal(tb, syscall.SIGCONT) }

func (m *member) kill(tb testing.TB) {
	m.signal(tb, syscall.SIGKILL)
	_ = m.process.Wait()
}

func (m *member) command(tb testing.TB, line string) {
	tb.Helper()
	if _, err := fmt.Fprintln(m.commands, line); err != nil {
		tb.Errorf("member %s: %v", m.name, err)
	}
}

// A cluster has three members.
type cluster struct {
	members   []*member
	endpoints []string
}

func startCluster(tb testing.TB) *cluster {
	tb.Helper()
	dir, err := os.MkdirTemp("", "etcdlock")
	if err != nil {
		tb.Fatal(err)
	}
	c := new(cluster)
	tb.Cleanup(func() {
		for _, m := range c.members {
			if m.process != nil {
				_ = m.process.Process.Kill()
				_ = m.process.Wait()
			}
		}
		_ = os.RemoveAll(dir)
	})
	var peers []string
	for i := range 3 {
		m := &member{name: fmt.Sprintf("m%d", i), client: freeURL(tb), peer: freeURL(tb), newState: "new"}
		m.dir = filepath.Join(dir, m.name)
		c.members = append(c.members, m)
		c.endpoints = append(c.endpoints, m.client)
		peers = append(peers, m.name+"="+m.peer)
	}
	for _, m := range c.members {
		m.cluster = strings.Join(peers, ",")
		m.start(tb)
	}
	return c
}

// freeURL has an address of its own: nothing that connects to 127.0.0.1, or is bound to it,
// takes the port before the member does, or while the member is down.
func freeURL(tb testing.TB) string {
	tb.Helper()
	host := "127.0.0.1"
	if runtime.GOOS == "linux" { // where all of 127.0.0.0/8 is there
		host = fmt.Sprintf("127.%d.%d.%d", 1+rand.N(254), rand.N(256), 1+rand.N(254))
	}
	l, err := net.Listen("tcp", host+":0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String()
}

func newClient(endpoints []string) (*clientv3.Client, error) {
	return clientv3.New(clientv3.Config{
		Endpoints: endpoints, Logger: zap.NewNop(), DialTimeout: patience, DialKeepAliveTime: 6 * time.Second, DialKeepAliveTimeout: time.Second,
	})
}
