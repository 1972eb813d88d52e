package dev.tessera.bench;

import com.fasterxml.jackson.core.JsonEncoding;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.tessera.tensor.Tensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;

/** Writes a {@link RandomVit} as the Hugging Face directory that a trained one would be. */
final class RandomCheckpoint {
  private RandomCheckpoint() {}

  static void write(RandomVit vit, Map<String, Tensor> parameters, Path directory)
      throws IOException {
    Files.createDirectories(directory);
    writeConfig(vit, directory.resolve("config.json"));
    writePreprocessor(directory.resolve("preprocessor_config.json"));
    writeSafetensors(parameters, directory.resolve("model.safetensors"));
  }

  private static void writeConfig(RandomVit vit, Path file) throws IOException {
    try (JsonGenerator json = generator(file)) {
      json.writeStartObject();
      json.writeFieldName("architectures");
      json.writeArray(new String[] {"ViTForImageClassification"}, 0, 1);
      json.writeStringField("model_type", "vit");
      json.writeNumberField("hidden_size", vit.hidden);
      json.writeNumberField("num_hidden_layers", RandomVit.LAYERS);
      json.writeNumberField("num_attention_heads", vit.heads);
      json.writeNumberField("intermediate_size", vit.intermediate);
      json.writeStringField("hidden_act", "gelu");
      json.writeNumberField("image_size", RandomVit.IMAGE);
      json.writeNumberField("patch_size", RandomVit.PATCH);
      json.writeNumberField("num_channels", 3);
      json.writeNumberField("layer_norm_eps", RandomVit.EPSILON);
      json.writeBooleanField("qkv_bias", true);
      json.writeObjectFieldStart("id2label");
      for (int i = 0; i < RandomVit.CLASSES; i++) {
        json.writeStringField(Integer.toString(i), "class_" + i);
      }
      json.writeEndObject();
      json.writeEndObject();
    }
  }

  private static void writePreprocessor(Path file) throws IOException {
    double[] half = {0.5, 0.5, 0.5};
    try (JsonGenerator json = generator(file)) {
      json.writeStartObject();
      json.writeStringField("image_processor_type", "ViTImageProcessor");
      json.writeBooleanField("do_resize", true);
      json.writeObjectFieldStart("size");
      json.writeNumberField("height", RandomVit.IMAGE);
      json.writeNumberField("width", RandomVit.IMAGE);
      json.writeEndObject();
      json.writeNumberField("resample", 2);
      json.writeBooleanField("do_rescale", true);
      json.writeNumberField("rescale_factor", 1.0 / 255);
      json.writeBooleanField("do_normalize", true);
      json.writeFieldName("image_mean");
      json.writeArray(half, 0, 3);
      json.writeFieldName("image_std");
      json.writeArray(half, 0, 3);
      json.writeEndObject();
    }
  }

  /** https://huggingface.co/docs/safetensors: header length, JSON header, the data in order. */
  private static void writeSafetensors(Map<String, Tensor> tensors, Path file) throws IOException {
    ByteArrayOutputStream header = new ByteArrayOutputStream();
    try (JsonGenerator json = new JsonFactory().createGenerator(header)) {
      long offset = 0;
      json.writeStartObject();
      for (Map.Entry<String, Tensor> entry : tensors.entrySet()) {
        Tensor tensor = entry.getValue();
        int[] extents = tensor.shape().toArray();
        long end = offset + tensor.data().byteSize();
        json.writeObjectFieldStart(entry.getKey());
        json.writeStringField("dtype", tensor.dtype().name());
        json.writeFieldName("shape");
        json.writeArray(extents, 0, extents.length);
        json.writeFieldName("data_offsets");
        json.writeArray(new long[] {offset, end}, 0, 2);
        json.writeEndObject();
        offset = end;
      }
      json.writeEndObject();
    }
    while (header.size() % 64 != 56) { // with the 8 bytes before it: the data starts aligned
      header.write(' ');
    }
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      ByteBuffer length = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
      drain(channel, length.putLong(header.size()).flip());
      drain(channel, ByteBuffer.wrap(header.toByteArray()));
      for (Tensor tensor : tensors.values()) {
        drain(channel, tensor.data().asByteBuffer());
      }
    }
  }

  private static void drain(FileChannel channel, ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      channel.write(buffer);
    }
  }

  private static JsonGenerator generator(Path file) throws IOException {
    return new JsonFactory()
        .createGenerator(file.toFile(), JsonEncoding.UTF8)
        .useDefaultPrettyPrinter();
  }
}
