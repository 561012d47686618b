// Go's crypto/tls: a page for everybody. Arguments: port, and "everything" for all that it can be asked for.
package main

import (
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"os"
)

func main() {
	config := &tls.Config{}
	certificate := "p256"
	if os.Args[2] == "everything" {
		certificate = "rsa"
		config.MinVersion = tls.VersionTLS10
		for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
			config.CipherSuites = append(config.CipherSuites, suite.ID)
		}
	}
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "page\n") })
	server := &http.Server{Addr: "127.0.0.1:" + os.Args[1], Handler: page, TLSConfig: config}
	log.Fatal(server.ListenAndServeTLS(certificate+".pem", certificate+".key"))
}
