package dev.tessera.bench;

import com.fasterxml.jackson.core.JsonEncoding;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.tessera.checkpoint.Safetensors;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;

/** Writes a {@link RandomVit} as the Hugging Face directory that a trained one would be. */
final class RandomCheckpoint {
  private RandomCheckpoint() {}

  static void write(RandomVit vit, Path directory) throws IOException {
    Files.createDirectories(directory);
    writeConfig(vit, directory.resolve("config.json"));
    writePreprocessor(directory.resolve("preprocessor_config.json"));
    try (Arena arena = Arena.ofConfined()) {
      Safetensors.write(
          directory.resolve("model.safetensors"), vit.parameters(arena), Map.of("format", "pt"));
    }
  }

  /** Removes what {@link #write} wrote. */
  static void delete(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(directory);
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

  private static JsonGenerator generator(Path file) throws IOException {
    return new JsonFactory()
        .createGenerator(file.toFile(), JsonEncoding.UTF8)
        .useDefaultPrettyPrinter();
  }
}
