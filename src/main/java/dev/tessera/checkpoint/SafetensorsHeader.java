package dev.tessera.checkpoint;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import dev.tessera.tensor.DType;
import dev.tessera.tensor.Shape;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/**
 * The JSON header of a safetensors file, checked: every tensor lies inside the file, its bytes are
 * as many as its shape and type need, and together they cover the data without hole or overlap.
 *
 * @param metadata {@code __metadata__}
 * @param entries the tensors in the order of their bytes
 */
record SafetensorsHeader(Map<String, String> metadata, SequencedMap<String, Entry> entries) {
  /** Far more than any published file holds; bounds the heap that a hostile header can take. */
  private static final int MAX_TENSORS = 200_000;

  private static final long MAX_CHARACTERS = 32L << 20;
  private static final int MAX_RANK = 16;
  private static final Json.Limits LIMITS =
      new Json.Limits(Safetensors.MAX_HEADER_BYTES, 16L << 20, 16 << 20);

  /**
   * One tensor.
   *
   * @param dtype null for a type that Tessera does not read
   * @param dtypeName the type as the file has it
   * @param begin first byte, counted from the end of the header
   * @param end one past the last byte
   */
  record Entry(@Nullable DType dtype, String dtypeName, Shape shape, long begin, long end) {}

  /** Says what the file really is, where its first bytes cannot be a header's length. */
  static CheckpointException noHeader(Path file, MemorySegment all) {
    byte[] start = all.asSlice(0, Math.min(8, all.byteSize())).toArray(ValueLayout.JAVA_BYTE);
    String text = new String(start, StandardCharsets.ISO_8859_1);
    if (text.equals("version ")) {
      return new CheckpointException(
          file, "is a Git LFS pointer instead of the file itself; run `git lfs pull`");
    }
    if (text.startsWith("PK\3\4") || text.startsWith("\u0080")) {
      return new CheckpointException(
          file,
          "is a PyTorch pickle under a safetensors name; load it in Python and save it with"
              + " save_pretrained(..., safe_serialization=True)");
    }
    return malformed(
        file,
        all.byteSize() < 8
            ? "it has only " + all.byteSize() + " bytes"
            : "it has "
                + all.byteSize()
                + " bytes and claims a header of "
                + Long.toUnsignedString(
                    all.get(
                        ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0)));
  }

  static String unreadableType(String name, String dtype) {
    return "tensor \""
        + name
        + "\" has type "
        + dtype
        + ", which is not read; save the model as F32, F16 or BF16";
  }

  /**
   * Parses and checks the header.
   *
   * @param header the JSON's bytes, without the length before it
   * @param dataBytes how many bytes follow the header
   */
  static SafetensorsHeader parse(Path file, MemorySegment header, long dataBytes)
      throws IOException {
    if (header.get(ValueLayout.JAVA_BYTE, 0) != '{') {
      throw malformed(file, "its header does not start with {");
    }
    Reader reader = new Reader(file);
    try (JsonParser parser = Json.parser(new Bytes(header), LIMITS)) {
      reader.header(parser);
    } catch (CharacterCodingException e) {
      throw malformed(file, "its header is not UTF-8");
    } catch (JsonProcessingException e) {
      throw new CheckpointException(
          file,
          "is no intact safetensors file: its header is not readable as JSON: "
              + Json.reason(e)
              + "; download or save it again",
          e);
    }
    List<Map.Entry<String, Entry>> order = new ArrayList<>(reader.entries.entrySet());
    order.sort(
        Comparator.comparingLong((Map.Entry<String, Entry> e) -> e.getValue().begin())
            .thenComparingLong(e -> e.getValue().end()));
    SequencedMap<String, Entry> sorted = new LinkedHashMap<>();
    long position = 0;
    for (Map.Entry<String, Entry> named : order) {
      Entry entry = named.getValue();
      if (entry.begin() != position) {
        throw malformed(
            file,
            "tensor \""
                + named.getKey()
                + "\" starts at byte "
                + entry.begin()
                + " of the data where byte "
                + position
                + " is next");
      }
      position = entry.end();
      sorted.put(named.getKey(), entry);
    }
    if (position != dataBytes) {
      throw malformed(
          file,
          "its header describes " + position + " bytes of data but " + dataBytes + " follow it");
    }
    return new SafetensorsHeader(Map.copyOf(reader.metadata), sorted);
  }

  private static CheckpointException malformed(Path file, String what) {
    return new CheckpointException(
        file, "is no intact safetensors file: " + what + "; download or save it again");
  }

  /** The streaming parse: nothing is kept that does not end up in the result. */
  private static final class Reader {
    private final Path file;
    private final Map<String, String> metadata = new HashMap<>();
    private final SequencedMap<String, Entry> entries = new LinkedHashMap<>();
    private long characters;

    Reader(Path file) {
      this.file = file;
    }

    void header(JsonParser parser) throws IOException {
      expect(parser.nextToken(), JsonToken.START_OBJECT, "its header");
      boolean described = false;
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String name = counted(parser.currentName());
        parser.nextToken();
        if (name.equals("__metadata__")) {
          if (described) {
            throw malformed(file, "\"__metadata__\" stands in its header twice");
          }
          described = true;
          metadata(parser);
        } else {
          if (entries.size() == MAX_TENSORS) {
            throw malformed(file, "its header lists more than " + MAX_TENSORS + " tensors");
          }
          if (entries.put(name, entry(parser, name)) != null) {
            throw malformed(file, "tensor \"" + name + "\" stands in its header twice");
          }
        }
      }
      // The writer pads with spaces; anything else after the object is not the format.
      if (parser.nextToken() != null) {
        throw malformed(file, "something follows the JSON object in its header");
      }
    }

