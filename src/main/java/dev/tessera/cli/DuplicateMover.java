package dev.tessera.cli;

import dev.tessera.search.Duplicates.Group;
import dev.tessera.search.Duplicates.Member;
import dev.tessera.search.Entry;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * Moves what is there again out of the way. A file that is not what was compared stays, and so does
 * a whole group whose image to keep is not there any more.
 */
final class DuplicateMover {
  private final Path folder;

  DuplicateMover(Path folder) {
    this.folder = folder;
  }

  /** Moves all members of {@code groups} but the kept ones, and returns where they are now. */
  Set<Path> move(List<Group> groups) throws Failure {
    Set<Path> moved = new LinkedHashSet<>();
    for (Group group : groups) {
      if (!isAsCompared(group.kept().entry())) {
        continue;
      }
      for (Member member : group.members().subList(1, group.members().size())) {
        if (isAsCompared(member.entry())) {
          moved.add(move(member.entry()));
        }
      }
    }
    return moved;
  }

  private static boolean isAsCompared(Entry entry) {
    try {
      BasicFileAttributes now = Files.readAttributes(entry.file(), BasicFileAttributes.class);
      if (now.size() == entry.size()
          && now.lastModifiedTime().to(TimeUnit.NANOSECONDS) == entry.modified()) {
        return true;
      }
    } catch (IOException e) {
      // Said below.
    }
    System.err.println(
        Terminal.printable(
            "tessera: "
                + entry.file()
                + " has changed since it was compared; it and what is the same stay"));
    return false;
  }

  private Path move(Entry entry) throws Failure {
    Path wanted = folder.resolve(entry.path());
    try {
      Files.createDirectories(wanted.toAbsolutePath().getParent());
      for (int number = 1; ; number++) {
        Path target = number == 1 ? wanted : numbered(wanted, number);
        try {
          return Files.move(entry.file(), target);
        } catch (FileAlreadyExistsException e) {
          // Another number.
        }
      }
    } catch (IOException e) {
      throw ResultOutput.failure(wanted.toString(), e);
    }
  }

  private static Path numbered(Path file, int number) {
    String name = file.getFileName().toString();
    int dot = name.lastIndexOf('.');
    String numbered =
        dot > 0 ? name.substring(0, dot) + "-" + number + name.substring(dot) : name + "-" + number;
    return file.resolveSibling(numbered);
  }
}
