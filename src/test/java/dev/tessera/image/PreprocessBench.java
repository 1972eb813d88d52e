package dev.tessera.image;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Images per second from JPEG bytes to a 224x224 float tensor on one core. Run by {@code
 * examples/bench/preprocess.py}, which does the same with Pillow.
 *
 * <p>Argument: a folder of JPEG files. For every byte on standard input it runs one round over all
 * files and prints the seconds of processor time (of all threads, the JIT's and the collector's
 * too) for everything and for decoding alone.
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
    OperatingSystemMXBean system =
        (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    float sum = 0;
    while (System.in.read() >= 0) {
      RgbImage[] images = new RgbImage[files.size()];
      long start = system.getProcessCpuTime();
      for (int i = 0; i < images.length; i++) {
        images[i] = decoder.decode(files.get(i), "benchmark");
      }
      long decode = system.getProcessCpuTime() - start;
      for (RgbImage image : images) {
        preprocessor.apply(image, tensor, 0);
        sum += tensor[tensor.length / 2];
      }
      long total = system.getProcessCpuTime() - start;
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
