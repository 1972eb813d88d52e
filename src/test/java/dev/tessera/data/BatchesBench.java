package dev.tessera.data;

import com.sun.management.OperatingSystemMXBean;
import dev.tessera.image.Augmentation;
import dev.tessera.image.Augmentation.Crop;
import dev.tessera.image.Decoder;
import dev.tessera.image.RandAugment;
import dev.tessera.image.RandomErasing;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * How many images of 28 by 28 pixels a core prepares for training in a second of its own time.
 *
 * <p>{@code mvn -q test-compile exec:java -pl src -Dexec.classpathScope=test
 * -Dexec.mainClass=dev.tessera.data.BatchesBench}
 */
final class BatchesBench {
  private static final int BATCH = 128;

  private BatchesBench() {}

  public static void main(String[] args) throws Exception {
    Path data = Path.of(args.length > 0 ? args[0] : "/usr/share/datasets/fashion-mnist");
    LabelledImages images = Dataset.open(data).part(Part.TRAIN);
    Augmentation shifted = Augmentation.small(2);
    Augmentation erased =
        shifted.withRandomErasing(RandomErasing.of(0.25, RandomErasing.Mode.PIXEL));
    Map<String, Augmentation> augmentations = new LinkedHashMap<>();
    augmentations.put("none", Augmentation.NONE);
    augmentations.put("pad and crop, flip", shifted);
    augmentations.put("pad and crop, flip, erasing, mixup or CutMix", erased);
    augmentations.put(
        "the same with rand-m9-mstd0.5-inc1",
        erased.withRandAugment(RandAugment.parse("rand-m9-mstd0.5-inc1")));
    augmentations.put(
        "random resized crop, flip", shifted.withCrop(Crop.RandomResized.ofScale(0.5, 1)));
    OperatingSystemMXBean system =
        (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    for (Map.Entry<String, Augmentation> augmentation : augmentations.entrySet()) {
      Batches.Settings settings = Batches.Settings.training(BATCH, 1).withThreads(1);
      if (augmentation.getValue().randomErasing() != null) {
        settings = settings.withMixing(Mixing.of(0.8, 1)).withLabelSmoothing(0.1);
      }
      Batches batches =
          new Batches(
              images,
              Fixtures.preprocessor(1, 28),
              augmentation.getValue(),
              new Decoder(),
              new PictureCache.None(),
              settings);
      try (BatchStream stream = batches.from(0, 0)) {
        double rate = 0;
        for (int round = 0; round < 3; round++) {
          long start = system.getProcessCpuTime();
          for (int i = 0; i < 400; i++) {
            Objects.requireNonNull(stream.next()).close();
          }
          rate = 400.0 * BATCH * 1e9 / (system.getProcessCpuTime() - start);
        }
        System.out.printf("%,9.0f images/s  %s%n", rate, augmentation.getKey());
      }
    }
  }
}
