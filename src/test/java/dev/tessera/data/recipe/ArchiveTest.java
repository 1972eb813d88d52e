package dev.tessera.data.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tessera.data.DataException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipArchiveOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ArchiveTest {
  private static final Archive.Limits LIMITS = new Archive.Limits(10_000, 20);

  @TempDir Path folder;
  private Path target;

  @BeforeEach
  void makeTarget() throws IOException {
    target = Files.createDirectories(folder.resolve("in/target"));
  }

  /** What goes into a tar. */
  interface Filling {
    void into(TarArchiveOutputStream tar) throws IOException;
  }

  static byte[] tar(Filling filling) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (TarArchiveOutputStream tar = new TarArchiveOutputStream(new GZIPOutputStream(bytes))) {
      tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
      filling.into(tar);
    }
    return bytes.toByteArray();
  }

  static void file(TarArchiveOutputStream tar, String name, byte[] content) throws IOException {
    TarArchiveEntry entry = new TarArchiveEntry(name, true);
    entry.setSize(content.length);
    tar.putArchiveEntry(entry);
    tar.write(content);
    tar.closeArchiveEntry();
  }

  private Path archive(String name, byte[] content) throws IOException {
    return Files.write(folder.resolve(name), content);
  }

  private void unpack(Path file) throws IOException {
    Archive.unpack(file, target, LIMITS, Progress.NONE);
  }

  private void refused(byte[] tar, String reason) throws IOException {
    Path file = archive("bad.tar.gz", tar);
    assertThatThrownBy(() -> unpack(file))
        .isInstanceOf(DataException.class)
        .hasMessageContaining(reason);
    assertNothingOutside();
  }

  private void assertNothingOutside() throws IOException {
    try (Stream<Path> entries = Files.list(folder.resolve("in"))) {
      assertThat(entries.toList()).containsExactly(target);
    }
    try (Stream<Path> entries = Files.walk(target)) {
      assertThat(entries.anyMatch(Files::isSymbolicLink)).isFalse();
    }
  }

  private static byte[] text(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void filesAndFoldersAreUnpacked() throws Exception {
    String longName = "a".repeat(150) + ".txt";
    unpack(
        archive(
            "good.tgz",
            tar(tar -> {
              tar.putArchiveEntry(new TarArchiveEntry("./"));
              tar.closeArchiveEntry();
              tar.putArchiveEntry(new TarArchiveEntry("empty/"));
              tar.closeArchiveEntry();
              file(tar, "./deep/er/one.txt", text("one"));
              file(tar, longName, text("long"));
            })));
    assertThat(target.resolve("empty")).isEmptyDirectory();
    assertThat(target.resolve("deep/er/one.txt")).hasContent("one");
    assertThat(target.resolve(longName)).hasContent("long");
  }

  @Test
  void nothingLeavesItsFolder() throws Exception {
    for (String name :
        List.of(
            "../escaped.txt",
            "/escaped.txt",
            "a/../../escaped.txt",
            "a/./../..//../escaped.txt",
            "..\\escaped.txt",
            "C:/escaped.txt",
            "a\nb.txt",
            "x/".repeat(30) + "deep.txt")) {
      refused(tar(tar -> file(tar, name, text("x"))), "would leave its folder");
    }
  }

  @Test
  void linksAndDevicesAreRefused() throws Exception {
    for (byte type :
        new byte[] {
          TarConstants.LF_SYMLINK,
          TarConstants.LF_LINK,
          TarConstants.LF_CHR,
          TarConstants.LF_BLK,
          TarConstants.LF_FIFO
        }) {
      refused(
          tar(tar -> {
            TarArchiveEntry entry = new TarArchiveEntry("link", type);
            entry.setLinkName("/etc/passwd");
            tar.putArchiveEntry(entry);
            tar.closeArchiveEntry();
            file(tar, "link/through.txt", text("x"));
          }),
          "a link, a device");
    }
  }

  @Test
  void bombsAreStopped() throws Exception {
    refused(tar(tar -> file(tar, "zeros", new byte[10_001])), "unpacks to more than 10000 bytes");
    try (Stream<Path> files = Files.walk(target)) {
      assertThat(files.filter(Files::isRegularFile).mapToLong(f -> f.toFile().length()).sum())
          .isLessThanOrEqualTo(10_000);
    }
    refused(
        tar(tar -> {
          for (int i = 0; i < 25; i++) {
            file(tar, "many" + i, text(""));
          }
        }),
        "more than 20 entries");
  }

  @Test
  void nothingIsWrittenTwice() throws Exception {
    refused(
        tar(tar -> {
          file(tar, "one.txt", text("first"));
          file(tar, "./one.txt", text("second"));
        }),
        "twice");
    assertThat(target.resolve("one.txt")).hasContent("first");
  }

  @Test
  void damageIsSaidPlainly() throws Exception {
    byte[] noise = new byte[5000];
    new Random(1).nextBytes(noise);
    byte[] good = tar(tar -> file(tar, "one.txt", noise));
    refused(Arrays.copyOf(good, 3000), "is damaged");
    refused(noise, "is damaged");
    refused(new byte[0], "is damaged");
  }

  @Test
  void zipsKeepTheSameRules() throws Exception {
    unpack(archive("good.zip", zip("a/one.txt", 0)));
    assertThat(target.resolve("a/one.txt")).hasContent("one");
    Path escaping = archive("escape.zip", zip("../../escaped.txt", 0));
    assertThatThrownBy(() -> unpack(escaping))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("would leave its folder");
    Path link = archive("link.zip", zip("link", 0120777));
    assertThatThrownBy(() -> unpack(link))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("a link, a device");
    Path damaged = archive("damaged.zip", new byte[100]);
    assertThatThrownBy(() -> unpack(damaged)).hasMessageContaining("is damaged");
    assertNothingOutside();
  }

  private static byte[] zip(String name, int mode) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipArchiveOutputStream zip = new ZipArchiveOutputStream(bytes)) {
      ZipArchiveEntry entry = new ZipArchiveEntry(name);
      if (mode != 0) {
        entry.setUnixMode(mode);
      }
      zip.putArchiveEntry(entry);
      zip.write(text("one"));
      zip.closeArchiveEntry();
    }
    return bytes.toByteArray();
  }
}
