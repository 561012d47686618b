// Java's JSSE: a page for everybody. Arguments: port, and "everything" for all that it can be asked for.
import java.io.*;
import java.net.*;
import java.nio.file.*;
import java.security.*;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import javax.net.ssl.*;

public class Server {
    public static void main(String[] arguments) throws Exception {
        boolean everything = arguments[1].equals("everything");
        if (everything) {
            Security.setProperty("jdk.tls.disabledAlgorithms", "");
            Security.setProperty("jdk.tls.legacyAlgorithms", "");
        }
        KeyStore own = KeyStore.getInstance("PKCS12");
        own.load(null, null);
        put(own, "rsa", "RSA");
        if (!everything) put(own, "p256", "EC");
        KeyManagerFactory keys = KeyManagerFactory.getInstance("SunX509");
        keys.init(own, new char[0]);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), null, null);
        ServerSocket listener = new ServerSocket(Integer.parseInt(arguments[0]), 128, InetAddress.getByName("127.0.0.1"));
        while (true) {
            Socket raw = listener.accept();
            Thread one = new Thread(() -> serve(context, raw, everything));
            one.setDaemon(true);
            one.start();
        }
    }

    static void put(KeyStore own, String name, String kind) throws Exception {
        String pem = Files.readString(Path.of(name + ".key")).replaceAll("-----[^-]*-----|\\s", "");
        PrivateKey key = KeyFactory.getInstance(kind)
            .generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(pem)));
        try (InputStream in = new FileInputStream(name + ".pem")) {
            own.setKeyEntry(name, key, new char[0], CertificateFactory.getInstance("X.509").generateCertificates(in)
                .toArray(new java.security.cert.Certificate[0]));
        }
    }

    static void serve(SSLContext context, Socket raw, boolean everything) {
        try (raw) {
            raw.setSoTimeout(10000);
            SSLSocket tls = (SSLSocket) context.getSocketFactory().createSocket(raw, null, raw.getPort(), true);
            tls.setUseClientMode(false);
            if (everything) {
                tls.setEnabledProtocols(new String[] {"SSLv2Hello", "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"});
                tls.setEnabledCipherSuites(tls.getSupportedCipherSuites());
            }
            tls.getInputStream().read(new byte[4096]);
            tls.getOutputStream().write("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\npage\n".getBytes());
            tls.close();
        } catch (IOException e) {
            System.err.println(e);
        }
    }
}
