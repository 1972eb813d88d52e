package dev.tessera.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Images per second from JPEG bytes to a 224x224 float tensor on one core. Run by {@code
 * examples/bench/preprocess.py}, which does the same with Pillow.
 *
 * <p>Arguments: a folder of JPEG files, and the number of rounds. For every line on standard input
 * it runs one round over all files and prints seconds for decode, resize, normalise.
 */
final class PreprocessBench {
  private PreprocessBench() {}

  public static void main(String[] args) throws IOException {
    List<byte[]> files;
    try (Stream<Path> list = Files.list(Path.of(args[0]))) {
      files = list.sorted().map(PreprocessBench::read).toList();
    }
    Preprocessor preprocessor =
        Preprocessor.ofHuggingFace(
            Map.of("image_processor_type", "ViTImageProcessor"), Map.of("model_type", "vit"));
    Decoder decoder = new Decoder();
    float[] tensor = new float[preprocessor.size()];
    float sum = 0;
    while (System.in.read() >= 0) {
      long decode = 0;
      long start = System.nanoTime();
      for (byte[] file : files) {
        long before = System.nanoTime();
        RgbImage image = decoder.decode(file, "benchmark");
        decode += System.nanoTime() - before;
        preprocessor.apply(image, tensor, 0);
        sum += tensor[tensor.length / 2];
      }
      long total = System.nanoTime() - start;
      System.out.printf("%.6f %.6f %.3f%n", total / 1e9, decode / 1e9, sum);
    }
  }

  private static byte[] read(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }
}
