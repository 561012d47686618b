// Go's crypto/tls as a peer. The lines it is told: peers/scripted.rs.
package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
)

const chunk = 16 * 1024

var mutex sync.Mutex

func say(format string, args ...any) {
	mutex.Lock()
	defer mutex.Unlock()
	fmt.Println(strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", " "))
}

func number(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

var suites = func() map[string]uint16 {
	all := map[string]uint16{}
	for _, s := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		all[s.Name] = s.ID
	}
	return all
}()

var groups = map[string]tls.CurveID{
	"x25519": tls.X25519, "secp256r1": tls.CurveP256, "secp384r1": tls.CurveP384, "secp521r1": tls.CurveP521,
}

func config(o map[string]string) (*tls.Config, *x509.CertPool, error) {
	version := uint16(tls.VersionTLS12)
	if o["version"] == "1.3" {
		version = tls.VersionTLS13
	}
	c := &tls.Config{MinVersion: version, MaxVersion: version, SessionTicketsDisabled: o["tickets"] == "no"}
	pem, err := os.ReadFile(o["ca"])
	if err != nil {
		return nil, nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	if o["alpn"] != "" {
		c.NextProtos = strings.Split(o["alpn"], ",")
	}
	if o["cert"] != "" {
		cert, err := tls.LoadX509KeyPair(o["cert"], o["key"])
		if err != nil {
			return nil, nil, err
		}
		c.Certificates = []tls.Certificate{cert}
	}
	return c, pool, nil
}

func serve(o map[string]string) (net.Listener, error) {
	c, pool, err := config(o)
	if err != nil {
		return nil, err
	}
	c.ClientCAs = pool
	c.ClientAuth = map[string]tls.ClientAuthType{
		"no": tls.NoClientCert, "request": tls.VerifyClientCertIfGiven, "require": tls.RequireAndVerifyClientCert,
	}[o["auth"]]
	for _, id := range suites {
		c.CipherSuites = append(c.CipherSuites, id)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	go func() {
		for {
			raw, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				if err := serveOne(tls.Server(raw, c), raw, o); err != nil {
					say("log served with %v", err)
				}
			}()
		}
	}()
	say("listening %d", listener.Addr().(*net.TCPAddr).Port)
	return listener, nil
}

func serveOne(conn *tls.Conn, raw net.Conn, o map[string]string) error {
	defer raw.Close()
	raw.SetDeadline(time.Now().Add(20 * time.Second))
	buffer := make([]byte, chunk)
	total := 0
	for !(total >= number(o["bytes"]) && o["end"] != "client") {
		n, err := conn.Read(buffer)
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if _, err := conn.Write(buffer[:n]); err != nil {
			return err
		}
		total += n
	}
	if o["end"] == "cut" {
		return nil
	}
	if err := conn.CloseWrite(); err != nil {
		return err
	}
	if o["end"] == "server" {
		if _, err := conn.Read(buffer); err != io.EOF {
			return fmt.Errorf("where the end was due: %v", err)
		}
	}
	return nil
}

func connect(o map[string]string) error {
	c, pool, err := config(o)
	if err != nil {
		return err
	}
	c.RootCAs = pool
	c.ServerName = "localhost"
	c.CipherSuites = []uint16{suites[o["suite"]]}
	c.ClientSessionCache = tls.NewLRUClientSessionCache(4)
	for _, name := range strings.Split(o["group"], ",") {
		if group, ok := groups[name]; ok {
			c.CurvePreferences = append(c.CurvePreferences, group)
		}
	}
	payload, err := os.ReadFile(o["payload"])
	if err != nil {
		return err
	}
	for n := 0; n < number(o["connections"]); n++ {
		raw, err := net.Dial("tcp", "127.0.0.1:"+o["port"])
		if err != nil {
			return err
		}
		raw.SetDeadline(time.Now().Add(20 * time.Second))
		if err := talk(tls.Client(raw, c), payload, o, n > 0); err != nil {
			raw.Close()
			return err
		}
		raw.Close()
	}
	return nil
}

func talk(conn *tls.Conn, payload []byte, o map[string]string, again bool) error {
	back := make([]byte, chunk)
	for at := 0; at < len(payload); at += chunk {
		piece := payload[at:min(at+chunk, len(payload))]
		if _, err := conn.Write(piece); err != nil {
			return err
		}
		if _, err := io.ReadFull(conn, back[:len(piece)]); err != nil {
			return err
		}
		if !bytes.Equal(back[:len(piece)], piece) {
			return errors.New("the echo is not what was sent")
		}
	}
	if conn.ConnectionState().DidResume != again {
		return fmt.Errorf("resumed is %v", !again)
	}
	if chosen := conn.ConnectionState().NegotiatedProtocol; o["alpn"] != "" && chosen != "http/1.1" {
		return fmt.Errorf("the protocol is %q", chosen)
	}
	if o["end"] == "cut" {
		return nil
	}
	if o["end"] == "client" {
		if err := conn.CloseWrite(); err != nil {
			return err
		}
	}
	if _, err := conn.Read(back); err != io.EOF {
		return fmt.Errorf("where the end was due: %v", err)
	}
	return conn.Close()
}

func min(a, b int) int {
	if a < b {
		return a
	}
	return b
}

func main() {
	say("%s crypto/tls", runtime.Version())
	var listener net.Listener
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		o := map[string]string{}
		for _, word := range words[1:] {
			name, value, _ := strings.Cut(word, "=")
			o[name] = value
		}
		var err error
		switch words[0] {
		case "serve":
			listener, err = serve(o)
		case "connect":
			if err = connect(o); err == nil {
				say("ok")
			}
		case "stop":
			if listener != nil {
				listener.Close()
			}
		}
		if err != nil {
			say("failed %v", err)
		}
	}
}
