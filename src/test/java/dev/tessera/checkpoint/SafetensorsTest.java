package dev.tessera.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tessera.tensor.DType;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.SequencedMap;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsTest {
  @TempDir Path folder;

  @Test
  void readsWhatPythonWrote() throws IOException {
    try (Safetensors file =
        Safetensors.open(Path.of("test/resources/checkpoints/vit-tiny/model.safetensors"))) {
      assertThat(file.metadata()).containsExactly(Map.entry("format", "pt"));
      assertThat(file.tensors()).hasSize(56);
      Tensor cls = file.tensor("vit.embeddings.cls_token");
      assertThat(cls.dtype()).isEqualTo(DType.F32);
      assertThat(cls.shape()).isEqualTo(Shape.of(1, 1, 48));
    }
  }

  @Test
  void keepsValuesNamesShapesAndMetadata() throws IOException {
    SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
    tensors.put("a \"quoted\" näme", Tensor.of(Shape.of(2, 2), 1f, -2f, Float.NaN, 4e-40f));
    tensors.put("ids", Tensor.of(Shape.of(2), 1L << 40, -1L));
    tensors.put("mask", Tensor.of(Shape.of(3), (byte) 1, (byte) 0, (byte) -1));
    tensors.put("scalar", Tensor.of(Shape.of(), 7f));
    tensors.put("empty", Tensor.of(Shape.of(0, 3), new float[0]));
    Path path = folder.resolve("x.safetensors");
    Safetensors.write(path, tensors, Map.of("format", "pt"));
    try (Safetensors file = Safetensors.open(path)) {
      assertThat(file.metadata()).containsExactly(Map.entry("format", "pt"));
      assertThat(file.tensors().keySet()).containsExactlyInAnyOrderElementsOf(tensors.keySet());
      tensors.forEach((name, tensor) -> {
        Tensor read = file.tensors().get(name);
        assertThat(read.shape()).isEqualTo(tensor.shape());
        assertThat(read.dtype()).isEqualTo(tensor.dtype());
        assertThat(read.data().mismatch(tensor.data())).as(name).isEqualTo(-1);
      });
    }
    assertThat(folder.toFile().list()).containsExactly("x.safetensors");
  }

  @Test
  void alignsDataToEightBytes() throws IOException {
    Path path = folder.resolve("x.safetensors");
    for (int length = 1; length <= 9; length++) {
      SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
      tensors.put("b", Tensor.of(Shape.of(3), new byte[3]));
      tensors.put("x".repeat(length), Tensor.of(Shape.of(3), 1f, 2f, 3f));
      Safetensors.write(path, tensors, Map.of());
      byte[] bytes = Files.readAllBytes(path);
      assertThat(ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong() % 8).isZero();
      try (Safetensors file = Safetensors.open(path)) {
        // Wider types first, so that no float starts at an odd byte.
        assertThat(file.tensors().sequencedKeySet()).containsExactly("x".repeat(length), "b");
      }
    }
  }

  @Test
  void aFailedWriteLeavesTheOldFileAndNoOther() throws IOException {
    Path path = folder.resolve("x.safetensors");
    Safetensors.write(path, Map.of("a", Tensor.of(Shape.of(1), 1f)), Map.of());
    byte[] before = Files.readAllBytes(path);
    Tensor closed;
    try (Arena arena = Arena.ofConfined()) {
      closed = Tensor.allocate(arena, DType.F32, Shape.of(4));
    }
    assertThatThrownBy(() -> Safetensors.write(path, Map.of("a", closed), Map.of()))
        .isInstanceOf(IllegalStateException.class);
    assertThat(Files.readAllBytes(path)).isEqualTo(before);
    assertThat(folder.toFile().list()).containsExactly("x.safetensors");
  }

  @Test
  void widensHalfPrecision() throws IOException {
    float[] values = {0f, -0f, 1f, -1.5f, 65504f, 6e-8f, Float.POSITIVE_INFINITY};
    Tensor f16 = Tensor.allocate(Arena.ofAuto(), DType.F16, Shape.of(values.length));
    Tensor bf16 = Tensor.allocate(Arena.ofAuto(), DType.BF16, Shape.of(values.length));
    for (int i = 0; i < values.length; i++) {
      f16.data().setAtIndex(ValueLayout.JAVA_SHORT, i, Float.floatToFloat16(values[i]));
      bf16.data()
          .setAtIndex(ValueLayout.JAVA_SHORT, i, (short) (Float.floatToIntBits(values[i]) >> 16));
    }
    Path path = folder.resolve("half.safetensors");
    Safetensors.write(path, Map.of("f16", f16, "bf16", bf16), Map.of());
    try (Safetensors file = Safetensors.open(path)) {
      assertThat(file.tensor("f16").toFloats())
          .containsExactly(0f, -0f, 1f, -1.5f, 65504f, 0x1p-24f, Float.POSITIVE_INFINITY);
      assertThat(file.tensor("bf16").toFloats())
          .containsExactly(0f, -0f, 1f, -1.5f, 65280f, 5.9604645E-8f, Float.POSITIVE_INFINITY);
    }
  }

  @Test
  void tensorsOfOtherTypesAreNamedOnlyWhenAskedFor() throws IOException {
    Path path =
        raw(
            "{'w':{'dtype':'F8_E4M3','shape':[4],'data_offsets':[0,4]},'b':{'dtype':'F32','shape':[1],'data_offsets':[4,8]}}",
            8);
    try (Safetensors file = Safetensors.open(path)) {
      assertThat(file.tensors().keySet()).containsExactly("b");
      assertThat(file.unreadable()).containsExactly(Map.entry("w", "F8_E4M3"));
      assertThatThrownBy(() -> file.tensor("w"))
          .isInstanceOf(CheckpointException.class)
          .hasMessage(
              path
                  + ": tensor \"w\" has type F8_E4M3, which is not read; save the model as F32, F16 or BF16");
      assertThatThrownBy(() -> file.tensor("x")).hasMessage(path + ": has no tensor \"x\"");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "[]|8|does not start with {",
        "~{ ~|8|Unexpected end-of-input",
        "{} x|8|header is not readable as JSON",
        "{} {}|0|something follows",
        "{}|8|describes 0 bytes of data but 8 follow",
        "{'a':1}|0|the entry of tensor \"a\" is not an object",
        "{'a':{}}|0|lacks dtype, shape or two data_offsets",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4]}}|3|describes 4 bytes of data but 3 follow",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4]}}|5|describes 4 bytes of data but 5 follow",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[4,0]}}|4|ends before it begins",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[4,8]}}|8|starts at byte 4 of the data where byte 0 is next",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[-4,0]}}|4|negative or too large",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4,8]}}|8|lacks dtype, shape or two data_offsets",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,99999999999999999999]}}|4|negative or too large",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4.0]}}|4|is not a whole number",
        "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,4]}}|4|has 4 bytes but F32 [2] needs 8",
        "{'a':{'dtype':'F32','shape':[2147483647,2147483647,2147483647],'data_offsets':[0,4]}}|4|more elements than can be counted",
        "{'a':{'dtype':'F64','shape':[2147483647,1500000000],'data_offsets':[0,4]}}|4|more elements than can be counted",
        "{'a':{'dtype':'F32','shape':[4294967297],'data_offsets':[0,4]}}|4|extent of 4294967297",
        "{'a':{'dtype':'F32','shape':[-1],'data_offsets':[0,4]}}|4|negative or too large",
        "{'a':{'dtype':'F32','shape':['1'],'data_offsets':[0,4]}}|4|is not a whole number",
        "{'a':{'dtype':'F32','shape':[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],'data_offsets':[0,4]}}|4|more than 16 numbers",
        "{'a':{'dtype':4,'shape':[1],'data_offsets':[0,4]}}|4|the dtype of \"a\" is not a string",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4],'x':[]}}|4|has an unknown key",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4]},'b':{'dtype':'F32','shape':[1],'data_offsets':[0,4]}}|4|starts at byte 0 of the data where byte 4 is next",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4]},'b':{'dtype':'F32','shape':[1],'data_offsets':[8,12]}}|12|starts at byte 8 of the data where byte 4 is next",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4]},'a':{'dtype':'F32','shape':[1],'data_offsets':[4,8]}}|8|tensor \"a\" stands in its header twice",
        "{'__metadata__':{},'__metadata__':{}}|0|\"__metadata__\" stands in its header twice",
        "{'__metadata__':{'a':1}}|0|each value of \"__metadata__\" is not a string",
      })
  void refusesMalformedHeaders(String header, int dataBytes, String reason) throws IOException {
    Path path = raw(header, dataBytes);
    assertThatThrownBy(() -> Safetensors.open(path))
        .isInstanceOf(CheckpointException.class)
        .hasMessageStartingWith(path + ": is no intact safetensors file: ")
        .hasMessageContaining(reason)
        .hasMessageEndingWith("; download or save it again");
  }

  @Test
  void refusesDeepNestingAndLongLists() throws IOException {
    Path deep = raw("{'a':" + "[".repeat(1_000_000), 0);
    assertThatThrownBy(() -> Safetensors.open(deep)).isInstanceOf(CheckpointException.class);
    Path metadata = raw("{'__metadata__':{'a':" + "{'a':".repeat(1_000_000), 0);
    assertThatThrownBy(() -> Safetensors.open(metadata)).isInstanceOf(CheckpointException.class);
    Path shape = raw("{'a':{'shape':[" + "1,".repeat(5_000_000) + "1]}}", 0);
    assertThatThrownBy(() -> Safetensors.open(shape)).isInstanceOf(CheckpointException.class);
    Path digits = raw("{'a':{'shape':[" + "9".repeat(5_000_000) + "]}}", 0);
    assertThatThrownBy(() -> Safetensors.open(digits)).isInstanceOf(CheckpointException.class);
  }

  @Test
  void namesInTheFileCannotDisturbATerminal() throws IOException {
    Path path = raw("{'a\\u001b[2J\\n" + "x".repeat(5000) + "':1}", 0);
    assertThatThrownBy(() -> Safetensors.open(path))
        .hasMessageContaining("a\\u001b[2J\\u000axxx")
        .message()
        .hasSizeLessThan(2100)
        .matches("\\P{Cntrl}*");
  }

  @Test
  void refusesMoreTensorsThanAnyModelHas() throws IOException {
    StringBuilder header = new StringBuilder("{");
    for (int i = 0; i <= 200_000; i++) {
      header
          .append(i == 0 ? "" : ",")
          .append("\"")
          .append(i)
          .append("\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}");
    }
    Path path = raw(header.append("}").toString(), 0);
    assertThatThrownBy(() -> Safetensors.open(path))
        .hasMessageContaining("more than 200000 tensors");
  }

  @Test
  void refusesMoreMetadataThanAnyModelHas() throws IOException {
    StringBuilder header = new StringBuilder("{'__metadata__':{");
    for (int i = 0; i <= 200_000; i++) {
      header.append(i == 0 ? "'" : ",'").append(i).append("':''");
    }
    Path path = raw(header.append("}}").toString(), 0);
    assertThatThrownBy(() -> Safetensors.open(path))
        .hasMessageContaining("its metadata has more than 200000 entries");
  }

  @Test
  void refusesLengthsBeyondTheFile() throws IOException {
    for (long length : new long[] {-1, Long.MIN_VALUE, 0, 1, 3, 100_000_001, Long.MAX_VALUE}) {
      Path path = folder.resolve("x");
      Files.write(
          path,
          ByteBuffer.allocate(10)
              .order(ByteOrder.LITTLE_ENDIAN)
              .putLong(length)
              .putShort((short) 0x7d7b)
              .array());
      assertThatThrownBy(() -> Safetensors.open(path))
          .isInstanceOf(CheckpointException.class)
          .hasMessage(
              path
                  + ": is no intact safetensors file: it has 10 bytes and claims a header of "
                  + Long.toUnsignedString(length)
                  + "; download or save it again");
    }
  }

  @Test
  void saysWhatAnotherKindOfFileIs() throws IOException {
    Path path = folder.resolve("model.safetensors");
    assertThatThrownBy(() -> Safetensors.open(path))
        .hasMessage(path + ": does not exist; check the path");
    assertThatThrownBy(() -> Safetensors.open(folder))
        .hasMessage(folder + ": is not a regular file; give the path of a .safetensors file");
    Files.writeString(path, "");
    assertThatThrownBy(() -> Safetensors.open(path)).hasMessageContaining("has only 0 bytes");
    Files.writeString(path, "version https://git-lfs.github.com/spec/v1\n");
    assertThatThrownBy(() -> Safetensors.open(path))
        .hasMessage(path + ": is a Git LFS pointer instead of the file itself; run `git lfs pull`");
    Files.writeString(path, "PK\3\4 and so on");
    assertThatThrownBy(() -> Safetensors.open(path))
        .hasMessageContaining("is a PyTorch pickle under a safetensors name");
  }

  @Property(tries = 60)
  void roundTripsAnyNamesAndValues(
      @ForAll @Size(max = 5) Map<@StringLength(max = 30) String, @Size(max = 20) float[]> values,
      @ForAll @Size(max = 3) Map<String, String> metadata)
      throws IOException {
    Path path = Files.createTempFile("tessera", ".safetensors");
    try {
      SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
      // Lone surrogates are no text and have no UTF-8 form.
      values.forEach((name, v) -> {
        if (isText(name)) {
          tensors.put(name, Tensor.of(Shape.of(v.length), v));
        }
      });
      Map<String, String> text = new LinkedHashMap<>();
      metadata.forEach((key, value) -> {
        if (isText(key) && isText(value)) {
          text.put(key, value);
        }
      });
      Safetensors.write(path, tensors, text);
      try (Safetensors file = Safetensors.open(path)) {
        assertThat(file.metadata()).isEqualTo(text);
        assertThat(file.tensors().keySet()).isEqualTo(tensors.keySet());
        tensors.forEach((name, tensor) ->
            assertThat(file.tensors().get(name).toFloats()).isEqualTo(tensor.toFloats()));
      }
    } finally {
      Files.delete(path);
    }
  }

  /** Damages an intact file in every way a seed can say: it must be read or refused, in time. */
  @Property(tries = 600)
  void aDamagedFileIsReadOrRefused(@ForAll long seed, @ForAll @IntRange(min = 1, max = 6) int edits)
      throws IOException {
    byte[] intact =
        Files.readAllBytes(Path.of("test/resources/checkpoints/vit-tiny/model.safetensors"));
    int headerEnd = 8 + (int) ByteBuffer.wrap(intact).order(ByteOrder.LITTLE_ENDIAN).getLong();
    Random random = new Random(seed);
    byte[] damaged = intact;
    for (int i = 0; i < edits; i++) {
      Damage damage = Damage.values()[random.nextInt(Damage.values().length)];
      int at = random.nextInt(Math.min(headerEnd, damaged.length));
      damaged = damage.edit(damaged, at, random.nextInt());
    }
    Path path = Files.createTempFile("tessera", ".safetensors");
    try {
      Files.write(path, damaged);
      try (Safetensors file = Safetensors.open(path)) {
        for (Tensor tensor : file.tensors().values()) {
          long size = tensor.data().byteSize();
          // A view beyond the file would fail at its ends.
          if (size > 0) {
            tensor.data().get(ValueLayout.JAVA_BYTE, 0);
            tensor.data().get(ValueLayout.JAVA_BYTE, size - 1);
          }
        }
      } catch (CheckpointException e) {
        assertThat(e).hasMessageStartingWith(path + ": ");
        assertThat(e.getMessage().lines()).hasSize(1);
      }
    } finally {
      Files.delete(path);
    }
  }

  private enum Damage {
    FLIP,
    SET,
    CUT,
    REMOVE,
    REPEAT;

    byte[] edit(byte[] bytes, int at, int how) {
      return switch (this) {
        case FLIP -> {
          byte[] copy = bytes.clone();
          copy[at] ^= (byte) (1 << (how & 7));
          yield copy;
        }
        case SET -> {
          byte[] copy = bytes.clone();
          String likely = "0123456789{}[]\":,-.eE \\nu\0\377";
          copy[at] = (byte) likely.charAt((how & 0xffff) % likely.length());
          yield copy;
        }
        case CUT -> Arrays.copyOf(bytes, Math.max(1, at));
        case REMOVE -> {
          int count = Math.min(bytes.length - at - 1, how & 15);
          byte[] copy = new byte[bytes.length - count];
          System.arraycopy(bytes, 0, copy, 0, at);
          System.arraycopy(bytes, at + count, copy, at, copy.length - at);
          yield copy;
        }
        case REPEAT -> {
          int count = Math.min(bytes.length - at, how & 255);
          byte[] copy = new byte[bytes.length + count];
          System.arraycopy(bytes, 0, copy, 0, at + count);
          System.arraycopy(bytes, at, copy, at + count, bytes.length - at);
          yield copy;
        }
      };
    }
  }

  private static boolean isText(String text) {
    return StandardCharsets.UTF_8.newEncoder().canEncode(text) && !text.equals("__metadata__");
  }

  private Path raw(String header, int dataBytes) throws IOException {
    byte[] json = header.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
    ByteBuffer bytes =
        ByteBuffer.allocate(8 + json.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(json.length).put(json);
    Path path = Files.createTempFile(folder, "raw", ".safetensors");
    Files.write(path, bytes.array());
    return path;
  }
}
