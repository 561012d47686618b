// Java's JSSE as a peer. The lines it is told: peers/scripted.rs.
import java.io.*;
import java.net.*;
import java.nio.file.*;
import java.security.*;
import java.security.cert.*;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.*;
import javax.net.ssl.*;

public class Peer {
    static final int CHUNK = 16 * 1024;

    static synchronized void say(String line) {
        System.out.println(line.replace("\n", " "));
        System.out.flush();
    }

    static Collection<? extends java.security.cert.Certificate> certificates(String path) throws Exception {
        try (InputStream in = new FileInputStream(path)) {
            return CertificateFactory.getInstance("X.509").generateCertificates(in);
        }
    }

    static PrivateKey key(String path) throws Exception {
        String pem = Files.readString(Path.of(path)).replaceAll("-----[^-]*-----|\\s", "");
        PKCS8EncodedKeySpec spec = new PKCS8EncodedKeySpec(Base64.getDecoder().decode(pem));
        for (String kind : new String[] {"RSA", "RSASSA-PSS", "EC", "EdDSA"}) {
            try {
                return KeyFactory.getInstance(kind).generatePrivate(spec);
            } catch (GeneralSecurityException e) {
                // Another kind.
            }
        }
        throw new IOException("no kind of key fits " + path);
    }

    static SSLContext context(Map<String, String> o) throws Exception {
        char[] none = new char[0];
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        trusted.setCertificateEntry("ca", certificates(o.get("ca")).iterator().next());
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(trusted);
        KeyManager[] keys = null;
        if (o.containsKey("cert")) {
            KeyStore own = KeyStore.getInstance("PKCS12");
            own.load(null, null);
            own.setKeyEntry("own", key(o.get("key")), none,
                certificates(o.get("cert")).toArray(new java.security.cert.Certificate[0]));
            KeyManagerFactory factory = KeyManagerFactory.getInstance("SunX509");
            factory.init(own, none);
            keys = factory.getKeyManagers();
        }
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys, trust.getTrustManagers(), null);
        return context;
    }

    static String[] version(Map<String, String> o) {
        return new String[] {"TLSv" + o.get("version")};
    }

    static ServerSocket listener;

    static void serve(Map<String, String> o) throws Exception {
        SSLContext context = context(o);
        ServerSocket server = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"));
        listener = server;
        Thread accepting = new Thread(() -> {
            while (true) {
                try {
                    Socket raw = server.accept();
                    Thread one = new Thread(() -> serveOne(context, raw, o));
                    one.setDaemon(true);
                    one.start();
                } catch (IOException e) {
                    return;
                }
            }
        });
        accepting.setDaemon(true);
        accepting.start();
        say("listening " + server.getLocalPort());
    }

    static void serveOne(SSLContext context, Socket raw, Map<String, String> o) {
        try {
            raw.setSoTimeout(20000);
            raw.setTcpNoDelay(true);
            SSLSocket tls = (SSLSocket) context.getSocketFactory().createSocket(raw, null, raw.getPort(), false);
            tls.setUseClientMode(false);
            tls.setEnabledProtocols(version(o));
            tls.setEnabledCipherSuites(tls.getSupportedCipherSuites());
            if (o.containsKey("alpn")) {
                SSLParameters parameters = tls.getSSLParameters();
                parameters.setApplicationProtocols(o.get("alpn").split(","));
                tls.setSSLParameters(parameters);
            }
            if (o.get("auth").equals("require")) tls.setNeedClientAuth(true);
            if (o.get("auth").equals("request")) tls.setWantClientAuth(true);
            InputStream in = tls.getInputStream();
            OutputStream out = tls.getOutputStream();
            byte[] chunk = new byte[CHUNK];
            long total = 0, wanted = Long.parseLong(o.get("bytes"));
            while (!(total >= wanted && !o.get("end").equals("client"))) {
                int n = in.read(chunk);
                if (n < 0) break;
                out.write(chunk, 0, n);
                out.flush();
                total += n;
            }
            if (!o.get("end").equals("cut")) {
                // Closing a layered socket says close_notify and waits for the peer's.
                tls.close();
            }
            raw.close();
            say("log served " + total + " bytes");
        } catch (Exception e) {
            say("log served with " + e);
            try {
                raw.close();
            } catch (IOException ignored) {
                // It was closed already.
            }
        }
    }

    static void connect(Map<String, String> o) throws Exception {
        SSLContext context = context(o);
        byte[] payload = Files.readAllBytes(Path.of(o.get("payload")));
        int port = Integer.parseInt(o.get("port"));
        byte[] first = null;
        for (int n = 0; n < Integer.parseInt(o.get("connections")); n++) {
            Socket raw = new Socket("127.0.0.1", port);
            raw.setSoTimeout(20000);
            raw.setTcpNoDelay(true);
            SSLSocket tls = (SSLSocket) context.getSocketFactory().createSocket(raw, "localhost", port, false);
            SSLParameters parameters = tls.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            parameters.setProtocols(version(o));
            parameters.setCipherSuites(new String[] {o.get("suite")});
            if (o.containsKey("alpn")) parameters.setApplicationProtocols(o.get("alpn").split(","));
            tls.setSSLParameters(parameters);
            InputStream in = tls.getInputStream();
            OutputStream out = tls.getOutputStream();
            for (int at = 0; at < payload.length; at += CHUNK) {
                int length = Math.min(CHUNK, payload.length - at);
                out.write(payload, at, length);
                out.flush();
                byte[] back = in.readNBytes(length);
                if (!Arrays.equals(back, Arrays.copyOfRange(payload, at, at + length)))
                    throw new IOException("the piece at " + at + " came back changed, or not at all");
            }
            if (o.containsKey("alpn") && !"http/1.1".equals(tls.getApplicationProtocol()))
                throw new IOException("the protocol is " + tls.getApplicationProtocol());
            if (!o.get("end").equals("cut")) {
                if (o.get("end").equals("client")) tls.shutdownOutput();
                if (in.read() >= 0) throw new IOException("data where the end was due");
                tls.close();
            }
            raw.close();
        }
        say("ok");
    }

    public static void main(String[] args) throws Exception {
        // What clients choose is up to the rows.
        Security.setProperty("jdk.tls.disabledAlgorithms", "");
        say("Java " + System.getProperty("java.version") + " JSSE (" + System.getProperty("java.vendor") + ")");
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = lines.readLine()) != null; ) {
            String[] words = line.split(" ");
            Map<String, String> o = new HashMap<>();
            for (int i = 1; i < words.length; i++) {
                String[] pair = words[i].split("=", 2);
                o.put(pair[0], pair[1]);
            }
            try {
                if (words[0].equals("serve")) serve(o);
                else if (words[0].equals("connect")) connect(o);
                else if (words[0].equals("stop")) listener.close();
            } catch (Exception e) {
                say("failed " + e);
            }
        }
    }
}
