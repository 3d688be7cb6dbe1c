import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Version;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * Java's HttpClient against the conformance server.
 *
 * <p>{@code java Clients.java http://HOST:PORT [CA_FILE]} prints {@code ok NAME} or {@code FAIL NAME: why} for each case.
 */
public final class Clients {
    /** What a case does; it fails by an exception. */
    private interface Case {
        void run() throws Exception;
    }

    private static final String HELLO = "Hello, World!";
    private static String base;
    /** Prefers HTTP/2, which on an open port it offers by an upgrade with the first request. */
    private static HttpClient client;

    public static void main(String[] args) throws Exception {
        base = args[0];
        client = client(args.length > 1 ? args[1] : null);
        Map<String, Case> cases = new LinkedHashMap<>();
        cases.put("an_upgrade_to_http2_is_not_taken", Clients::upgrade);
        cases.put("an_upgrade_with_a_body_is_not_taken", Clients::upgradeWithBody);
        cases.put("head_and_options", Clients::headAndOptions);
        cases.put("any_method", Clients::anyMethod);
        cases.put("two_hundred_at_once", Clients::twoHundred);
        cases.put("a_chunked_upload", Clients::chunkedUpload);
        cases.put("a_large_body", Clients::largeBody);
        cases.put("expects_to_continue", Clients::expectsToContinue);
        cases.put("an_answer_in_pieces", Clients::pieces);
        cases.put("a_range_of_a_file", Clients::range);
        cases.put("an_error", Clients::error);
        cases.put("a_slow_answer_is_given_up", Clients::slow);
        cases.forEach(Clients::attempt);
        // The client's threads would keep the program alive.
        System.exit(0);
    }

    private static void attempt(String name, Case test) {
        try {
            test.run();
            System.out.println("ok " + name);
        } catch (Exception err) {
            System.out.println("FAIL " + name + ": " + err.toString().replace('\n', ' '));
        }
    }

    private static HttpClient client(String ca) throws Exception {
        HttpClient.Builder builder = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(10));
        if (ca != null) {
            KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            try (var file = Files.newInputStream(Path.of(ca))) {
                store.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(file));
            }
            var trusted = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trusted.init(store);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, trusted.getTrustManagers(), null);
            builder.sslContext(context);
        }
        return builder.build();
    }

    private static HttpRequest.Builder to(String path) {
        return HttpRequest.newBuilder(URI.create(base + path)).timeout(Duration.ofSeconds(10));
    }

    private static HttpResponse<String> ask(HttpRequest.Builder request) throws IOException, InterruptedException {
        return client.send(request.build(), BodyHandlers.ofString());
    }

    private static void same(Object found, Object expected) {
        if (!Objects.equals(found, expected)) {
            throw new IllegalStateException("expected " + expected + ", found " + found);
        }
    }

    private static void upgrade() throws Exception {
        HttpResponse<String> answer = ask(to("/plaintext"));
        same(answer.version(), Version.HTTP_1_1);
        same(answer.body(), HELLO);
        same(ask(to("/json")).body(), "{\"message\":\"Hello, World!\"}");
    }

    private static void upgradeWithBody() throws Exception {
        HttpResponse<String> answer = ask(to("/").version(Version.HTTP_2).POST(BodyPublishers.ofString("body")));
        same(List.of(answer.version(), answer.body()), List.of(Version.HTTP_1_1, "body"));
    }

    private static void headAndOptions() throws Exception {
        HttpResponse<String> head = ask(to("/plaintext").method("HEAD", BodyPublishers.noBody()));
        same(head.headers().firstValue("content-length").orElse(""), "13");
        same(head.body(), "");
        same(ask(to("/").method("OPTIONS", BodyPublishers.noBody())).statusCode(), 200);
    }

    private static void anyMethod() throws Exception {
        for (String method : List.of("PUT", "PATCH", "DELETE", "PROPFIND", "BREW")) {
            HttpResponse<String> answer = ask(to("/inspect").method(method, BodyPublishers.ofString("x")));
            same(answer.body().contains("\"method\":\"" + method + "\""), true);
        }
    }

    private static void twoHundred() {
        List<CompletableFuture<String>> asked = IntStream.range(0, 200)
                .mapToObj(n -> to("/").POST(BodyPublishers.ofString(Integer.toString(n))).build())
                .map(request -> client.sendAsync(request, BodyHandlers.ofString()).thenApply(HttpResponse::body))
                .toList();
        for (int n = 0; n < asked.size(); n++) {
            same(asked.get(n).join(), Integer.toString(n));
        }
    }

    private static BodyPublisher unknownLength(byte[] body) {
        return BodyPublishers.fromPublisher(BodyPublishers.ofByteArray(body));
    }

    private static void chunkedUpload() throws Exception {
        HttpResponse<String> answer = ask(to("/inspect").POST(unknownLength("abc".getBytes())));
        same(answer.body().contains("[\"transfer-encoding\",\"chunked\"]"), true);
        same(answer.body().contains("\"body\":\"YWJj\""), true);
    }

    private static void largeBody() throws Exception {
        byte[] large = new byte[5 << 20];
        for (int n = 0; n < large.length; n++) {
            large[n] = (byte) n;
        }
        for (BodyPublisher body : List.of(BodyPublishers.ofByteArray(large), unknownLength(large))) {
            byte[] echoed = client.send(to("/").PUT(body).build(), BodyHandlers.ofByteArray()).body();
            same(Arrays.equals(echoed, large), true);
        }
    }

    private static void expectsToContinue() throws Exception {
        same(ask(to("/").expectContinue(true).POST(BodyPublishers.ofString("go on"))).body(), "go on");
    }

    private static void pieces() throws Exception {
        var answer = client.send(to("/stream?n=1000").build(), BodyHandlers.ofLines());
        same(answer.body().count(), 1000L);
    }

    private static void range() throws Exception {
        HttpResponse<byte[]> answer = client.send(
                to("/static/large.bin").header("Range", "bytes=65-67").build(), BodyHandlers.ofByteArray());
        same(answer.statusCode() + new String(answer.body()), "206ABC");
    }

    private static void error() throws Exception {
        same(ask(to("/static/none")).statusCode(), 404);
    }

    private static void slow() throws Exception {
        try {
            ask(to("/slow?ms=10000").timeout(Duration.ofMillis(200)));
        } catch (HttpTimeoutException expected) {
            same(ask(to("/plaintext")).body(), HELLO);
            return;
        }
        throw new IllegalStateException("expected a time-out, found an answer");
    }
}
