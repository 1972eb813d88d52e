package dev.tessera.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.tessera.image.Augmentation.Crop;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class AugmenterTest {
  private static final int SIDE = 9;

  private static Preprocessor preprocessor(int side) {
    return Preprocessor.ofHuggingFace(
        Map.of(
            "image_processor_type",
            "ViTImageProcessor",
            "size",
            Map.of("height", side, "width", side),
            "image_mean",
            List.of(0.5, 0.5, 0.5),
            "image_std",
            List.of(0.5, 0.5, 0.5)),
        Map.of("model_type", "vit", "image_size", side));
  }

  private static RgbImage picture(int width, int height) {
    byte[] pixels = new byte[3 * width * height];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (byte) (i * 37 + 11);
    }
    return new RgbImage(width, height, pixels);
  }

  private static RgbImage vary(Augmentation augmentation, RgbImage image, int draw) {
    Augmenter augmenter = new Augmenter(augmentation, preprocessor(SIDE));
    return augmenter.vary(augmenter.prepare(image), Draws.of(1, draw));
  }

  @Test
  void withoutVariationItIsThePreprocessor() {
    RgbImage image = picture(23, 17);
    Preprocessor preprocessor = preprocessor(SIDE);
    float[] expected = new float[preprocessor.size()];
    preprocessor.apply(image, expected, 0);
    Augmenter augmenter = new Augmenter(Augmentation.NONE, preprocessor);
    float[] actual = new float[preprocessor.size() + 5];
    augmenter.apply(augmenter.prepare(image), Draws.of(0), actual, 5);
    assertThat(Arrays.copyOfRange(actual, 5, actual.length)).isEqualTo(expected);
  }

  @Test
  void paddingAndCroppingShiftsByEveryDistanceAndNoMore() {
    RgbImage image = picture(SIDE, SIDE);
    for (boolean reflect : new boolean[] {false, true}) {
      for (int padding : new int[] {0, 1, 3, SIDE + 4}) {
        Augmentation augmentation =
            Augmentation.NONE.withCrop(new Crop.PadAndCrop(padding, reflect));
        Set<Integer> seen = new HashSet<>();
        for (int draw = 0; draw < 100; draw++) {
          RgbImage actual = vary(augmentation, image, draw);
          Draws draws = Draws.of(1, draw);
          int top = draws.below(2 * padding + 1) - padding;
          int left = draws.below(2 * padding + 1) - padding;
          seen.add(top);
          for (int y = 0; y < SIDE; y++) {
            for (int x = 0; x < SIDE; x++) {
              for (int c = 0; c < 3; c++) {
                assertThat(actual.pixels()[3 * (y * SIDE + x) + c])
                    .isEqualTo(sample(image, y - top, x - left, c, reflect));
              }
            }
          }
        }
        assertThat(seen).hasSizeGreaterThan(Math.min(2 * padding, 20));
      }
    }
  }

  /** A step at a time, as one would walk with mirrors at both ends. */
  private static byte sample(RgbImage image, int y, int x, int c, boolean reflect) {
    int row = y;
    int column = x;
    while (reflect && (row < 0 || row >= SIDE)) {
      row = row < 0 ? -row : 2 * (SIDE - 1) - row;
    }
    while (reflect && (column < 0 || column >= SIDE)) {
      column = column < 0 ? -column : 2 * (SIDE - 1) - column;
    }
    return row < 0 || row >= SIDE || column < 0 || column >= SIDE
        ? 0
        : image.pixels()[3 * (row * SIDE + column) + c];
  }

  @Test
  void flipsMirrorAsOftenAsAsked() {
    RgbImage image = picture(SIDE, SIDE);
    int mirrored = 0;
    for (int draw = 0; draw < 2000; draw++) {
      RgbImage actual = vary(Augmentation.NONE.withHorizontalFlip(0.25), image, draw);
      if (actual.pixels()[0] == image.pixels()[3 * (SIDE - 1)]
          && actual.pixels()[2] == image.pixels()[3 * (SIDE - 1) + 2]) {
        mirrored++;
      } else {
        assertThat(actual.pixels()).isEqualTo(image.pixels());
      }
    }
    assertThat(mirrored / 2000.0).isCloseTo(0.25, within(0.04));
    byte[] down = vary(Augmentation.NONE.withVerticalFlip(1), image, 0).pixels();
    byte[] across = vary(Augmentation.NONE.withHorizontalFlip(1), image, 0).pixels();
    for (int y = 0; y < SIDE; y++) {
      for (int i = 0; i < 3 * SIDE; i++) {
        byte original = image.pixels()[3 * y * SIDE + i];
        assertThat(down[3 * (SIDE - 1 - y) * SIDE + i]).isEqualTo(original);
        assertThat(across[3 * (y * SIDE + SIDE - 1 - i / 3) + i % 3]).isEqualTo(original);
      }
    }
  }

  @Test
  void randomCropsKeepToTheirScaleAndRatio() {
    Crop.RandomResized crop = Crop.RandomResized.ofScale(0.2, 0.8);
    double least = 1;
    double most = 0;
    for (int draw = 0; draw < 5000; draw++) {
      Augmenter.Box box = Augmenter.box(200, 120, crop, Draws.of(2, draw));
      assertThat(box.left()).isBetween(0, 200 - box.width());
      assertThat(box.top()).isBetween(0, 120 - box.height());
      double scale = box.width() * box.height() / (200.0 * 120);
      least = Math.min(least, scale);
      most = Math.max(most, scale);
      assertThat((double) box.width() / box.height()).isBetween(0.73, 1.36);
    }
    assertThat(least).isBetween(0.19, 0.22);
    assertThat(most).isBetween(0.75, 0.82);
    // No part of a ribbon has such a shape: the largest in its middle is taken.
    assertThat(Augmenter.box(1000, 3, Crop.RandomResized.ofScale(1, 1), Draws.of(3)))
        .isEqualTo(new Augmenter.Box(498, 0, 4, 3));
    assertThat(Augmenter.box(1, 1, crop, Draws.of(3))).isEqualTo(new Augmenter.Box(0, 0, 1, 1));
  }

  @Test
  void aRandomResizedCropIsPillowsResizeOfTheCutPart() {
    Crop.RandomResized crop =
        new Crop.RandomResized(0.3, 0.6, 0.75, 4.0 / 3, List.of(Resample.Filter.BICUBIC));
    RgbImage image = picture(40, 30);
    Draws draws = Draws.of(1, 77);
    Augmenter.Box box = Augmenter.box(40, 30, crop, draws);
    byte[] cut = new byte[3 * box.width() * box.height()];
    for (int y = 0; y < box.height(); y++) {
      int from = 3 * ((box.top() + y) * 40 + box.left());
      System.arraycopy(image.pixels(), from, cut, 3 * y * box.width(), 3 * box.width());
    }
    RgbImage expected =
        Resample.resize(
            new RgbImage(box.width(), box.height(), cut), SIDE, SIDE, Resample.Filter.BICUBIC);
    assertThat(vary(Augmentation.NONE.withCrop(crop), image, 77).pixels())
        .isEqualTo(expected.pixels());
  }

  @Test
  void largeSourcesAreReducedAndSmallOnesAreNot() {
    Augmenter augmenter =
        new Augmenter(Augmentation.photos().withSourceEdge(20), preprocessor(SIDE));
    RgbImage wide = augmenter.prepare(picture(61, 40));
    assertThat(List.of(wide.width(), wide.height())).isEqualTo(List.of(30, 20));
    RgbImage tall = augmenter.prepare(picture(40, 61));
    assertThat(List.of(tall.width(), tall.height())).isEqualTo(List.of(20, 30));
    RgbImage small = picture(20, 100);
    assertThat(augmenter.prepare(small)).isSameAs(small);
  }

  @Test
  void erasingTakesItsAreaAndNothingElse() {
    int side = 40;
    double sum = 0;
    int erased = 0;
    for (int draw = 0; draw < 3000; draw++) {
      float[] values = new float[3 + 2 * side * side];
      Arrays.fill(values, 7);
      RandomErasing.of(0.5, RandomErasing.Mode.CONST)
          .apply(values, 3, 2, side, side, Draws.of(6, draw));
      int first = 0;
      int second = 0;
      for (int i = 0; i < side * side; i++) {
        first += values[3 + i] == 0 ? 1 : 0;
        second += values[3 + side * side + i] == 0 ? 1 : 0;
      }
      assertThat(new float[] {values[0], values[1], values[2]}).containsOnly(7);
      assertThat(second).isEqualTo(first);
      if (first > 0) {
        erased++;
        sum += first / (double) (side * side);
        assertThat(first / (double) (side * side)).isBetween(0.015, 0.36);
      }
    }
    assertThat(erased / 3000.0).isCloseTo(0.5, within(0.04));
    assertThat(sum / erased).isCloseTo(0.175, within(0.02));
  }

  @Test
  void erasingWritesWhatItsModeSays() {
    float[] colour = new float[3 * 100];
    new RandomErasing(1, RandomErasing.Mode.RAND, 0.3, 0.3, 1, 1)
        .apply(colour, 0, 3, 10, 10, Draws.of(1));
    assertThat(distinct(colour)).isEqualTo(4); // three colours and what was there
    float[] noise = new float[3 * 100];
    new RandomErasing(1, RandomErasing.Mode.PIXEL, 0.3, 0.3, 1, 3)
        .apply(noise, 0, 3, 10, 10, Draws.of(1));
    assertThat(distinct(noise)).isGreaterThan(25);
  }

  private static int distinct(float[] values) {
    Set<Float> seen = new HashSet<>();
    for (float value : values) {
      seen.add(value);
    }
    return seen.size();
  }

  @Test
  void settingsThatMakeNoSenseAreRefused() {
    assertThatThrownBy(() -> Augmentation.NONE.withHorizontalFlip(1.5))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Crop.RandomResized.ofScale(0, 1))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Crop.PadAndCrop(-1, false))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> RandomErasing.of(Double.NaN, RandomErasing.Mode.CONST))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
