package dev.tessera.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.tessera.checkpoint.CheckpointException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What tokenizers do with files that are wrong, and what the reference rows do not show. */
class TokenizersTest {
  private static final Path RESOURCES = Path.of("test/resources/tokenizers");
  @TempDir Path folder;

  private Tokenizer bpe(
      String added, String normalizer, String preTokenizer, String processor, String merges)
      throws IOException {
    Files.writeString(
        folder.resolve("tokenizer.json"),
        """
        {"added_tokens": %s, "normalizer": %s, "pre_tokenizer": %s, "post_processor": %s,
         "decoder": {"type": "Fuse"},
         "model": {"type": "BPE", "unk_token": "?", "vocab":
           {"?": 0, "a": 1, "b": 2, "c": 3, " ": 4, "ab": 5, "abc": 6, "<s>": 7, "</s>": 8},
          "merges": %s}}
        """
            .formatted(added, normalizer, preTokenizer, processor, merges));
    return Tokenizers.load(folder);
  }

  @Test
  void mergesWhatWasLearnedFirst() throws IOException {
    Tokenizer tokenizer = bpe("[]", "null", "null", "null", "[\"a b\", [\"ab\", \"c\"]]");
    assertThat(tokenizer.encode("abcab ax").ids()).containsExactly(6, 5, 4, 1, 0);
    assertThat(tokenizer.decode(new int[] {6, 5, 4, 1}, false)).isEqualTo("abcab a");
    assertThat(tokenizer.id("ab")).isEqualTo(5);
    assertThat(tokenizer.token(5)).isEqualTo("ab");
    assertThat(tokenizer.token(9)).isNull();
    assertThat(tokenizer.vocabularySize()).isEqualTo(9);
    assertThat(tokenizer.padId()).isEqualTo(-1);
    assertThat(tokenizer.maxLength()).isEqualTo(Tokenizer.UNLIMITED);
    assertThatThrownBy(() -> tokenizer.decode(new int[] {1, 9}, false))
        .hasMessage("id 9 is none of the 9 of the vocabulary");
  }

  @Test
  void addedTokensTakeWhatIsBesideThem() throws IOException {
    String added =
        """
        [{"id": 7, "content": "<s>", "lstrip": true, "rstrip": true, "special": true,
          "normalized": false},
         {"id": 8, "content": "</s>", "single_word": true, "normalized": false}]
        """;
    Tokenizer tokenizer = bpe(added, "null", "null", "null", "[]");
    assertThat(tokenizer.encode("a  <s> b").ids()).containsExactly(1, 7, 2);
    assertThat(tokenizer.encode("a </s> b").ids()).containsExactly(1, 4, 8, 4, 2);
    assertThat(tokenizer.encode("a</s>").ids()).hasSize(5).doesNotContain(8);
    assertThat(tokenizer.decode(new int[] {7, 1, 8}, true)).isEqualTo("a</s>");
  }

  @ParameterizedTest
  @CsvSource({
    "3, 5, 100, 3, 5",
    "3, 5, 8, 3, 5",
    "3, 5, 7, 3, 4",
    "5, 3, 6, 3, 3",
    "5, 5, 5, 2, 3",
    "1, 9, 5, 1, 4",
    "9, 1, 1, 1, 0",
    "4, 4, 0, 0, 0"
  })
  void cutsTheLongerOfAPair(int first, int second, int room, int keptFirst, int keptSecond) {
    Encoding encoding = Template.bert(101, 102).encode(new int[first], new int[second], room + 3);
    int[] types = encoding.typeIds();
    assertThat(types).hasSize(keptFirst + keptSecond + 3);
    assertThat(Arrays.stream(types).sum()).isEqualTo(keptSecond + 1);
  }

  @Test
  void cutsAtTheSideThatTheFileNames() {
    Template template = Template.ending(9);
    assertThat(template.encode(new int[] {1, 2, 3}, null, 3).ids()).containsExactly(1, 2, 9);
    assertThat(template.cuttingFront().encode(new int[] {1, 2, 3}, null, 3).ids())
        .containsExactly(2, 3, 9);
    assertThat(template.encode(new int[] {1, 2, 3}, null, 0).ids()).containsExactly(9);
  }

  @Test
  void everyByteHasItsLetter() {
    byte[] bytes = new byte[256];
    for (int i = 0; i < 256; i++) {
      bytes[i] = (byte) i;
    }
    String letters = ByteLetters.of(bytes);
    assertThat(letters.chars().distinct()).hasSize(256);
    for (int i = 0; i < 256; i++) {
      assertThat(ByteLetters.toByte(letters.charAt(i))).isEqualTo(i);
    }
    assertThat(ByteLetters.toByte(' ')).isEqualTo(-1);
    assertThat(ByteLetters.toByte('\u0144')).isEqualTo(-1);
  }

  @Test
  void openClipCleansTexts() {
    OpenClipCleaning cleaning = new OpenClipCleaning();
    assertThat(cleaning.apply(" P&EACUTE;REZ  &amp;amp;\tfish ")).isEqualTo("pérez & fish");
    assertThat(cleaning.apply("<b>&lt;&copy;</b>")).isEqualTo("<b><©</b>");
    assertThat(cleaning.apply("“ﬁne”\u0085\u001b[31mＡ\u0000ς ΟΔΟΣ."))
        .isEqualTo("\"fine\"…aς οδος.");
    assertThat(OpenClipCleaning.canonical(true).apply("A  Photo, of (Σ)! "))
        .isEqualTo("a photo of σ");
  }

