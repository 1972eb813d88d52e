package dev.tessera.data.recipe;

import dev.tessera.data.DataException;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipFile;

/**
 * Unpacks tar and zip archives that nobody vouches for: only files and folders, only below the
 * target, nothing twice, and no more than was agreed.
 */
final class Archive {
  /** What an archive may become. */
  record Limits(long bytes, int entries) {
    /**
     * Images are compressed already: archives of them hardly grow. Four times is enough for every
     * one of the recipes.
     */
    static Limits of(long archiveBytes) {
      return new Limits(4 * archiveBytes + (64 << 20), 2_000_000);
    }
  }

  private static final int MAX_DEPTH = 20;

  private final Path file;
  private final Path target;
  private final Limits limits;
  private final Progress progress;
  private long bytes;
  private int entries;

  private Archive(Path file, Path target, Limits limits, Progress progress) {
    this.file = file;
    this.target = target;
    this.limits = limits;
    this.progress = progress;
  }

  static boolean isArchive(String name) {
    return name.endsWith(".tar.gz") || name.endsWith(".tgz") || name.endsWith(".zip");
  }

  /**
   * Unpacks {@code file} into {@code target}, a folder that nothing else writes to.
   *
   * @throws DataException if the archive is damaged, has something in it that is refused or exceeds
   *     {@code limits}; what was unpacked until then stays
   */
  static void unpack(Path file, Path target, Limits limits, Progress progress) throws IOException {
    Archive archive = new Archive(file, target, limits, progress);
    try {
      if (file.toString().endsWith(".zip")) {
        archive.unzip();
      } else {
        archive.untar();
      }
    } catch (DataException e) {
      throw e;
    } catch (FileSystemException e) {
      throw new DataException("cannot write into " + target + ": " + e.getMessage(), e);
    } catch (IOException | RuntimeException e) {
      // The library reports damage with whatever exception the damage led to.
      throw new DataException(
          file + " is damaged (" + e.getMessage() + "); remove it and get it again", e);
    }
  }

  private void untar() throws IOException {
    try (TarArchiveInputStream in =
        new TarArchiveInputStream(
            new GZIPInputStream(
                new BufferedInputStream(Files.newInputStream(file), 1 << 16), 1 << 16))) {
      for (TarArchiveEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
        boolean plain =
            entry.isFile()
                && !entry.isSymbolicLink()
                && !entry.isLink()
                && !entry.isSparse()
                && !entry.isFIFO()
                && !entry.isCharacterDevice()
                && !entry.isBlockDevice();
        put(entry.getName(), entry.isDirectory(), plain, in);
      }
    }
  }

  private void unzip() throws IOException {
    try (ZipFile zip = ZipFile.builder().setPath(file).get()) {
      for (ZipArchiveEntry entry : Collections.list(zip.getEntries())) {
        if (!entry.isUnixSymlink() && zip.canReadEntryData(entry)) {
          try (InputStream in = zip.getInputStream(entry)) {
            put(entry.getName(), entry.isDirectory(), true, in);
          }
        } else {
          put(entry.getName(), false, false, InputStream.nullInputStream());
        }
      }
    }
  }

  private void put(String name, boolean folder, boolean plain, InputStream in) throws IOException {
    if (++entries > limits.entries()) {
      throw refused("holds more than %d entries".formatted(limits.entries()));
    }
    Path place = place(name);
    if (folder) {
      Files.createDirectories(place);
    } else if (!plain) {
      throw refused("holds a link, a device or a file of another kind (\"" + name + "\")");
    } else {
      Files.createDirectories(place.getParent());
      write(name, place, in);
      progress.advance("unpacking " + file.getFileName(), entries, -1);
    }
  }

  private void write(String name, Path place, InputStream in) throws IOException {
    try (OutputStream out =
        Files.newOutputStream(place, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      byte[] buffer = new byte[1 << 16];
      for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
        bytes += count;
        if (bytes > limits.bytes()) {
          throw refused("unpacks to more than %d bytes".formatted(limits.bytes()));
        }
        out.write(buffer, 0, count);
      }
    } catch (FileAlreadyExistsException e) {
      throw new DataException(
          file + " holds \"" + name + "\" twice and was not unpacked; get it again", e);
    }
  }

  /**
   * Where an entry goes: below the target by its name alone, whatever the system makes of names.
   */
  private Path place(String name) throws DataException {
    Path place = target;
    int depth = 0;
    for (String step : name.split("/", -1)) {
      boolean here = step.isEmpty() || step.equals(".");
      if (here && !name.startsWith("/")) {
        continue;
      }
      boolean safe =
          !here
              && !step.equals("..")
              && step.indexOf('\\') < 0
              && step.indexOf(':') < 0
              && step.chars().noneMatch(Character::isISOControl)
              && step.length() <= 255;
      if (!safe || ++depth > MAX_DEPTH) {
        throw refused("holds an entry that would leave its folder (\"" + name + "\")");
      }
      place = place.resolve(step);
    }
    return place;
  }

  private DataException refused(String reason) {
    return new DataException(
        file
            + " "
            + reason.replaceAll("\\p{Cntrl}", "?")
            + " and was not unpacked; do not trust it");
  }
}
