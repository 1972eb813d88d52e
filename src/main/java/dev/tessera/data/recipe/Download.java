package dev.tessera.data.recipe;

import dev.tessera.data.DataException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Files over HTTP: goes on where an interrupted download stopped, believes no size and no content
 * that was not published, and follows few redirections.
 *
 * @param pause before the same address is tried again
 * @param patience longest wait for a connection or for data
 */
record Download(Duration pause, Duration patience) {
  private static final int MAX_REDIRECTS = 5;
  private static final int TRIES = 4;

  /** An answer that trying again does not change. */
  private static final class Refused extends IOException {
    private static final long serialVersionUID = 1;

    Refused(String message) {
      super(message);
    }
  }

  Download() {
    this(Duration.ofSeconds(2), Duration.ofSeconds(60));
  }

  /**
   * Gets {@code file} and checks it; until then it is called {@code target} and {@code .part}.
   *
   * @param pinned SHA-256 of an earlier download, or null
   * @return its SHA-256
   * @throws DataException if no address gives the published file
   */
  String fetch(Recipe.RemoteFile file, Path target, @Nullable String pinned, Progress progress)
      throws IOException, InterruptedException {
    Path part = target.resolveSibling(target.getFileName() + ".part");
    boolean resumed = Files.exists(part) && Files.size(part) > 0;
    if (Files.exists(target)) {
      return Checksums.check(target, file, pinned);
    }
    receive(file, part, progress);
    String sha256;
    try {
      sha256 = Checksums.check(part, file, pinned);
    } catch (DataException e) {
      // What is wrong must not be gone on with; and what was there before may be what was wrong.
      Files.deleteIfExists(part);
      if (!resumed) {
        throw new DataException(
            e.getMessage() + "; it was removed: try again, or get it elsewhere and use --from", e);
      }
      receive(file, part, progress);
      sha256 = Checksums.check(part, file, pinned);
    }
    Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
    return sha256;
  }

  private void receive(Recipe.RemoteFile file, Path part, Progress progress)
      throws IOException, InterruptedException {
    IOException last = null;
    for (String url : file.urls()) {
      for (int attempt = 0; attempt < TRIES; attempt++) {
        if (attempt > 0) {
          Thread.sleep(pause.multipliedBy(attempt));
        }
        try {
          if (receive(URI.create(url), file, part, progress)) {
            return;
          }
          last = new IOException("the connection ended early");
        } catch (Refused e) {
          last = e;
          break;
        } catch (FileSystemException e) {
          throw new DataException("cannot write " + part + ": " + e.getMessage(), e);
        } catch (IOException e) {
          last = e;
        }
      }
    }
    throw new DataException(
        ("%s cannot be downloaded from %s (%s); what has come is kept: try again later, or get it"
                + " elsewhere and use --from")
            .formatted(
                file.name(),
                String.join(" or ", file.urls()),
                last == null ? "it has no address" : last.getMessage()),
        last);
  }

  /** Receives what is missing of {@code part}; whether it is all there now. */
  private boolean receive(URI uri, Recipe.RemoteFile file, Path part, Progress progress)
      throws IOException {
    long have = Files.exists(part) ? Files.size(part) : 0;
    if (have > file.bytes()) {
      Files.delete(part);
      have = 0;
    }
    if (have == file.bytes()) {
      return true;
    }
    HttpURLConnection connection = open(uri, have);
    try {
      int status = connection.getResponseCode();
      if (status == HttpURLConnection.HTTP_PARTIAL) {
        String range = String.valueOf(connection.getHeaderField("Content-Range"));
        if (!range.startsWith("bytes " + have + "-")) {
          Files.delete(part);
          throw new IOException("the server goes on at another place than asked");
        }
      } else if (status == HttpURLConnection.HTTP_OK) {
        have = 0;
      } else if (status == 416) {
        Files.deleteIfExists(part);
        throw new IOException("the server has less than was there already");
      } else if (status / 100 == 5 || status == 429) {
        throw new IOException("the server answers " + status);
      } else {
        throw new Refused("the server answers " + status);
      }
      long length = connection.getContentLengthLong();
      if (length >= 0 && have + length != file.bytes()) {
        throw new Refused(
            "it has %d bytes there, but the published file has %d"
                .formatted(have + length, file.bytes()));
      }
      copy(connection, part, have, file, progress);
      return Files.size(part) == file.bytes();
    } finally {
      connection.disconnect();
    }
  }

  private static void copy(
      HttpURLConnection connection, Path part, long from, Recipe.RemoteFile file, Progress progress)
      throws IOException {
    try (InputStream in = connection.getInputStream();
        OutputStream out =
            Files.newOutputStream(
                part,
                StandardOpenOption.CREATE,
                from > 0 ? StandardOpenOption.APPEND : StandardOpenOption.TRUNCATE_EXISTING,
                StandardOpenOption.WRITE)) {
      byte[] buffer = new byte[1 << 16];
      long total = from;
      for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
        total += count;
        if (total > file.bytes()) {
          throw new Refused(
              "it sends more than the %d bytes that the published file has"
                  .formatted(file.bytes()));
        }
        out.write(buffer, 0, count);
        progress.advance(file.name(), total, file.bytes());
      }
    }
  }

  /** Opens {@code uri} from byte {@code from} on, wherever it has gone. */
  private HttpURLConnection open(URI uri, long from) throws IOException {
    URI at = uri;
    for (int redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      String scheme = String.valueOf(at.getScheme()).toLowerCase(Locale.ROOT);
      if (!scheme.equals("http") && !scheme.equals("https")) {
        throw new Refused(at + " is no address on the web");
      }
      HttpURLConnection connection = (HttpURLConnection) at.toURL().openConnection();
      connection.setInstanceFollowRedirects(false);
      connection.setConnectTimeout((int) patience.toMillis());
      connection.setReadTimeout((int) patience.toMillis());
      connection.setRequestProperty("User-Agent", "tessera");
      connection.setRequestProperty("Accept-Encoding", "identity");
      if (from > 0) {
        connection.setRequestProperty("Range", "bytes=" + from + "-");
      }
      int status = connection.getResponseCode();
      if (status != 301 && status != 302 && status != 303 && status != 307 && status != 308) {
        return connection;
      }
      String location = connection.getHeaderField("Location");
      connection.disconnect();
      URI next;
      try {
        next = at.resolve(String.valueOf(location));
      } catch (IllegalArgumentException e) {
        throw new Refused("the server sends on to " + location + ", which is no address");
      }
      if (scheme.equals("https") && !"https".equalsIgnoreCase(next.getScheme())) {
        throw new Refused("the server sends on to " + next + ", which is not encrypted");
      }
      at = next;
    }
    throw new Refused("the server sends on more than " + MAX_REDIRECTS + " times");
  }
}
