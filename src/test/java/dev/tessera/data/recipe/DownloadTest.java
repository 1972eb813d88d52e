package dev.tessera.data.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import dev.tessera.data.DataException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DownloadTest {
  private static final byte[] CONTENT = new byte[300_000];

  static {
    new Random(4).nextBytes(CONTENT);
  }

  @TempDir Path folder;
  private HttpServer server;

  /** Requests, as "path range". */
  private final List<String> requests = Collections.synchronizedList(new ArrayList<>());

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  private String url(String path) {
    return "http://127.0.0.1:" + server.getAddress().getPort() + path;
  }

  private void serve(String path, HttpHandler handler) {
    server.createContext(
        path,
        exchange -> {
          requests.add(path + " " + exchange.getRequestHeaders().getFirst("Range"));
          try (exchange) {
            handler.handle(exchange);
          }
        });
  }

  /** Sends {@code content} as a server does that can go on anywhere. */
  private static void send(HttpExchange exchange, byte[] content) throws IOException {
    String range = exchange.getRequestHeaders().getFirst("Range");
    int from = range == null ? 0 : Integer.parseInt(range.replaceAll("bytes=(\\d+)-", "$1"));
    if (range != null) {
      exchange
          .getResponseHeaders()
          .set(
              "Content-Range",
              "bytes %d-%d/%d".formatted(from, content.length - 1, content.length));
    }
    exchange.sendResponseHeaders(range == null ? 200 : 206, content.length - from);
    exchange.getResponseBody().write(content, from, content.length - from);
  }

  static String digest(String algorithm, byte[] content) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance(algorithm).digest(content));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Recipe.RemoteFile remote(@Nullable String sha256, String... urls) {
    return new Recipe.RemoteFile(
        "data.bin", List.of(urls), CONTENT.length, sha256, digest("MD5", CONTENT), null);
  }

  private Recipe.RemoteFile wanted(String... paths) {
    return remote(
        digest("SHA-256", CONTENT), Arrays.stream(paths).map(this::url).toArray(String[]::new));
  }

  private Path fetch(Recipe.RemoteFile file) throws Exception {
    Path target = folder.resolve("data.bin");
    new Download(Duration.ofMillis(1), Duration.ofSeconds(5))
        .fetch(file, target, null, Progress.NONE);
    return target;
  }

  private void fails(Recipe.RemoteFile file, String reason) {
    assertThatThrownBy(() -> fetch(file))
        .isInstanceOf(DataException.class)
        .hasMessageContaining(reason);
    assertThat(folder.resolve("data.bin")).doesNotExist();
  }

  @Test
  void aFileComesAndIsChecked() throws Exception {
    serve("/data", exchange -> send(exchange, CONTENT));
    assertThat(fetch(wanted("/data"))).hasBinaryContent(CONTENT);
    assertThat(folder.resolve("data.bin.part")).doesNotExist();
    // What is there is checked and not fetched again.
    fetch(wanted("/data"));
    assertThat(requests).containsExactly("/data null");
  }

  @Test
  void anInterruptedDownloadGoesOn() throws Exception {
    Files.write(folder.resolve("data.bin.part"), Arrays.copyOf(CONTENT, 123_456));
    serve("/data", exchange -> send(exchange, CONTENT));
    assertThat(fetch(wanted("/data"))).hasBinaryContent(CONTENT);
    assertThat(requests).containsExactly("/data bytes=123456-");
  }

  @Test
  void aConnectionThatBreaksIsTakenUpAgain() throws Exception {
    AtomicInteger times = new AtomicInteger();
    serve(
        "/data",
        exchange -> {
          if (times.getAndIncrement() < 2 && exchange.getRequestHeaders().get("Range") == null) {
            exchange.sendResponseHeaders(200, CONTENT.length);
            exchange.getResponseBody().write(CONTENT, 0, 100_000);
            exchange.getResponseBody().flush();
            throw new IOException("cable pulled");
          }
          send(exchange, CONTENT);
        });
    assertThat(fetch(wanted("/data"))).hasBinaryContent(CONTENT);
    assertThat(requests).hasSize(2);
    assertThat(requests.getLast()).matches("/data bytes=\\d+-");
  }

  @Test
  void aServerThatCannotGoOnBeginsAgain() throws Exception {
    Files.write(folder.resolve("data.bin.part"), new byte[1000]);
    serve(
        "/data",
        exchange -> {
          exchange.sendResponseHeaders(200, CONTENT.length);
          exchange.getResponseBody().write(CONTENT);
        });
    assertThat(fetch(wanted("/data"))).hasBinaryContent(CONTENT);
  }

  @Test
  void whatWasThereBeforeMayBeWrong() throws Exception {
    Files.write(folder.resolve("data.bin.part"), new byte[1000]);
    serve("/data", exchange -> send(exchange, CONTENT));
    assertThat(fetch(wanted("/data"))).hasBinaryContent(CONTENT);
    assertThat(requests).containsExactly("/data bytes=1000-", "/data null");
    // Or too long.
    Files.delete(folder.resolve("data.bin"));
    Files.write(folder.resolve("data.bin.part"), new byte[CONTENT.length + 1]);
    assertThat(fetch(wanted("/data"))).hasBinaryContent(CONTENT);
  }

  @Test
  void anotherSizeIsNotEvenFetched() {
    serve("/data", exchange -> send(exchange, new byte[CONTENT.length + 1]));
    fails(wanted("/data"), "300001 bytes there, but the published file has 300000");
  }

  @Test
  void aServerThatNeverStopsIsStopped() {
    serve(
        "/data",
        exchange -> {
          exchange.sendResponseHeaders(200, 0); // chunked: no size given
          for (int i = 0; i < 1000; i++) {
            exchange.getResponseBody().write(new byte[10_000]);
          }
        });
    fails(wanted("/data"), "sends more than the 300000 bytes");
    assertThat(folder.resolve("data.bin.part").toFile().length()).isLessThanOrEqualTo(300_000);
  }

  @Test
  void otherContentIsRefusedAndRemoved() {
    byte[] other = CONTENT.clone();
    other[299_999]++;
    serve("/data", exchange -> send(exchange, other));
    fails(wanted("/data"), "its SHA-256 is " + digest("SHA-256", other));
    assertThat(folder.resolve("data.bin.part")).doesNotExist();
    // Where only the MD5 is known, that is checked.
    fails(remote(null, url("/data")), "its MD5 is " + digest("MD5", other));
  }

  @Test
  void withoutAPublishedDigestTheFirstOneCounts() throws Exception {
    serve("/data", exchange -> send(exchange, CONTENT));
    Recipe.RemoteFile file =
        new Recipe.RemoteFile("data.bin", List.of(url("/data")), CONTENT.length, null, null, null);
    Path target = folder.resolve("data.bin");
    Download download = new Download(Duration.ofMillis(1), Duration.ofSeconds(5));
    String first = download.fetch(file, target, null, Progress.NONE);
    assertThat(first).isEqualTo(digest("SHA-256", CONTENT));
    assertThat(download.fetch(file, target, first, Progress.NONE)).isEqualTo(first);
    Files.write(target, new byte[CONTENT.length]);
    assertThatThrownBy(() -> download.fetch(file, target, first, Progress.NONE))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("should be " + first);
  }

  @Test
  void redirectionsAreFollowedButNotForEver() throws Exception {
    serve("/data", exchange -> send(exchange, CONTENT));
    serve("/moved", exchange -> redirect(exchange, "/data"));
    serve("/loop", exchange -> redirect(exchange, "/loop"));
    serve("/file", exchange -> redirect(exchange, "file:///etc/passwd"));
    serve("/nowhere", exchange -> redirect(exchange, "http://[bad"));
    assertThat(fetch(wanted("/moved"))).hasBinaryContent(CONTENT);
    Files.delete(folder.resolve("data.bin"));
    fails(wanted("/loop"), "sends on more than 5 times");
    fails(wanted("/file"), "is no address on the web");
    fails(wanted("/nowhere"), "which is no address");
    // The loop was one try: nothing gets better by trying again.
    assertThat(Collections.frequency(requests, "/loop null")).isEqualTo(6);
  }

  private static void redirect(HttpExchange exchange, String location) throws IOException {
    exchange.getResponseHeaders().set("Location", location);
    exchange.sendResponseHeaders(302, -1);
  }

  @Test
  void otherAddressesAreTried() throws Exception {
    serve("/gone", exchange -> exchange.sendResponseHeaders(404, -1));
    serve("/busy", exchange -> exchange.sendResponseHeaders(503, -1));
    serve("/data", exchange -> send(exchange, CONTENT));
    assertThat(fetch(wanted("/gone", "/busy", "/data"))).hasBinaryContent(CONTENT);
    assertThat(Collections.frequency(requests, "/gone null")).isEqualTo(1);
    assertThat(Collections.frequency(requests, "/busy null")).isEqualTo(4);
    Files.delete(folder.resolve("data.bin"));
    fails(wanted("/gone"), "the server answers 404");
    fails(wanted("/busy"), "the server answers 503");
  }

  @Test
  void aRangeFromElsewhereIsNotBelieved() throws Exception {
    Files.write(folder.resolve("data.bin.part"), Arrays.copyOf(CONTENT, 1000));
    serve(
        "/data",
        exchange -> {
          if (exchange.getRequestHeaders().getFirst("Range") == null) {
            send(exchange, CONTENT);
          } else {
            exchange.getResponseHeaders().set("Content-Range", "bytes 7-299999/300000");
            exchange.sendResponseHeaders(206, -1);
          }
        });
    assertThat(fetch(wanted("/data"))).hasBinaryContent(CONTENT);
  }
}
