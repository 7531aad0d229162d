package chaos

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// A fault is what a proxy does to a connection in place of passing it on. It returns when
// the connection is of no more use.
type fault func(p *proxy, client net.Conn)

// A proxy stands before a gateway and passes connections on, or spoils them.
type proxy struct {
	listener net.Listener

	mu     sync.Mutex
	target string
	fault  fault // nil: pass on
	open   map[net.Conn]bool
	closed bool
	hit    int // connections that were spoiled
}

func newProxy(tb testing.TB, target string) *proxy {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	p := &proxy{listener: listener, target: target, open: make(map[net.Conn]bool)}
	var serving sync.WaitGroup
	serving.Go(func() { p.serve(&serving) })
	tb.Cleanup(func() {
		listener.Close()
		p.become(nil)
		p.mu.Lock()
		p.closed = true
		p.mu.Unlock()
		p.become(nil)
		serving.Wait()
	})
	return p
}

func (p *proxy) url() string { return "http://" + p.listener.Addr().String() }

// become changes what happens to connections, and ends those that are open.
func (p *proxy) become(f fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault, p.hit = f, 0
	for conn := range p.open {
		conn.Close()
	}
	clear(p.open)
}

// spoiled tells if a connection was spoiled since the last change.
func (p *proxy) spoiled() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.hit > 0
}

// point makes the proxy stand before another process.
func (p *proxy) point(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
}

func (p *proxy) serve(serving *sync.WaitGroup) {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		now := p.fault
		if p.closed {
			client.Close()
		}
		p.open[client] = true
		if now != nil {
			p.hit++
		}
		p.mu.Unlock()
		serving.Go(func() {
			defer p.forget(client)
			if now == nil {
				now = pass
			}
			now(p, client)
		})
	}
}

func (p *proxy) forget(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, conn)
	conn.Close()
}

// dial connects to the gateway, or returns nil.
func (p *proxy) dial() net.Conn {
	p.mu.Lock()
	target := p.target
	p.mu.Unlock()
	server, err := net.Dial("tcp", target)
	if err != nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		server.Close()
		return nil
	}
	p.open[server] = true
	return server
}

// pass passes a connection on.
func pass(p *proxy, client net.Conn) { p.relay(client, client) }

// relay passes on what the client says, and what the gateway says into another writer.
func (p *proxy) relay(client net.Conn, answer io.Writer) {
	server := p.dial()
	if server == nil {
		return
	}
	defer p.forget(server)
	var back sync.WaitGroup
	back.Go(func() {
		io.Copy(answer, server)
		client.Close()
	})
	io.Copy(server, client)
	server.Close()
	back.Wait()
}

// late passes a connection on, each piece of the answer after a while.
func late(wait time.Duration) fault {
	return func(p *proxy, client net.Conn) {
		p.relay(client, writerFunc(func(b []byte) (int, error) {
			time.Sleep(wait)
			return client.Write(b)
		}))
	}
}

// cutAfter passes that many bytes of the answers on and closes the connection; with a
// reset it does so as a crash would.
func cutAfter(most int, reset bool) fault {
	return func(p *proxy, client net.Conn) {
		sent := 0
		p.relay(client, writerFunc(func(b []byte) (int, error) {
			n, err := client.Write(b[:min(len(b), most-sent)])
			if sent += n; err == nil && sent == most {
				if tcp, is := client.(*net.TCPConn); is && reset {
					tcp.SetLinger(0)
				}
				client.Close()
				err = io.ErrClosedPipe
			}
			return n, err
		}))
	}
}

// resetAtOnce resets the connection without reading from it.
func resetAtOnce(_ *proxy, client net.Conn) { client.(*net.TCPConn).SetLinger(0) }

// halfOpen takes what comes and says nothing.
func halfOpen(_ *proxy, client net.Conn) { io.Copy(io.Discard, client) }

// slowly answers with a byte at a time, and never ends.
func slowly(_ *proxy, client net.Conn) {
	readRequest(client)
	io.WriteString(client, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"items\":[")
	for {
		if _, err := io.WriteString(client, " "); err != nil {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// slowHeader is slowly within the header.
func slowHeader(_ *proxy, client net.Conn) {
	readRequest(client)
	io.WriteString(client, "HTTP/1.1 200 OK\r\nX: ")
	for {
		if _, err := io.WriteString(client, "x"); err != nil {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// huge answers with 1 GB.
func huge(announced bool) fault {
	return func(p *proxy, client net.Conn) {
		readRequest(client)
		io.WriteString(client, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
		if announced {
			io.WriteString(client, "Content-Length: 1000000000\r\n")
		}
		io.WriteString(client, "\r\n{\"items\":[")
		filler := bytes.Repeat([]byte(" "), 64<<10)
		for range 1_000_000_000 / len(filler) {
			if _, err := client.Write(filler); err != nil {
				return
			}
		}
	}
}

// answering answers every request with that body.
func answering(status int, body string) fault {
	return func(_ *proxy, client net.Conn) {
		for readRequest(client) == nil {
			fmt.Fprintf(client, "HTTP/1.1 %d Status\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body)
		}
	}
}

// rewriting passes answers on with a text in place of another one of equal length.
func rewriting(old, new string) fault {
	return func(p *proxy, client net.Conn) {
		p.relay(client, writerFunc(func(b []byte) (int, error) {
			return client.Write([]byte(strings.ReplaceAll(string(b), old, new)))
		}))
	}
}

// readRequest reads a request whose body is one small JSON object.
func readRequest(client net.Conn) error {
	var read []byte
	piece := make([]byte, 4<<10)
	for !bytes.Contains(read, []byte("\r\n\r\n")) || !bytes.HasSuffix(bytes.TrimSpace(read), []byte("}")) {
		n, err := client.Read(piece)
		if err != nil {
			return err
		}
		read = append(read, piece[:n]...)
	}
	return nil
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }
