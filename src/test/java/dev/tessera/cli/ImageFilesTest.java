package dev.tessera.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageFilesTest {
  @TempDir Path folder;

  @Test
  void walksFoldersInTheOrderOfNamesWhateverTheWindow() throws Exception {
    for (String name :
        List.of("b.jpg", "a/2.png", "a/1.png", "a/z/0.webp", "c.JPEG", "a.jpg", "d/x.tif")) {
      make(name);
    }
    List<String> expected =
        List.of("a/1.png", "a/2.png", "a/z/0.webp", "a.jpg", "b.jpg", "c.JPEG", "d/x.tif");
    for (int window : new int[] {1, 2, 3, 100}) {
      ImageFiles files =
          new ImageFiles(
              List.of(folder.toString()), null, filter(List.of(), List.of()), Set.of(), window);
      assertThat(names(files)).as("window %d", window).containsExactlyElementsOf(expected);
    }
  }

  @Test
  void leavesOutHiddenEntriesAndOtherFilesInFoldersButTriesWhatIsNamed() throws Exception {
    make(".hidden.jpg");
    make(".git/a.jpg");
    make("notes.txt");
    make("jpg");
    make("a.jpg");
    assertThat(names(walk())).containsExactly("a.jpg");
    ImageFiles named =
        new ImageFiles(
            List.of(
                folder.resolve("notes.txt").toString(), folder.resolve(".hidden.jpg").toString()),
            null,
            filter(List.of(), List.of()),
            Set.of());
    assertThat(names(named)).containsExactly("notes.txt", ".hidden.jpg");
  }

  @Test
  void globsDecideInsideFolders() throws Exception {
    for (String name : List.of("train/a.jpg", "train/b.png", "test/a.jpg", "test/deep/c.dat")) {
      make(name);
    }
    assertThat(names(walk(List.of("*.jpg"), List.of())))
        .containsExactly("test/a.jpg", "train/a.jpg");
    assertThat(names(walk(List.of("train/**"), List.of())))
        .containsExactly("train/a.jpg", "train/b.png");
    assertThat(names(walk(List.of("*.dat"), List.of()))).containsExactly("test/deep/c.dat");
    assertThat(names(walk(List.of(), List.of("test"))))
        .containsExactly("train/a.jpg", "train/b.png");
    assertThat(names(walk(List.of(), List.of("*.png", "test/a.jpg"))))
        .containsExactly("train/a.jpg");
    assertThatThrownBy(() -> filter(List.of("[a"), List.of()))
        .isInstanceOf(Failure.class)
        .hasMessageContaining("[a")
        .hasMessageContaining("not a glob");
  }

  @Test
  void linksIntoThemselvesEndAndFoldersWrittenToAreNotEntered() throws Exception {
    make("a/1.jpg");
    make("sorted/cat/1.jpg");
    Files.createSymbolicLink(folder.resolve("a/loop"), folder);
    Files.createSymbolicLink(folder.resolve("link"), folder.resolve("a"));
    ImageFiles files =
        new ImageFiles(
            List.of(folder.toString()),
            null,
            filter(List.of(), List.of()),
            Set.of(folder.resolve("sorted").toRealPath()));
    assertThat(names(files)).containsExactly("a/1.jpg", "link/1.jpg");
  }

  @Test
  void readsListsByLineAndByNul() throws Exception {
    make("in/x.jpg");
    String in = folder.resolve("in").toString();
    assertThat(names(list("one.jpg\r\n\n" + in + "\nlast", false)))
        .containsExactly("one.jpg", "in/x.jpg", "last");
    assertThat(names(list("a\nb.jpg\0" + in + "\0", true))).containsExactly("a\nb.jpg", "in/x.jpg");
  }

  @Test
  void aListWithoutLineEndsIsRefusedBeforeItFillsTheMemory() {
    assertThatThrownBy(() -> names(list("x".repeat(100_000), false)))
        .hasMessageContaining("no path");
  }

  @Test
  void missingPathsAreFoundBeforeAnythingIsDone() throws Exception {
    Path there = make("a.jpg");
    ImageFiles.check(List.of(there.toString(), "-"));
    assertThatThrownBy(() -> ImageFiles.check(List.of(there.toString(), there + "x")))
        .isInstanceOf(Failure.class)
        .hasMessageContaining(there + "x: no such file");
  }

  private ImageFiles walk() throws Failure {
    return walk(List.of(), List.of());
  }

  private ImageFiles walk(List<String> includes, List<String> excludes) throws Failure {
    return new ImageFiles(List.of(folder.toString()), null, filter(includes, excludes), Set.of());
  }

  private static FileFilter filter(List<String> includes, List<String> excludes) throws Failure {
    return new FileFilter(includes, excludes);
  }

  private static ImageFiles list(String text, boolean nul) throws Failure {
    PathList list =
        new PathList(
            new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)),
            StandardCharsets.UTF_8,
            nul);
    return new ImageFiles(List.of("-"), list, filter(List.of(), List.of()), Set.of());
  }

  private Path make(String name) throws IOException {
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    return Files.writeString(file, name);
  }

  private List<String> names(ImageFiles files) {
    List<String> names = new ArrayList<>();
    while (files.hasNext()) {
      names.add(files.next().name().replace(folder + "/", ""));
    }
    return names;
  }
}
