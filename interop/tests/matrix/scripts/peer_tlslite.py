# tlslite-ng as a peer, which is TLS written in Python. The lines it is told: peers/scripted.rs.
import os
import socket
import sys
import threading

from tlslite import __version__
from tlslite.api import HandshakeSettings, SessionCache, TLSConnection, X509CertChain, parsePEMKey

CHUNK = 16 * 1024
GROUPS = ["x25519", "secp256r1", "secp384r1", "secp521r1"]
lock = threading.Lock()


def say(line):
    with lock:
        print(line.replace("\n", " "), flush=True)


def settings(o):
    s = HandshakeSettings()
    s.minVersion = s.maxVersion = (3, 3) if o["version"] == "1.2" else (3, 4)
    s.versions = [s.maxVersion]
    s.useExtendedMasterSecret = o["ems"] == "yes"
    s.useEncryptThenMAC = o["etm"] == "yes"
    s.keyExchangeNames = ["ecdhe_ecdsa", "ecdhe_rsa", "dhe_rsa", "rsa"]
    return s


# Cipher, MAC and key exchange of a suite, which leave no other suite.
def narrow(s, name):
    kx, _, bulk = name.removeprefix("TLS_").rpartition("WITH_")
    if kx:
        s.keyExchangeNames = [kx.strip("_").lower()]
    cipher, _, mac = bulk.rpartition("_")
    s.cipherNames = [
        {"AES_128_GCM": "aes128gcm", "AES_256_GCM": "aes256gcm", "CHACHA20_POLY1305": "chacha20-poly1305",
         "AES_128_CBC": "aes128", "AES_256_CBC": "aes256"}[cipher]
    ]
    s.macNames = [mac.lower() if "CBC" in cipher else "aead"]


def credential(o):
    if "cert" not in o:
        return None, None
    with open(o["cert"]) as f:
        chain = X509CertChain()
        chain.parsePemList(f.read())
    with open(o["key"]) as f:
        return chain, parsePEMKey(f.read(), private=True)


def protocols(o):
    return [bytearray(name, "ascii") for name in o["alpn"].split(",")] if "alpn" in o else None


def connection(raw):
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    raw.settimeout(20)
    tls = TLSConnection(raw)
    # Otherwise its close does not wait for the answer.
    tls.closeSocket = False
    return tls


def serve_one(raw, o, handshake):
    try:
        tls = connection(raw)
        handshake(tls)
        total, wanted = 0, int(o["bytes"])
        while o["end"] == "client" or total < wanted:
            data = tls.recv(CHUNK)
            if not data:
                break
            tls.sendall(data)
            total += len(data)
        if o["end"] == "server":
            tls.close()
        # What the client closes, recv has answered.
        say(f"log served {total} bytes")
    except Exception as e:
        say(f"log served with {e!r}")
    raw.close()


def serve(o):
    s = settings(o)
    if "group" in o:
        s.eccCurves = s.keyShares = [o["group"]]
    else:
        s.eccCurves = GROUPS + [g for g in s.eccCurves if "mlkem" in g]
    sessions = SessionCache()
    if o["tickets"] == "yes":
        s.ticketKeys = [bytearray(os.urandom(32))]
        sessions = None
    chain, key = credential(o)

    def handshake(tls):
        tls.handshakeServer(certChain=chain, privateKey=key, reqCert=o["auth"] != "no", sessionCache=sessions, settings=s, alpn=protocols(o))

    listener = socket.create_server(("127.0.0.1", 0))

    def accept():
        while True:
            try:
                raw, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve_one, args=(raw, o, handshake), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    say(f"listening {listener.getsockname()[1]}")
    return listener


def read_exactly(tls, n):
    data = b""
    while len(data) < n:
        more = tls.recv(n - len(data))
        if not more:
            raise EOFError("closed in the middle of an answer")
        data += more
    return data


def connect(o):
    s = settings(o)
    narrow(s, o["suite"])
    # It would compress its certificate for a server that never said it could read that (RFC 8879 3).
    s.certificate_compression_send = []
    if "group" in o:
        names = o["group"].lower().split(",")
        s.eccCurves = [g for g in names if not g.startswith("ffdhe")] or ["secp256r1"]
        s.dhGroups = [g for g in names if g.startswith("ffdhe")]
        if o["version"] == "1.3":
            s.eccCurves = [g for g in s.eccCurves if g in names]
        # One share, of the first.
        s.keyShares = names[:1]
        s.defaultCurve = (s.eccCurves or ["secp256r1"])[0]
    else:
        s.eccCurves, s.keyShares = GROUPS, ["x25519"]
    chain, key = credential(o)
    with open(o["payload"], "rb") as f:
        payload = f.read()
    session = None
    for n in range(int(o["connections"])):
        raw = socket.create_connection(("127.0.0.1", int(o["port"])))
        tls = connection(raw)
        tls.handshakeClientCert(chain, key, session=session, settings=s, serverName="localhost", alpn=protocols(o))
        for at in range(0, len(payload), CHUNK):
            piece = payload[at : at + CHUNK]
            tls.sendall(piece)
            if read_exactly(tls, len(piece)) != piece:
                raise ValueError(f"the piece at {at} came back changed")
        if tls.resumed != (n > 0):
            raise ValueError(f"connection {n + 1}: resumed is {tls.resumed}")
        session = tls.session
        if "alpn" in o and session.appProto != b"http/1.1":
            raise ValueError(f"the protocol is {session.appProto}")
        if o["end"] == "client":
            tls.close()
        elif o["end"] == "server" and tls.recv(1) != b"":
            raise ValueError("data where the end was due")
        raw.close()
    say("ok")


say(f"tlslite-ng {__version__}, Python {sys.version.split()[0]}")
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
