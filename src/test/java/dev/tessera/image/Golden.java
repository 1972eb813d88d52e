package dev.tessera.image;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;

/** Reads the reference pictures and tensors that Python made. */
final class Golden {
  private static final Pattern SHAPE = Pattern.compile("'shape': \\((\\d+), (\\d+), 3\\)");

  private Golden() {}

  /** One tensor of a safetensors file: U8 or F32. */
  record Array(String dtype, int[] shape, byte[] data) {
    RgbImage image() {
      return new RgbImage(shape[1], shape[0], data);
    }

    float[] floats() {
      float[] values = new float[data.length / 4];
      ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
      return values;
    }
  }

  /** A folder of src/test/resources/images. */
  static Path resources(String folder) {
    try {
      return Path.of(Objects.requireNonNull(Golden.class.getResource("/images/" + folder)).toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  /** A path below the folder of bulk fixtures; the test is skipped where it is absent. */
  static Path shared(String path) {
    String configured =
        System.getProperty("TESSERA_SHARED", System.getenv().getOrDefault("TESSERA_SHARED", ""));
    List<Path> candidates = new ArrayList<>();
    if (!configured.isEmpty()) {
      candidates.add(Path.of(configured));
    }
    candidates.add(Path.of("../shared"));
    candidates.add(Path.of("../../shared")); // tests run in the module, one below the root
    for (Path candidate : candidates) {
      if (Files.exists(candidate.resolve(path))) {
        return candidate.resolve(path);
      }
    }
    Assumptions.abort("skipped: " + path + " is not in TESSERA_SHARED or ../shared");
    throw new IllegalStateException();
  }

  static List<Path> list(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(f -> !f.toString().matches(".*(\\.npy|\\.npy\\.gz|\\.json|\\.md|\\.py)"))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The reference picture of {@code file} in {@code folder}, or null if there is none. */
  static @Nullable RgbImage rgb(Path folder, Path file) {
    Path plain = folder.resolve(file.getFileName() + ".npy");
    Path zipped = folder.resolve(file.getFileName() + ".npy.gz");
    try {
      byte[] npy;
      if (Files.exists(zipped)) {
        try (InputStream in = new GZIPInputStream(Files.newInputStream(zipped))) {
          npy = in.readAllBytes();
        }
      } else if (Files.exists(plain)) {
        npy = Files.readAllBytes(plain);
      } else {
        return null;
      }
      int header = 10 + (npy[8] & 0xff) + ((npy[9] & 0xff) << 8);
      Matcher shape = SHAPE.matcher(new String(npy, 0, header, StandardCharsets.ISO_8859_1));
      if (!shape.find()) {
        throw new IllegalStateException(file + " has no RGB reference");
      }
      return new RgbImage(
          Integer.parseInt(shape.group(2)),
          Integer.parseInt(shape.group(1)),
          Arrays.copyOfRange(npy, header, npy.length));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static Map<String, Array> safetensors(Path file) {
    try {
      byte[] bytes = Files.readAllBytes(file);
      int length = (int) ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
      Map<String, Array> arrays = new LinkedHashMap<>();
      json(new String(bytes, 8, length, StandardCharsets.UTF_8))
          .forEach(
              (name, value) -> {
                if (value instanceof Map<?, ?> entry
                    && entry.get("shape") instanceof List<?> dims) {
                  int[] shape = dims.stream().mapToInt(d -> ((Number) d).intValue()).toArray();
                  List<?> range = (List<?>) Objects.requireNonNull(entry.get("data_offsets"));
                  int from = ((Number) range.get(0)).intValue() + 8 + length;
                  int to = ((Number) range.get(1)).intValue() + 8 + length;
                  arrays.put(
                      name,
                      new Array(
                          String.valueOf(entry.get("dtype")),
                          shape,
                          Arrays.copyOfRange(bytes, from, to)));
                }
              });
      return arrays;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @SuppressWarnings("unchecked")
  static Map<String, @Nullable Object> json(String text) {
    try (JsonParser parser = new JsonFactory().createParser(text)) {
      parser.nextToken();
      return (Map<String, @Nullable Object>) Objects.requireNonNull(value(parser));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static @Nullable Object value(JsonParser parser) throws IOException {
    return switch (parser.currentToken()) {
      case START_OBJECT -> {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
          String name = parser.currentName();
          parser.nextToken();
          map.put(name, value(parser));
        }
        yield map;
      }
      case START_ARRAY -> {
        List<@Nullable Object> list = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
          list.add(value(parser));
        }
        yield list;
      }
      case VALUE_STRING -> parser.getText();
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> parser.getNumberValue();
      case VALUE_TRUE -> true;
      case VALUE_FALSE -> false;
      default -> null;
    };
  }
}