  @Test
  void saysWhatIsMissing() {
    assertThat(Tokenizers.in(folder)).isFalse();
    assertThatThrownBy(() -> Tokenizers.load(folder))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("has no tokenizer; it needs tokenizer.json");
  }

  @Test
  void saysWhatAVocabularyLacks() throws IOException {
    Files.writeString(folder.resolve("vocab.txt"), "[PAD]\n[UNK]\n[CLS]\nhello\n");
    assertThat(Tokenizers.in(folder)).isTrue();
    assertThatThrownBy(() -> Tokenizers.load(folder))
        .hasMessageContaining("has a vocabulary without the special token [SEP]");
    Files.delete(folder.resolve("vocab.txt"));
    Files.writeString(folder.resolve("vocab.json"), "{\"a\": 0}");
    assertThatThrownBy(() -> Tokenizers.load(folder))
        .hasMessageContaining("merges.txt: is missing");
    Files.writeString(folder.resolve("merges.txt"), "#version: 0.2\na b\n");
    assertThatThrownBy(() -> Tokenizers.load(folder))
        .hasMessageContaining("need the token \"b\", which the vocabulary lacks");
    Files.writeString(folder.resolve("merges.txt"), "a b c\n");
    assertThatThrownBy(() -> Tokenizers.load(folder)).hasMessageContaining("not two tokens");
    Files.writeString(folder.resolve("merges.txt"), "");
    Files.writeString(folder.resolve("vocab.json"), "{\"a\": 99999999999}");
    assertThatThrownBy(() -> Tokenizers.load(folder)).hasMessageContaining("\"a\" has no id");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"type\": \"Magic\"}",
        "{\"type\": \"Split\", \"pattern\": {\"Regex\": \"(\"}, \"behavior\": \"Isolated\"}",
        "{\"type\": \"Split\", \"pattern\": {\"String\": \"a\"}, \"behavior\": \"Eaten\"}",
        "{\"type\": \"Split\", \"pattern\": 3}",
        "{\"type\": \"Digits\", \"individual_digits\": \"yes\"}",
        "{\"type\": \"Metaspace\", \"prepend_scheme\": \"sometimes\"}",
        "[]"
      })
  void namesWhatIsNotUnderstood(String preTokenizer) {
    assertThatThrownBy(() -> bpe("[]", "null", preTokenizer, "null", "[]"))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("tokenizer.json")
        .hasMessageContaining("pre_tokenizer");
  }

  @Test
  void refusesATableOfCharactersThatIsDamaged() {
    for (String table : new String[] {"AAAA", "/////w==", "CAAAAAAAAAA=", "not base64!"}) {
      assertThatThrownBy(() ->
              bpe(
                  "[]",
                  "{\"type\": \"Precompiled\", \"precompiled_charsmap\": \"" + table + "\"}",
                  "null",
                  "null",
                  "[]"))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("normalizer");
    }
  }

  @Test
  void givesUpOnExpressionsThatTakeForEver() throws IOException {
    String text = "a".repeat(5_000);
    for (String regex : new String[] {"(a+)+$b", "(a|aa)*c", "(?:(?:a|b)*)*c"}) {
      Tokenizer tokenizer =
          bpe(
              "[]",
              "null",
              "{\"type\": \"Split\", \"pattern\": {\"Regex\": \""
                  + regex
                  + "\"}, \"behavior\": \"Isolated\"}",
              "null",
              "[]");
      assertTimeoutPreemptively(
          Duration.ofSeconds(20),
          () ->
              assertThatThrownBy(() -> tokenizer.encode(text))
                  .isInstanceOf(IllegalArgumentException.class)
                  .hasMessageContaining("does not get through a text of 5000 characters"));
    }
  }

  /** A word of a million letters must not take quadratic time. */
  @Test
  void takesLongWordsApart() throws IOException {
    Tokenizer tokenizer = bpe("[]", "null", "null", "null", "[\"a b\"]");
    String text = "ab".repeat(500_000);
    assertTimeoutPreemptively(
        Duration.ofSeconds(30), () -> assertThat(tokenizer.encode(text).ids()).hasSize(500_000));
    for (String name : new String[] {"spm-bpe", "spm-unigram"}) {
      Tokenizer pieces = Tokenizers.load(RESOURCES.resolve(name));
      assertTimeoutPreemptively(
          Duration.ofSeconds(30),
          () -> assertThat(pieces.encode("x".repeat(200_000)).ids()).isNotEmpty());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"spm-bpe", "spm-unigram"})
  void survivesDamagedModels(String name) throws IOException {
    byte[] intact = Files.readAllBytes(RESOURCES.resolve(name).resolve("spiece.model"));
    Random random = new Random(11);
    int refused = 0;
    for (int run = 0; run < 300; run++) {
      byte[] bytes = intact.clone();
      if (run % 3 == 0) {
        bytes = Arrays.copyOf(bytes, random.nextInt(bytes.length));
      }
      for (int i = 0; i < 1 + run % 20 && bytes.length > 0; i++) {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
      }
      Files.write(folder.resolve("spiece.model"), bytes);
      try {
        Tokenizer tokenizer = Tokenizers.load(folder);
        tokenizer.decode(tokenizer.encode("Ｄamaged ﬁles are été \u0000 expected 你好").ids(), true);
      } catch (CheckpointException e) {
        assertThat(e).hasMessageContaining("spiece.model");
        refused++;
      }
    }
    assertThat(refused).isGreaterThan(50);
  }
}
