package dev.tessera.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonTest {
  @TempDir Path folder;

  @Test
  void readsEveryKindOfValue() throws IOException {
    Map<String, Object> expected = new LinkedHashMap<>();
    expected.put("i", 224L);
    expected.put("f", 1e-12);
    expected.put("s", "ü\"\n");
    expected.put("l", Arrays.asList(1L, null, true, List.of()));
    expected.put("o", Map.of());
    expected.put("nan", Double.POSITIVE_INFINITY);
    expected.put("big", 1e20);
    assertThat(
            Json.parse(
                "{\"i\":224,\"f\":1e-12,\"s\":\"ü\\\"\\n\",\"l\":[1,null,true,[]],\"o\":{},"
                    + "\"nan\":Infinity,\"big\":100000000000000000000}"))
        .isEqualTo(expected);
  }

  @Test
  void theLastOfTwoEqualKeysCounts() throws IOException {
    assertThat(Json.parse("{\"a\":1,\"a\":2}")).isEqualTo(Map.of("a", 2L));
  }

  @Test
  void resultsCannotBeChanged() throws IOException {
    assertThatThrownBy(() -> Json.asObject(Json.parse("{\"a\":1}")).clear())
        .isInstanceOf(UnsupportedOperationException.class);
    assertThatThrownBy(() -> ((List<?>) Json.parse("[1]")).clear())
        .isInstanceOf(UnsupportedOperationException.class);
  }

  @Test
  void writesAsTransformersDoes() {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("model_type", "vit");
    config.put("id2label", Map.of("0", "cat"));
    config.put("size", List.of(32, 16));
    config.put("none", null);
    config.put("empty", Map.of());
    assertThat(Json.write(config))
        .isEqualTo(
            """
            {
              "model_type": "vit",
              "id2label": {
                "0": "cat"
              },
              "size": [
                32,
                16
              ],
              "none": null,
              "empty": {}
            }
            """);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "{",
        "[1,",
        "{\"a\":",
        "{\"a\"}",
        "{} {}",
        "nul",
        "'a'",
        "[1 2]",
        "{\"a\":1e}",
        "\"\\ud8"
      })
  void refusesMalformedText(String text) {
    assertThatThrownBy(() -> Json.parse(text)).isInstanceOf(JsonProcessingException.class);
  }

  @Test
  void refusesWhatWouldCostTooMuch() {
    for (String text :
        List.of(
            "[".repeat(100_000),
            "{\"a\":".repeat(100_000),
            "[" + "[],".repeat(600_000) + "1]",
            "\"" + "x".repeat((1 << 20) + 1) + "\"",
            "{\"" + "x".repeat((1 << 20) + 1) + "\":1}",
            "9".repeat(1_000_000))) {
      assertThatThrownBy(() -> Json.parse(text))
          .as("%s… of %d", text.substring(0, 8), text.length())
          .isInstanceOf(JsonProcessingException.class);
    }
  }

  @Test
  void namesFileAndPlaceOfAnError() throws IOException {
    Path file = folder.resolve("config.json");
    assertThatThrownBy(() -> Json.readObject(file)).hasMessage(file + ": is missing");
    assertThatThrownBy(() -> Json.readObject(folder))
        .hasMessage(folder + ": is not a regular file; a JSON file is expected here");
    Files.writeString(file, "{\n \"a\": x}");
    assertThatThrownBy(() -> Json.readObject(file))
        .isInstanceOf(CheckpointException.class)
        .hasMessageStartingWith(file + ": is not readable as JSON: ")
        .hasMessageEndingWith("(line 2, column 7); replace it by an intact copy");
    Files.writeString(file, "[1]");
    assertThatThrownBy(() -> Json.readObject(file))
        .hasMessage(
            file
                + ": its content is a list of 1 but must be a JSON object; replace the file by an"
                + " intact copy");
    Files.write(file, new byte[] {'{', '"', (byte) 0xff, '"', ':', '1', '}'});
    assertThatThrownBy(() -> Json.readObject(file))
        .hasMessage(
            file + ": is not readable as JSON: it is not UTF-8; replace it by an intact copy");
    assertThatThrownBy(() -> Json.readObject(file, new Json.Limits(3, 10, 10)))
        .hasMessageContaining("has 7 bytes but at most 3 are read as JSON here");
  }

  @Test
  void writesInfinityAsPythonDoes() {
    assertThat(Json.write(List.of(Double.NEGATIVE_INFINITY)).strip().replaceAll("\\s", ""))
        .isEqualTo("[-Infinity]");
  }

  @Property(tries = 500)
  void whatIsWrittenIsReadBack(@ForAll long seed) throws IOException {
    Object value = value(new Random(seed), 5);
    assertThat(Json.parse(Json.write(value))).isEqualTo(value);
  }

  @Property(tries = 600)
  void anyBytesAreReadOrRefused(@ForAll("nearJson") String text) throws IOException {
    Path file = Files.createTempFile("tessera", ".json");
    try {
      Files.write(file, text.getBytes(StandardCharsets.ISO_8859_1));
      try {
        assertThat(Json.readObject(file)).isNotNull();
      } catch (CheckpointException e) {
        assertThat(e.getMessage().lines()).hasSize(1);
      }
    } finally {
      Files.delete(file);
    }
  }

  private static @Nullable Object value(Random random, int depth) {
    return switch (random.nextInt(depth == 0 ? 6 : 8)) {
      case 0 -> null;
      case 1 -> random.nextBoolean();
      case 2 -> random.nextLong() >> random.nextInt(64);
      case 3 -> Double.longBitsToDouble(random.nextLong());
      case 4 -> random.nextGaussian();
      case 5 -> text(random);
      case 6 -> {
        List<@Nullable Object> list = new ArrayList<>();
        for (int i = random.nextInt(4); i > 0; i--) {
          list.add(value(random, depth - 1));
        }
        yield list;
      }
      default -> {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        for (int i = random.nextInt(4); i > 0; i--) {
          map.put(text(random), value(random, depth - 1));
        }
        yield map;
      }
    };
  }

  private static String text(Random random) {
    return random
        .ints(random.nextInt(8), 0, 0xd800)
        .map(c -> random.nextBoolean() ? c : c & 0x7f)
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
        .toString();
  }

  @Provide
  Arbitrary<String> nearJson() {
    return Arbitraries.strings()
        .withChars("{}[]\":,0123456789.eE+-\\/ufnatrls \n\t\u0000\u00ff\u00c3\u00ef\u00bb\u00bf")
        .ofMaxLength(40)
        .map(text -> "{" + text);
  }
}
