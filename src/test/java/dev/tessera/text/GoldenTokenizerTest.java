package dev.tessera.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.tessera.checkpoint.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.assertj.core.api.SoftAssertions;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every row of the reference tokenizers, exactly. */
class GoldenTokenizerTest {
  private static final Path RESOURCES = Path.of("test/resources/tokenizers");

  @Test
  void bertOfAVocabularyFile() throws IOException {
    Path folder = RESOURCES.resolve("bert-wordpiece-uncased");
    bert(Tokenizers.load(folder), folder);
  }

  @Test
  void bertOfATokenizerFile() throws IOException {
    bert(Tokenizers.load(shared("all-MiniLM-L6-v2")), RESOURCES.resolve("bert-wordpiece-uncased"));
  }

  private static void bert(Tokenizer tokenizer, Path folder) throws IOException {
    SoftAssertions softly = new SoftAssertions();
    for (Map<String, @Nullable Object> row : rows(folder)) {
      if (row.get("decode_skip_special") instanceof String text) {
        softly.assertThat(tokenizer.decode(ints(row, "ids"), true)).isEqualTo(text);
        continue;
      }
      Encoding encoding =
          tokenizer.encode(
              text(row),
              (String) row.get("pair"),
              row.get("max_length") instanceof Long limit ? limit.intValue() : Tokenizer.UNLIMITED);
      softly.assertThat(encoding.ids()).as(text(row)).isEqualTo(ints(row, "ids"));
      if (row.containsKey("type_ids")) {
        softly.assertThat(encoding.typeIds()).as(text(row)).isEqualTo(ints(row, "type_ids"));
      } else {
        softly.assertThat(encoding.typeIds()).containsOnly(0);
      }
      if (row.get("tokens") instanceof List<?> tokens) {
        softly
            .assertThat(Arrays.stream(encoding.ids()).mapToObj(tokenizer::token).toList())
            .isEqualTo(tokens);
      }
    }
    softly.assertAll();
  }

  @Test
  void byteLevelBpe() throws IOException {
    Path folder = RESOURCES.resolve("byte-bpe");
    plain(Tokenizers.load(folder), folder, "ids", true);
  }

  @Test
  void byteLevelBpeOfVocabularyAndMerges(@TempDir Path folder) throws IOException {
    Path original = RESOURCES.resolve("byte-bpe");
    for (String name : List.of("vocab.json", "merges.txt")) {
      Files.copy(original.resolve(name), folder.resolve(name));
    }
    plain(Tokenizers.load(folder), original, "ids", true);
  }

  @ParameterizedTest
  @ValueSource(strings = {"spm-unigram", "spm-bpe"})
  void sentencePiece(String name) throws IOException {
    plain(Tokenizers.load(RESOURCES.resolve(name)), RESOURCES.resolve(name), "ids", true);
  }

  @Test
  void unigramOfATokenizerFile() throws IOException {
    Path folder = shared("tokenizers/spm-unigram");
    plain(Tokenizers.load(folder), folder, "tokenizer_json_ids_eos", false);
  }

  @Test
  void siglip(@TempDir Path folder) throws IOException {
    Path rows = RESOURCES.resolve("siglip");
    Files.copy(rows.resolve("tokenizer_config.json"), folder.resolve("tokenizer_config.json"));
    Files.copy(RESOURCES.resolve("spm-unigram/spiece.model"), folder.resolve("spiece.model"));
    Tokenizer tokenizer = Tokenizers.load(folder);
    plain(tokenizer, rows, "ids", false);
    SoftAssertions softly = new SoftAssertions();
    for (Map<String, @Nullable Object> row : rows(rows)) {
      softly
          .assertThat(tokenizer.encode(text(row), null, 5).ids())
          .as(text(row))
          .isEqualTo(ints(row, "ids_of_5"));
    }
    softly.assertAll();
    assertThat(tokenizer.padId()).isEqualTo(tokenizer.id("</s>"));
    assertThat(tokenizer.maxLength()).isEqualTo(64);
  }

  @Test
  void clip() throws IOException {
    Path folder = shared("tokenizers/clip-bpe");
    plain(Tokenizers.load(folder), folder, "hf", false);
  }

  @Test
  void openClip() throws IOException {
    Path folder = shared("tokenizers/clip-bpe");
    Tokenizer tokenizer = Tokenizers.openClip(folder, 77);
    SoftAssertions softly = new SoftAssertions();
    for (Map<String, @Nullable Object> row : rows(folder)) {
      softly
          .assertThat(tokenizer.encodePlain(text(row)))
          .as(text(row))
          .isEqualTo(ints(row, "open_clip"));
      if (row.containsKey("open_clip_tokenize77")) {
        int[] padded = Arrays.copyOf(tokenizer.encode(text(row), null, 77).ids(), 77);
        softly.assertThat(padded).isEqualTo(ints(row, "open_clip_tokenize77"));
      }
    }
    softly.assertAll();
  }

  private static void plain(Tokenizer tokenizer, Path folder, String key, boolean decodes)
      throws IOException {
    SoftAssertions softly = new SoftAssertions();
    for (Map<String, @Nullable Object> row : rows(folder)) {
      int[] ids = tokenizer.encode(text(row)).ids();
      softly.assertThat(ids).as(text(row)).isEqualTo(ints(row, key));
      if (decodes) {
        softly.assertThat(tokenizer.decode(ids, false)).isEqualTo(row.get("decoded"));
      }
    }
    softly.assertAll();
  }

  static List<Map<String, @Nullable Object>> rows(Path folder) throws IOException {
    List<Map<String, @Nullable Object>> rows = new ArrayList<>();
    Object document = Json.parse(Files.readString(folder.resolve("expected.json")));
    for (Object row : (List<?>) Objects.requireNonNull(document)) {
      rows.add(Objects.requireNonNull(Json.asObject(row)));
    }
    assertThat(rows).hasSizeGreaterThan(60);
    return rows;
  }

  private static String text(Map<String, @Nullable Object> row) {
    return (String) Objects.requireNonNull(row.get("text"));
  }

  private static int[] ints(Map<String, @Nullable Object> row, String key) {
    return ((List<?>) Objects.requireNonNull(row.get(key)))
        .stream().mapToInt(id -> ((Long) Objects.requireNonNull(id)).intValue()).toArray();
  }

  /** A folder of the shared references; the test is skipped where they are absent. */
  static Path shared(String name) {
    String configured =
        System.getProperty(
            "TESSERA_SHARED", System.getenv().getOrDefault("TESSERA_SHARED", "../shared"));
    // Tests run in the module; the folder is named from the repository's root, one above.
    Path folder = Path.of("..").resolve(configured).resolve("golden/open").resolve(name);
    assumeThat(folder).as("skipped: it is not in TESSERA_SHARED or ../shared").exists();
    return folder;
  }
}
