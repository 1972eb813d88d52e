package dev.tessera.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tessera.model.Prediction;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class LabelFoldersTest {
  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource
  void placesByLabelAndNeverOverwrites(LabelFolders.Mode mode) throws Exception {
    Path root = folder.resolve("sorted");
    LabelFolders folders = new LabelFolders(root, mode, List.of("cat", "a/b", "a_b", ".."));
    Path one = make("1/x.tar.jpg", "one");
    Path two = make("2/x.tar.jpg", "two");
    folders.put(one, label(0));
    folders.put(two, label(0));
    folders.put(two, label(0));
    folders.put(one, label(1));
    folders.put(one, label(2));
    folders.put(one, label(3));
    folders.put(two, List.of());
    assertThat(tree(root))
        .containsExactlyInAnyOrder(
            "cat/x.tar.jpg=one",
            "cat/x.tar-2.jpg=two",
            "a_b/x.tar.jpg=one",
            "a_b-2/x.tar.jpg=one",
            "_/x.tar.jpg=one",
            "_unsure/x.tar.jpg=two");
    assertThat(Files.isSymbolicLink(root.resolve("cat/x.tar.jpg")))
        .isEqualTo(mode == LabelFolders.Mode.SYMLINK);
    assertThat(Files.isSameFile(one, root.resolve("cat/x.tar.jpg")))
        .isEqualTo(mode != LabelFolders.Mode.COPY);
  }

  @Test
  void aFileInThePlaceOfTheFolderIsAnOutputError() throws IOException {
    Path file = make("file", "x");
    assertThatThrownBy(() -> new LabelFolders(file, LabelFolders.Mode.COPY, List.of("cat")))
        .isInstanceOfSatisfying(
            Failure.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.OUTPUT));
  }

  @Property(tries = 500)
  void namesAreSafeAndDifferent(@ForAll @Size(max = 8) List<String> labels) {
    String[] names = LabelFolders.folderNames(labels);
    assertThat(new HashSet<>(Arrays.asList(names)).size()).isEqualTo(labels.size());
    for (String name : names) {
      assertThat(name)
          .isNotEmpty()
          .isNotEqualTo(LabelFolders.UNSURE)
          .doesNotContain("/", "\\", "\0", "\n")
          .doesNotStartWith(".")
          .doesNotEndWith(" ");
      assertThat(name.length()).isLessThan(120);
    }
    assertThat(Stream.of(names).map(n -> n.toLowerCase(Locale.ROOT)).distinct().count())
        .isEqualTo(labels.size());
  }

  private static List<Prediction> label(int index) {
    return List.of(new Prediction(index, "ignored", 1));
  }

  private Path make(String name, String content) throws IOException {
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    return Files.writeString(file, content);
  }

  private static List<String> tree(Path root) throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      return files
          .filter(Files::isRegularFile)
          .map(file -> {
            try {
              return root.relativize(file) + "=" + Files.readString(file);
            } catch (IOException e) {
              throw new java.io.UncheckedIOException(e);
            }
          })
          .toList();
    }
  }
}
