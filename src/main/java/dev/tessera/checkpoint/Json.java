package dev.tessera.checkpoint;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.core.util.Separators;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * JSON as unmodifiable {@link Map}, {@link List}, {@link String}, {@link Long}, {@link Double},
 * {@link Boolean} and null, read within bounds and written with key order kept.
 *
 * <p>As in Python's {@code json}, the last of two equal keys counts and {@code NaN} and {@code
 * Infinity} are numbers.
 */
public final class Json {
  /**
   * What a document may cost before it is refused.
   *
   * @param bytes size of the document
   * @param tokens brackets, keys and values in all, which bounds the heap that the result takes
   * @param stringLength characters in one string or key
   */
  public record Limits(long bytes, long tokens, int stringLength) {
    /** Enough for the largest published {@code config.json} and shard index, many times over. */
    public static final Limits CONFIG = new Limits(16L << 20, 1L << 20, 1 << 20);
  }

  private static final int DEPTH = 64;
  private static final int NUMBER_LENGTH = 400;

  private Json() {}

  /** The object in {@code file}, within {@link Limits#CONFIG}. */
  public static Map<String, @Nullable Object> readObject(Path file) throws IOException {
    return readObject(file, Limits.CONFIG);
  }

  /**
   * The object in {@code file}.
   *
   * @throws CheckpointException if the file is missing, too large, no JSON or no object
   */
  public static Map<String, @Nullable Object> readObject(Path file, Limits limits)
      throws IOException {
    return object(read(file, limits), "its content", file);
  }

