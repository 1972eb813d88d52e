package dev.tessera.checkpoint;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.tessera.tensor.Tensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/** Writes safetensors files that Python's {@code safetensors} reads; see {@link Safetensors}. */
final class SafetensorsWriter {
  /** Largest piece handed to the channel at once. */
  private static final long PIECE = 1L << 22;

  private SafetensorsWriter() {}

  static void write(Path file, Map<String, Tensor> tensors, Map<String, String> metadata)
      throws IOException {
    List<Map.Entry<String, Tensor>> order = new ArrayList<>(tensors.entrySet());
    order.sort(Comparator.comparingInt(entry -> -entry.getValue().dtype().bytes()));
    byte[] header = header(order, metadata);
    AtomicFile.write(
        file,
        channel -> {
          ByteBuffer length = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
          AtomicFile.drain(channel, length.putLong(header.length).flip());
          AtomicFile.drain(channel, ByteBuffer.wrap(header));
          for (Map.Entry<String, Tensor> entry : order) {
            MemorySegment data = entry.getValue().data();
            for (long from = 0; from < data.byteSize(); from += PIECE) {
              long count = Math.min(PIECE, data.byteSize() - from);
              drain(channel, data.asSlice(from, count));
            }
          }
        });
  }

  private static byte[] header(
      List<Map.Entry<String, Tensor>> tensors, Map<String, String> metadata) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JsonGenerator json = new JsonFactory().createGenerator(bytes)) {
      json.writeStartObject();
      if (!metadata.isEmpty()) {
        json.writeObjectFieldStart("__metadata__");
        for (Map.Entry<String, String> entry : metadata.entrySet()) {
          json.writeStringField(entry.getKey(), entry.getValue());
        }
        json.writeEndObject();
      }
      long offset = 0;
      for (Map.Entry<String, Tensor> entry : tensors) {
        if (entry.getKey().equals("__metadata__")) {
          throw new IllegalArgumentException("no tensor can be called __metadata__");
        }
        Tensor tensor = entry.getValue();
        json.writeObjectFieldStart(entry.getKey());
        json.writeStringField("dtype", tensor.dtype().name());
        json.writeFieldName("shape");
        int[] extents = tensor.shape().toArray();
        json.writeArray(extents, 0, extents.length);
        json.writeFieldName("data_offsets");
        long end = offset + tensor.data().byteSize();
        json.writeArray(new long[] {offset, end}, 0, 2);
        json.writeEndObject();
        offset = end;
      }
      json.writeEndObject();
    }
    // Spaces up to a multiple of eight, so that the data starts aligned.
    while (bytes.size() % 8 != 0) {
      bytes.write(' ');
    }
    return bytes.toByteArray();
  }

  /** Arrays of Java's are copied piece by piece: a channel takes bytes only. */
  private static void drain(FileChannel channel, MemorySegment piece) throws IOException {
    MemorySegment bytes = piece;
    if (!piece.isNative()) {
      bytes = MemorySegment.ofArray(new byte[(int) piece.byteSize()]);
      bytes.copyFrom(piece);
    }
    AtomicFile.drain(channel, bytes.asByteBuffer());
  }
}
