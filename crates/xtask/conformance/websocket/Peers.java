// Java's java.net.http.WebSocket against the conformance server.
//
//     java Peers.java ws://HOST:PORT [wss://HOST:PORT CA_FILE]
//
// Prints `ok NAME` or `FAIL NAME: why` for each case.

import java.io.ByteArrayOutputStream;
import java.io.FileInputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.net.http.WebSocketHandshakeException;
import java.nio.ByteBuffer;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.Arrays;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

public class Peers {
    static final String TEXT = "Grüße, 世界, 🦑 – ".repeat(20);
    static HttpClient client = HttpClient.newHttpClient();
    static String base;

    /** Puts what comes into a queue: text, bytes, and words for everything else. */
    static class Listener implements WebSocket.Listener {
        final BlockingQueue<Object> events = new LinkedBlockingQueue<>();
        final StringBuilder text = new StringBuilder();
        final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        public CompletionStage<?> onText(WebSocket ws, CharSequence part, boolean last) {
            text.append(part);
            if (last) {
                events.add(text.toString());
                text.setLength(0);
            }
            ws.request(1);
            return null;
        }

        public CompletionStage<?> onBinary(WebSocket ws, ByteBuffer part, boolean last) {
            byte[] some = new byte[part.remaining()];
            part.get(some);
            bytes.writeBytes(some);
            if (last) {
                events.add(bytes.toByteArray());
                bytes.reset();
            }
            ws.request(1);
            return null;
        }

        public CompletionStage<?> onPong(WebSocket ws, ByteBuffer data) {
            events.add("pong of " + data.remaining());
            ws.request(1);
            return null;
        }

        public CompletionStage<?> onClose(WebSocket ws, int code, String reason) {
            events.add("close " + code + " " + reason);
            return null;
        }

        public void onError(WebSocket ws, Throwable err) {
            events.add("error " + err);
        }

        Object next() throws Exception {
            Object event = events.poll(20, TimeUnit.SECONDS);
            return event == null ? "nothing came" : event;
        }
    }

    interface Case {
        void run() throws Exception;
    }

    static WebSocket open(String path, Listener listener, String... protocols) {
        WebSocket.Builder builder = client.newWebSocketBuilder();
        if (protocols.length > 0) {
            builder.subprotocols(protocols[0], Arrays.copyOfRange(protocols, 1, protocols.length));
        }
        return builder.buildAsync(URI.create(base + path), listener).join();
    }

    static void same(Object found, Object expected) {
        boolean equal = found instanceof byte[] some && expected instanceof byte[] all
            ? Arrays.equals(some, all)
            : expected.equals(found);
        if (!equal) {
            throw new AssertionError("expected " + shown(expected) + ", found " + shown(found));
        }
    }

    static String shown(Object value) {
        String text = String.valueOf(value);
        return text.length() > 200 ? text.substring(0, 200) : text;
    }

    static void echo() throws Exception {
        Listener listener = new Listener();
        WebSocket ws = open("/ws", listener);
        byte[] large = new byte[1 << 20];
        for (int at = 0; at < large.length; at++) {
            large[at] = (byte) at;
        }
        for (String text : new String[] {TEXT, "", TEXT.repeat(1000)}) {
            ws.sendText(text, true).join();
            same(listener.next(), text);
        }
        for (byte[] bytes : new byte[][] {{0, -1}, {}, large}) {
            ws.sendBinary(ByteBuffer.wrap(bytes), true).join();
            same(listener.next(), bytes);
        }
        ws.sendClose(1000, "").join();
        same(listener.next(), "close 1000 ");
    }

    static void fragments() throws Exception {
        Listener listener = new Listener();
        WebSocket ws = open("/ws", listener);
        ws.sendText("Gr", false).join();
        ws.sendText("ü", false).join();
        ws.sendPing(ByteBuffer.wrap(new byte[7])).join();
        ws.sendText("ße", true).join();
        same(listener.next(), "pong of 7");
        same(listener.next(), "Grüße");
        ws.abort();
    }

    static void pings() throws Exception {
        Listener listener = new Listener();
        WebSocket ws = open("/ws-talk", listener);
        ws.sendText("ping x", true).join();
        same(listener.next(), "pong x");
        ws.sendPing(ByteBuffer.wrap(new byte[125])).join();
        same(listener.next(), "pong of 125");
        ws.abort();
    }

    static void closes() throws Exception {
        Listener listener = new Listener();
        WebSocket ws = open("/ws", listener);
        ws.sendClose(4999, "bye").join();
        same(String.valueOf(listener.next()).startsWith("close 4999"), true);
        for (String words : new String[] {"1000 bye", "1012 ", "4001 why ü"}) {
            listener = new Listener();
            ws = open("/ws-talk", listener);
            ws.sendText("close " + words, true).join();
            same(listener.next(), "close " + words);
        }
    }

    static void subprotocol() throws Exception {
        Listener listener = new Listener();
        WebSocket ws = open("/ws-talk", listener, "other", "squall.chat");
        same(ws.getSubprotocol(), "squall.chat");
        ws.abort();
        ws = open("/ws-talk", listener);
        same(ws.getSubprotocol(), "");
        ws.abort();
    }

    static void refused() throws Exception {
        try {
            client.newWebSocketBuilder()
                .header("Origin", "http://example.com")
                .buildAsync(URI.create(base + "/ws"), new Listener())
                .join();
            throw new AssertionError("it was let in");
        } catch (CompletionException err) {
            same(((WebSocketHandshakeException) err.getCause()).getResponse().statusCode(), 403);
        }
    }

    static void many() throws Exception {
        Listener listener = new Listener();
        WebSocket ws = open("/ws-talk", listener);
        ws.sendText("send 2000 100", true).join();
        for (int number = 0; number < 2000; number++) {
            String begin = number + " ";
            same(listener.next(), begin + "x".repeat(100 - begin.length()));
        }
        ws.abort();
    }

    static SSLContext trust(String file) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (FileInputStream in = new FileInputStream(file)) {
            store.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(in));
        }
        TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, factory.getTrustManagers(), null);
        return context;
    }

    static void all() {
        String[] names = {"echo", "fragments", "pings", "closes", "subprotocol", "refused", "many"};
        Case[] cases = {
            Peers::echo, Peers::fragments, Peers::pings, Peers::closes, Peers::subprotocol, Peers::refused, Peers::many
        };
        for (int at = 0; at < cases.length; at++) {
            String name = "java_" + names[at] + " " + base.split(":")[0];
            try {
                cases[at].run();
                System.out.println("ok " + name);
            } catch (Throwable err) {
                System.out.println("FAIL " + name + ": " + err.toString().replace('\n', ' '));
            }
        }
    }

    public static void main(String[] args) throws Exception {
        base = args[0];
        all();
        if (args.length > 2) {
            base = args[1];
            client = HttpClient.newBuilder().sslContext(trust(args[2])).build();
            all();
        }
        System.exit(0);
    }
}