  private static @Nullable Object read(Path file, Limits limits) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw Files.exists(file)
          ? new CheckpointException(file, "is not a regular file; a JSON file is expected here")
          : new CheckpointException(file, "is missing", new NoSuchFileException(file.toString()));
    }
    if (Files.size(file) > limits.bytes()) {
      throw new CheckpointException(
          file,
          "has "
              + Files.size(file)
              + " bytes but at most "
              + limits.bytes()
              + " are read as JSON here; check that this is the right file");
    }
    try (InputStream in = Files.newInputStream(file);
        JsonParser parser = parser(in, limits)) {
      return document(parser);
    } catch (CharacterCodingException e) {
      throw new CheckpointException(
          file, "is not readable as JSON: it is not UTF-8; replace it by an intact copy", e);
    } catch (JsonProcessingException e) {
      throw new CheckpointException(
          file, "is not readable as JSON: " + reason(e) + "; replace it by an intact copy", e);
    }
  }

  /**
   * The list in {@code file}, within {@link Limits#CONFIG}.
   *
   * @throws CheckpointException if the file is missing, too large, no JSON or no list
   */
  public static List<?> readList(Path file) throws IOException {
    Object value = read(file, Limits.CONFIG);
    if (value instanceof List<?> list) {
      return list;
    }
    throw new CheckpointException(
        file,
        "its content is "
            + describe(value)
            + " but must be a JSON list; replace the file by an intact copy");
  }

  /** The value that {@code text} holds, within {@link Limits#CONFIG}. */
  public static @Nullable Object parse(String text) throws JsonProcessingException {
    try (JsonParser parser = factory(Limits.CONFIG).createParser(text)) {
      return document(parser);
    } catch (JsonProcessingException e) {
      throw e;
    } catch (IOException e) {
      throw new UncheckedIOException("reading a string cannot fail", e);
    }
  }

  /** {@code value} with two spaces of indentation and a line feed at the end. */
  public static String write(@Nullable Object value) {
    StringWriter text = new StringWriter();
    DefaultIndenter lines = new DefaultIndenter("  ", "\n");
    DefaultPrettyPrinter printer =
        new DefaultPrettyPrinter(
            Separators.createDefaultInstance()
                .withObjectFieldValueSpacing(Separators.Spacing.AFTER)
                .withObjectEmptySeparator("")
                .withArrayEmptySeparator(""));
    printer.indentObjectsWith(lines);
    printer.indentArraysWith(lines);
    JsonFactory factory =
        JsonFactory.builder().disable(JsonWriteFeature.WRITE_NAN_AS_STRINGS).build();
    try (JsonGenerator generator = factory.createGenerator(text)) {
      generator.setPrettyPrinter(printer);
      write(generator, value);
    } catch (IOException e) {
      throw new UncheckedIOException("writing to a string cannot fail", e);
    }
    return text.append('\n').toString();
  }

  /** {@code value}, which is {@code what} in {@code file}, as the object that it must be. */
  static Map<String, @Nullable Object> object(@Nullable Object value, String what, Path file)
      throws CheckpointException {
    Map<String, @Nullable Object> object = asObject(value);
    if (object == null) {
      throw new CheckpointException(
          file,
          what
              + " is "
              + describe(value)
              + " but must be a JSON object; replace the file by an intact copy");
    }
    return object;
  }

  /** {@code value} if it is a JSON object, else null. */
  @SuppressWarnings("unchecked") // objects made by this class have string keys only
  public static @Nullable Map<String, @Nullable Object> asObject(@Nullable Object value) {
    return value instanceof Map<?, ?> map ? (Map<String, @Nullable Object>) map : null;
  }

  /** What {@code value} is, in JSON's words, for error messages. */
  public static String describe(@Nullable Object value) {
    return switch (value) {
      case null -> "null";
      case String text -> "\"" + (text.length() > 60 ? text.substring(0, 60) + "…" : text) + "\"";
      case Number number -> number.toString();
      case Boolean bool -> bool.toString();
      case List<?> list -> "a list of " + list.size();
      case Map<?, ?> map -> "an object of " + map.size();
      default -> value.getClass().getSimpleName();
    };
  }

  /** A parser of UTF-8 that keeps to {@code limits}. */
  static JsonParser parser(InputStream in, Limits limits) throws IOException {
    // A decoder of its own fails on malformed bytes, which a plain reader would replace silently.
    return factory(limits)
        .createParser(new InputStreamReader(in, StandardCharsets.UTF_8.newDecoder()));
  }

  private static JsonFactory factory(Limits limits) {
    return JsonFactory.builder()
        .streamReadConstraints(
            StreamReadConstraints.builder()
                .maxDocumentLength(limits.bytes())
                .maxTokenCount(limits.tokens())
                .maxStringLength(limits.stringLength())
                .maxNameLength(limits.stringLength())
                .maxNestingDepth(DEPTH)
                .maxNumberLength(NUMBER_LENGTH)
                .build())
        // Untrusted keys must neither fill the JVM's string table nor collide in a shared one.
        .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
        .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
        .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
        .build();
  }

  /** Jackson's reason and place on one line, without the text it was reading. */
  static String reason(JsonProcessingException e) {
    String message = e.getOriginalMessage().lines().findFirst().orElse("malformed");
    if (message.length() > 200) {
      message = message.substring(0, 200) + "…";
    }
    return e.getLocation() == null
        ? message
        : message
            + " (line "
            + e.getLocation().getLineNr()
            + ", column "
            + e.getLocation().getColumnNr()
            + ")";
  }

  private static @Nullable Object document(JsonParser parser) throws IOException {
    if (parser.nextToken() == null) {
      throw new JsonParseException(parser, "the document is empty");
    }
    Object value = value(parser);
    if (parser.nextToken() != null) {
      throw new JsonParseException(parser, "something follows the end of the document");
    }
    return value;
  }

  /** The value at the parser's token. Recursion is bounded by the factory's nesting depth. */
  static @Nullable Object value(JsonParser parser) throws IOException {
    return switch (parser.currentToken()) {
      case START_OBJECT -> {
        Map<String, @Nullable Object> object = new LinkedHashMap<>();
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
          String key = parser.currentName();
          parser.nextToken();
          object.put(key, value(parser));
        }
        yield Collections.unmodifiableMap(object);
      }
      case START_ARRAY -> {
        List<@Nullable Object> list = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
          list.add(value(parser));
        }
        yield Collections.unmodifiableList(list);
      }
      case VALUE_STRING -> parser.getText();
      case VALUE_NUMBER_INT ->
          switch (parser.getNumberType()) {
            case INT, LONG -> parser.getLongValue();
            // Python's integers are unbounded; nothing here needs one that a double cannot say.
            default -> parser.getDoubleValue();
          };
      case VALUE_NUMBER_FLOAT -> parser.getDoubleValue();
      case VALUE_TRUE -> true;
      case VALUE_FALSE -> false;
      case VALUE_NULL -> null;
      case END_OBJECT, END_ARRAY, FIELD_NAME, NOT_AVAILABLE, VALUE_EMBEDDED_OBJECT ->
          throw new JsonParseException(parser, "a value is missing");
    };
  }

  private static void write(JsonGenerator generator, @Nullable Object value) throws IOException {
    switch (value) {
      case null -> generator.writeNull();
      case String text -> generator.writeString(text);
      case Boolean bool -> generator.writeBoolean(bool);
      case Integer number -> generator.writeNumber(number);
      case Long number -> generator.writeNumber(number);
      case Float number -> generator.writeNumber(number);
      case Double number -> generator.writeNumber(number);
      case Map<?, ?> map -> {
        generator.writeStartObject();
        for (Map.Entry<?, ?> entry : map.entrySet()) {
          generator.writeFieldName(String.valueOf(entry.getKey()));
          write(generator, entry.getValue());
        }
        generator.writeEndObject();
      }
      case Iterable<?> list -> {
        generator.writeStartArray();
        for (Object element : list) {
          write(generator, element);
        }
        generator.writeEndArray();
      }
      default ->
          throw new IllegalArgumentException("no JSON form for " + value.getClass().getName());
    }
  }
}
