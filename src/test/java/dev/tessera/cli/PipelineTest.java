package dev.tessera.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tessera.image.Decoder;
import dev.tessera.image.Preprocessor;
import dev.tessera.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class PipelineTest {
  @TempDir Path folder;
  private List<ImageFile> files = List.of();

  /** Hundred pictures that differ in their first pixel; every seventh is broken. */
  @BeforeEach
  void makeImages() throws IOException {
    List<ImageFile> made = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      Path file = folder.resolve("image%03d.png".formatted(i));
      if (i % 7 == 3) {
        Files.writeString(file, "this is no image");
      } else {
        // Sizes differ so that decoding takes different times.
        TestImages.png(file, 8 + 40 * (i % 5), 8, 2 * i);
      }
      made.add(new ImageFile(file.toString(), file));
    }
    files = made;
  }

  @Test
  void resultsComeInTheOrderOfTheFilesWhateverTheThreads() throws Exception {
    for (int[] shape : new int[][] {{1, 1}, {3, 8}, {16, 16}, {100, 4}, {128, 2}}) {
      List<Pipeline.Outcome<ImageFile>> outcomes = new ArrayList<>();
      AtomicInteger images = new AtomicInteger();
      Pipeline<ImageFile> pipeline =
          pipeline(
              files.iterator(),
              (pixels, count) -> {
                images.addAndGet(count);
                assertThat(count).isBetween(1, shape[0]);
                return firstPixels(pixels, count);
              },
              shape[0],
              shape[1]);
      assertThat(pipeline.run(outcomes::add)).isTrue();
      assertThat(outcomes).extracting(Pipeline.Outcome::file).containsExactlyElementsOf(files);
      for (int i = 0; i < files.size(); i++) {
        if (i % 7 == 3) {
          assertThat(outcomes.get(i).values()).isNull();
          assertThat(outcomes.get(i).problem()).contains("image%03d.png".formatted(i));
        } else {
          assertThat(outcomes.get(i).values()).containsExactly(2 * i);
          assertThat(outcomes.get(i).problem()).isNull();
        }
      }
      assertThat(images).hasValue(100 - 14);
    }
  }

  @Test
  void memoryIsBoundedByBatchesNotByFiles() throws Exception {
    AtomicInteger taken = new AtomicInteger();
    AtomicInteger finished = new AtomicInteger();
    AtomicInteger mostAhead = new AtomicInteger();
    Iterator<ImageFile> endless =
        IntStream.range(0, 2000)
            .mapToObj(i -> {
              mostAhead.accumulateAndGet(taken.incrementAndGet() - finished.get(), Math::max);
              return files.get(i % 3);
            })
            .iterator();
    pipeline(endless, PipelineTest::firstPixels, 4, 3).run(outcome -> finished.incrementAndGet());
    assertThat(finished).hasValue(2000);
    // Three batches in turn; of finished ones, whose batch is free again, one that is being handed
    // over, two waiting and one being taken; and one file looked ahead.
    assertThat(mostAhead.get()).isLessThanOrEqualTo(4 * 7 + 1);
  }

  @Test
  void anErrorInTheComputationEndsTheRun() {
    assertThatThrownBy(() ->
            pipeline(
                    files.iterator(),
                    (pixels, count) -> {
                      throw new IllegalStateException("no engine");
                    },
                    4,
                    2)
                .run(outcome -> {}))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("no engine");
    assertNoThreads();
  }

  @Test
  void anErrorInTheSinkEndsTheRun() {
    assertThatThrownBy(() ->
            pipeline(files.iterator(), PipelineTest::firstPixels, 4, 2)
                .run(outcome -> {
                  throw new Failure(ExitCode.OUTPUT, "disk full");
                }))
        .isInstanceOf(Failure.class)
        .hasMessage("disk full");
    assertNoThreads();
  }

  @Test
  void cancellingEndsTheRunEarly() throws Exception {
    List<Pipeline.Outcome<ImageFile>> outcomes = new ArrayList<>();
    Pipeline<ImageFile> pipeline = pipeline(files.iterator(), PipelineTest::firstPixels, 4, 2);
    boolean complete =
        pipeline.run(outcome -> {
          outcomes.add(outcome);
          pipeline.cancel();
        });
    assertThat(complete).isFalse();
    assertThat(outcomes).hasSizeLessThan(50);
    assertNoThreads();
  }

  @Test
  void noFilesAreNoResults() throws Exception {
    List<Pipeline.Outcome<ImageFile>> outcomes = new ArrayList<>();
    assertThat(
            pipeline(List.<ImageFile>of().iterator(), PipelineTest::firstPixels, 4, 2)
                .run(outcomes::add))
        .isTrue();
    assertThat(outcomes).isEmpty();
  }

  private static Pipeline<ImageFile> pipeline(
      Iterator<ImageFile> files, Pipeline.Computation computation, int batch, int decoders) {
    Preprocessor preprocessor =
        Preprocessor.ofHuggingFace(
            Map.of(
                "image_processor_type",
                "ViTImageProcessor",
                "size",
                Map.of("height", 8, "width", 8),
                "do_rescale",
                false,
                "do_normalize",
                false),
            Map.of("model_type", "vit", "image_size", 8));
    return new Pipeline<>(
        files, new Decoder(), preprocessor, computation, () -> {}, batch, decoders);
  }

  private static float[][] firstPixels(Tensor pixels, int count) {
    float[][] rows = new float[count][1];
    for (int i = 0; i < count; i++) {
      pixels.copyTo(i * 3L * 8 * 8, rows[i], 0, 1);
    }
    return rows;
  }

  private static void assertNoThreads() {
    assertThat(Thread.getAllStackTraces().keySet())
        .extracting(Thread::getName)
        .noneMatch(name -> name.startsWith("decode-") || name.equals("compute"));
  }
}
