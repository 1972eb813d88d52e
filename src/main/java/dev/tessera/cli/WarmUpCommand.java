package dev.tessera.cli;

import dev.tessera.checkpoint.Safetensors;
import dev.tessera.engine.DeviceException;
import dev.tessera.engine.Engine;
import dev.tessera.engine.Engines;
import dev.tessera.tensor.DType;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import javax.imageio.ImageIO;
import picocli.CommandLine.Command;

/**
 * Classifies two small images with a small model of zeros. The launcher lets the JVM watch this to
 * learn which classes a run needs, for its start-up archive.
 */
@Command(name = "warm-up", hidden = true)
final class WarmUpCommand implements Callable<Integer> {
  private static final int HIDDEN = 64;
  private static final int MLP = 128;

  @Override
  public Integer call() throws IOException {
    Path folder = Files.createTempDirectory("tessera-warm-up");
    try {
      Path jpeg = folder.resolve("image.jpg");
      Path png = folder.resolve("image.png");
      BufferedImage image = new BufferedImage(96, 64, BufferedImage.TYPE_INT_RGB);
      ImageIO.write(image, "jpg", jpeg.toFile());
      ImageIO.write(image, "png", png.toFile());
      Path model = Files.createDirectory(folder.resolve("model"));
      writeModel(model);
      try (Engine engine = Engines.open(Engines.AUTO, 0)) {
        engine.warmUp();
      } catch (DeviceException e) {
        throw new IllegalStateException(e); // there always is one
      }
      int exitCode = ExitCode.OK;
      for (String format : new String[] {"table", "jsonl"}) {
        String[] args = {
          "classify",
          "--model",
          model.toString(),
          "--format",
          format,
          "--output",
          folder.resolve("out").toString(),
          jpeg.toString(),
          png.toString()
        };
        exitCode = Math.max(exitCode, TesseraCommand.commandLine(args).execute(args));
      }
      return exitCode;
    } finally {
      delete(folder);
    }
  }

  private static void writeModel(Path folder) throws IOException {
    Files.writeString(
        folder.resolve("config.json"),
        """
        {"architectures": ["ViTForImageClassification"], "model_type": "vit", "hidden_size": 64,
         "intermediate_size": 128, "num_attention_heads": 2, "num_hidden_layers": 1,
         "image_size": 224, "patch_size": 16, "num_channels": 3, "hidden_act": "gelu",
         "layer_norm_eps": 1e-12, "qkv_bias": true, "id2label": {"0": "a", "1": "b"}}
        """);
    Files.writeString(
        folder.resolve("preprocessor_config.json"),
        """
        {"image_processor_type": "ViTImageProcessor", "do_resize": true, "do_rescale": true,
         "do_normalize": true, "size": {"height": 224, "width": 224}, "resample": 2,
         "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
        """);
    try (Arena arena = Arena.ofConfined()) {
      Map<String, Tensor> tensors = new LinkedHashMap<>();
      add(arena, tensors, "vit.embeddings.cls_token", 1, 1, HIDDEN);
      add(arena, tensors, "vit.embeddings.position_embeddings", 1, 197, HIDDEN);
      String projection = "vit.embeddings.patch_embeddings.projection";
      add(arena, tensors, projection + ".weight", HIDDEN, 3, 16, 16);
      add(arena, tensors, projection + ".bias", HIDDEN);
      String layer = "vit.encoder.layer.0.";
      for (String name : new String[] {"query", "key", "value"}) {
        linear(arena, tensors, layer + "attention.attention." + name, HIDDEN, HIDDEN);
      }
      linear(arena, tensors, layer + "attention.output.dense", HIDDEN, HIDDEN);
      linear(arena, tensors, layer + "intermediate.dense", MLP, HIDDEN);
      linear(arena, tensors, layer + "output.dense", HIDDEN, MLP);
      for (String name :
          new String[] {layer + "layernorm_before", layer + "layernorm_after", "vit.layernorm"}) {
        add(arena, tensors, name + ".weight", HIDDEN);
        add(arena, tensors, name + ".bias", HIDDEN);
      }
      linear(arena, tensors, "classifier", 2, HIDDEN);
      Safetensors.write(folder.resolve("model.safetensors"), tensors, Map.of("format", "pt"));
    }
  }

  private static void linear(
      Arena arena, Map<String, Tensor> tensors, String name, int out, int in) {
    add(arena, tensors, name + ".weight", out, in);
    add(arena, tensors, name + ".bias", out);
  }

  private static void add(Arena arena, Map<String, Tensor> tensors, String name, int... extents) {
    tensors.put(name, Tensor.allocate(arena, DType.F32, Shape.of(extents)));
  }

  private static void delete(Path folder) throws IOException {
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
      for (Path entry : entries) {
        if (Files.isDirectory(entry)) {
          delete(entry);
        } else {
          Files.delete(entry);
        }
      }
    }
    Files.delete(folder);
  }
}
