package dev.tessera.cli;

import dev.tessera.checkpoint.HfDirectory;
import dev.tessera.image.Decoder;
import dev.tessera.image.ImageException;
import dev.tessera.image.Limits;
import dev.tessera.image.Preprocessor;
import dev.tessera.image.RgbImage;
import dev.tessera.model.ImageClassifier;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tessera preprocess}: what a model is given for an image. */
@Command(
    name = "preprocess",
    description = "Write images as a model's preprocessing turns them into tensors.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  tessera preprocess photo.jpg --model vit-base --output tensors.safetensors",
      "",
      "For each IMAGE, named as it is written on the command line:",
      "  IMAGE/rgb           uint8 [height, width, 3]: decoded and upright",
      "  IMAGE/pixel_values  float32 [1, channels, height, width]: the model's input"
    })
final class PreprocessCommand implements Callable<Integer> {
  @Parameters(paramLabel = "IMAGE", arity = "1..*", description = "Image files.")
  private List<String> images = new ArrayList<>();

  @Mixin private ModelOptions modelOptions = new ModelOptions();

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      required = true,
      description = "Safetensors file to write.")
  private Path output = Path.of("");

  @Option(
      names = "--max-pixels",
      paramLabel = "N",
      description = "Largest image, width times height. Default: 178956970, as in Pillow.")
  private @Nullable Long maxPixels;

  @Override
  public Integer call() throws IOException, Failure {
    if (maxPixels != null && maxPixels < 1) {
      throw new Failure(ExitCode.USAGE, "--max-pixels must be at least 1, not " + maxPixels);
    }
    ImageFiles.check(images);
    Decoder decoder =
        new Decoder(
            maxPixels == null
                ? Limits.DEFAULT
                : new Limits(maxPixels, Limits.DEFAULT.maxFileBytes()));
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    try (HfDirectory files = HfDirectory.open(modelOptions.directory())) {
      Preprocessor preprocessor = ImageClassifier.preprocessor(files);
      for (String image : images) {
        try {
          RgbImage rgb = decoder.decode(Path.of(image));
          float[] values = new float[preprocessor.size()];
          preprocessor.apply(rgb, values, 0);
          tensors.put(
              image + "/rgb", Tensor.of(Shape.of(rgb.height(), rgb.width(), 3), rgb.pixels()));
          tensors.put(
              image + "/pixel_values",
              Tensor.of(
                  Shape.of(1, preprocessor.channels(), preprocessor.height(), preprocessor.width()),
                  values));
        } catch (ImageException e) {
          System.err.println("tessera: " + Terminal.printable(String.valueOf(e.getMessage())));
        } catch (IllegalArgumentException e) {
          System.err.println("tessera: " + Terminal.printable(image + ": " + e.getMessage()));
        }
      }
    }
    if (tensors.isEmpty()) {
      return ExitCode.NO_IMAGE;
    }
    ModelsRunCommand.write(output, tensors);
    return ExitCode.OK;
  }
}
