# Python's ssl as a peer. The lines it is told: peers/scripted.rs.
import socket
import ssl
import sys
import threading

CHUNK = 16 * 1024
lock = threading.Lock()


def say(line):
    with lock:
        print(line.replace("\n", " "), flush=True)


def context(side, o):
    c = ssl.SSLContext(side)
    version = ssl.TLSVersion.TLSv1_2 if o["version"] == "1.2" else ssl.TLSVersion.TLSv1_3
    c.minimum_version = c.maximum_version = version
    # Python has no say in the suites of TLS 1.3.
    c.set_ciphers((o.get("openssl", "ALL") if o["version"] == "1.2" else "ALL") + ":@SECLEVEL=0")
    c.load_verify_locations(o["ca"])
    if "alpn" in o:
        c.set_alpn_protocols(o["alpn"].split(","))
    if "cert" in o:
        c.load_cert_chain(o["cert"], o["key"])
    if o["tickets"] == "no":
        c.options |= ssl.OP_NO_TICKET
    return c


def read_exactly(tls, n):
    data = b""
    while len(data) < n:
        more = tls.recv(n - len(data))
        if not more:
            raise EOFError("closed in the middle of an answer")
        data += more
    return data


def wrap(c, raw, **more):
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    raw.settimeout(20)
    return c.wrap_socket(raw, suppress_ragged_eofs=False, **more)


def cut(tls):
    # Without an unwrap, Python's close is a cut.
    tls.close()


def serve_one(c, raw, o):
    try:
        tls = wrap(c, raw, server_side=True)
        total, wanted = 0, int(o["bytes"])
        while True:
            if total >= wanted and o["end"] == "cut":
                return cut(tls)
            if total >= wanted and o["end"] == "server":
                break
            # Asks for no more than is due, so that the end comes in a read of its own.
            data = tls.recv(CHUNK)
            if not data:
                break
            tls.sendall(data)
            total += len(data)
        tls.unwrap().close()
        say(f"log served {total} bytes")
    except Exception as e:
        say(f"log served with {e!r}")


def serve(o):
    c = context(ssl.PROTOCOL_TLS_SERVER, o)
    c.load_dh_params(o["dh"])
    c.verify_mode = {"no": ssl.CERT_NONE, "request": ssl.CERT_OPTIONAL, "require": ssl.CERT_REQUIRED}[o["auth"]]
    listener = socket.create_server(("127.0.0.1", 0))

    def accept():
        while True:
            try:
                raw, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve_one, args=(c, raw, o), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    say(f"listening {listener.getsockname()[1]}")
    return listener


def connect(o):
    c = context(ssl.PROTOCOL_TLS_CLIENT, o)
    if "group" in o:
        c.set_ecdh_curve({"secp256r1": "prime256v1"}.get(o["group"], o["group"]))
    with open(o["payload"], "rb") as f:
        payload = f.read()
    session = None
    for n in range(int(o["connections"])):
        raw = socket.create_connection(("127.0.0.1", int(o["port"])))
        tls = wrap(c, raw, server_hostname="localhost", session=session)
        for at in range(0, len(payload), CHUNK):
            piece = payload[at : at + CHUNK]
            tls.sendall(piece)
            if read_exactly(tls, len(piece)) != piece:
                raise ValueError(f"the piece at {at} came back changed")
        if "alpn" in o and tls.selected_alpn_protocol() != "http/1.1":
            raise ValueError(f"the protocol is {tls.selected_alpn_protocol()}")
        if tls.session_reused != (n > 0):
            raise ValueError(f"connection {n + 1}: resumed is {tls.session_reused}")
        session = tls.session
        if o["end"] == "cut":
            cut(tls)
            continue
        if o["end"] == "server" and tls.recv(1) != b"":
            raise ValueError("data where the end was due")
        tls.unwrap().close()
    say("ok")


say(f"Python {sys.version.split()[0]} ssl, {ssl.OPENSSL_VERSION}")
listener = None
for line in sys.stdin:
    word, *options = line.split()
    options = dict(x.split("=", 1) for x in options)
    try:
        if word == "serve":
            listener = serve(options)
        elif word == "connect":
            connect(options)
        elif word == "stop":
            listener.close()
    except Exception as e:
        say(f"failed {e!r}")