    private void metadata(JsonParser parser) throws IOException {
      expect(parser.currentToken(), JsonToken.START_OBJECT, "\"__metadata__\"");
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        if (metadata.size() == MAX_TENSORS) {
          throw malformed(file, "its metadata has more than " + MAX_TENSORS + " entries");
        }
        String key = counted(parser.currentName());
        expect(parser.nextToken(), JsonToken.VALUE_STRING, "each value of \"__metadata__\"");
        metadata.put(key, counted(parser.getText()));
      }
    }

    private Entry entry(JsonParser parser, String name) throws IOException {
      String what = "the entry of tensor \"" + name + "\"";
      expect(parser.currentToken(), JsonToken.START_OBJECT, what);
      String dtypeName = null;
      long[] extents = null;
      long[] offsets = null;
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String key = parser.currentName();
        parser.nextToken();
        switch (key) {
          case "dtype" -> {
            expect(parser.currentToken(), JsonToken.VALUE_STRING, "the dtype of \"" + name + "\"");
            dtypeName = counted(parser.getText());
          }
          case "shape" -> extents = integers(parser, "the shape of tensor \"" + name + "\"");
          case "data_offsets" -> offsets = integers(parser, "data_offsets of \"" + name + "\"");
          default -> throw malformed(file, what + " has an unknown key");
        }
      }
      if (dtypeName == null || extents == null || offsets == null || offsets.length != 2) {
        throw malformed(file, what + " lacks dtype, shape or two data_offsets");
      }
      if (offsets[0] > offsets[1]) {
        throw malformed(file, what + " ends before it begins");
      }
      Shape shape = shape(extents, what);
      DType dtype = dtype(dtypeName);
      if (dtype != null) {
        long bytes;
        try {
          bytes = Math.multiplyExact(shape.elements(), (long) dtype.bytes());
        } catch (ArithmeticException e) {
          throw malformed(file, what + " has more elements than can be counted");
        }
        if (bytes != offsets[1] - offsets[0]) {
          throw malformed(
              file,
              "tensor \""
                  + name
                  + "\" has "
                  + (offsets[1] - offsets[0])
                  + " bytes but "
                  + dtype
                  + " "
                  + shape
                  + " needs "
                  + bytes);
        }
      }
      return new Entry(dtype, dtypeName, shape, offsets[0], offsets[1]);
    }

    private Shape shape(long[] extents, String what) throws CheckpointException {
      int[] narrow = new int[extents.length];
      for (int i = 0; i < extents.length; i++) {
        if (extents[i] > Integer.MAX_VALUE) {
          throw malformed(file, what + " has an extent of " + extents[i]);
        }
        narrow[i] = (int) extents[i];
      }
      try {
        return Shape.of(narrow);
      } catch (ArithmeticException e) {
        throw malformed(file, what + " has more elements than can be counted");
      }
    }

    private long[] integers(JsonParser parser, String what) throws IOException {
      expect(parser.currentToken(), JsonToken.START_ARRAY, what);
      long[] values = new long[MAX_RANK];
      int count = 0;
      while (parser.nextToken() != JsonToken.END_ARRAY) {
        if (count == MAX_RANK) {
          throw malformed(file, what + " has more than " + MAX_RANK + " numbers");
        }
        expect(parser.currentToken(), JsonToken.VALUE_NUMBER_INT, "each number in " + what);
        long value =
            switch (parser.getNumberType()) {
              case INT, LONG -> parser.getLongValue();
              default -> -1;
            };
        if (value < 0) {
          throw malformed(file, what + " has a number that is negative or too large");
        }
        values[count++] = value;
      }
      return Arrays.copyOf(values, count);
    }

    private void expect(@Nullable JsonToken actual, JsonToken wanted, String what)
        throws CheckpointException {
      if (actual != wanted) {
        String kind =
            switch (wanted) {
              case START_OBJECT -> "an object";
              case START_ARRAY -> "a list";
              case VALUE_STRING -> "a string";
              default -> "a whole number";
            };
        throw malformed(file, what + " is not " + kind);
      }
    }

    private String counted(String text) throws CheckpointException {
      characters += text.length();
      if (characters > MAX_CHARACTERS) {
        throw malformed(file, "its header holds more text than names and metadata can need");
      }
      return text;
    }
  }

  private static @Nullable DType dtype(String name) {
    for (DType dtype : DType.values()) {
      if (dtype.name().equals(name)) {
        return dtype;
      }
    }
    return null;
  }

  /** Reads the mapped header without a copy of it on the heap. */
  private static final class Bytes extends InputStream {
    private final MemorySegment bytes;
    private long position;

    Bytes(MemorySegment bytes) {
      this.bytes = bytes;
    }

    @Override
    public int read() {
      return position == bytes.byteSize()
          ? -1
          : bytes.get(ValueLayout.JAVA_BYTE, position++) & 0xff;
    }

    @Override
    public int read(byte[] target, int offset, int length) {
      int count = (int) Math.min(length, bytes.byteSize() - position);
      if (count == 0) {
        return length == 0 ? 0 : -1;
      }
      MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, position, target, offset, count);
      position += count;
      return count;
    }
  }
}
