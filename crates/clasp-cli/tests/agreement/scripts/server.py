# tlslite-ng: a page for everybody. Arguments: port, and "ssl3" for SSL 3.0, RC4 and 3DES.
import socket
import sys
import threading

from tlslite.api import HandshakeSettings, TLSConnection, X509CertChain, parsePEMKey

port, mode = int(sys.argv[1]), sys.argv[2]
settings = HandshakeSettings()
if mode == "ssl3":
    settings.minVersion, settings.maxVersion = (3, 0), (3, 3)
    settings.cipherNames = ["aes256", "aes128", "3des", "rc4"]
    settings.macNames = ["sha", "md5", "sha256"]
    settings.versions = [(3, 3), (3, 2), (3, 1), (3, 0)]
with open("rsa.pem") as f:
    chain = X509CertChain()
    chain.parsePemList(f.read())
with open("rsa.key") as f:
    key = parsePEMKey(f.read(), private=True)


def one(raw):
    try:
        raw.settimeout(10)
        tls = TLSConnection(raw)
        # Without sessions: whether it keeps one hangs on who is faster, where a client goes without a word.
        tls.handshakeServer(certChain=chain, privateKey=key, settings=settings)
        tls.recv(4096)
        tls.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\npage\n")
        tls.close()
    except Exception as error:  # of this client; the next may do better
        print(repr(error), file=sys.stderr, flush=True)
    finally:
        raw.close()


listener = socket.create_server(("127.0.0.1", port), backlog=128)
while True:
    threading.Thread(target=one, args=(listener.accept()[0],), daemon=True).start()
