package dev.tessera.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Against Pillow, torchvision and timm, byte for byte. */
class PixelOpsTest {
  private static final byte[] FILL = {124, 116, 104};

  private static final Map<String, Golden.Array> GOLDEN =
      Golden.safetensors(Golden.resources("augment.safetensors"));

  private static RgbImage golden(String name) {
    return Objects.requireNonNull(GOLDEN.get(name), name).image();
  }

  @TestFactory
  List<DynamicTest> everyOperationIsPillows() {
    List<DynamicTest> tests = new ArrayList<>();
    for (String name : GOLDEN.keySet()) {
      if (!name.equals("image") && !name.equals("low")) {
        tests.add(
            DynamicTest.dynamicTest(
                name, () -> assertThat(apply(name).pixels()).isEqualTo(golden(name).pixels())));
      }
    }
    assertThat(tests).hasSizeGreaterThan(60);
    return tests;
  }

  private static RgbImage apply(String name) {
    RgbImage image = golden("image");
    String[] parts = name.split("/", -1);
    double value = parts.length > 1 ? Double.parseDouble(parts[1]) : 0;
    boolean bicubic = name.endsWith("bicubic");
    return switch (parts[0]) {
      case "invert" -> PixelOps.invert(image);
      case "equalize" -> PixelOps.equalize(image);
      case "equalize_low" -> PixelOps.equalize(golden("low"));
      case "autocontrast" -> PixelOps.autoContrast(golden("low"));
      case "posterize" -> PixelOps.posterize(image, (int) value);
      case "solarize" -> PixelOps.solarize(image, (int) value);
      case "solarizeadd" -> PixelOps.solarizeAdd(image, (int) value);
      case "brightness" -> PixelOps.brightness(image, value);
      case "contrast" -> PixelOps.contrast(image, value);
      case "saturation" -> PixelOps.saturation(image, value);
      case "sharpness" -> PixelOps.sharpness(image, value);
      case "hue" -> PixelOps.hue(image, value);
      case "shearx" -> Affine.shearX(value).apply(image, bicubic, FILL);
      case "sheary" -> Affine.shearY(value).apply(image, bicubic, FILL);
      case "translatex" -> Affine.translate(value * image.width(), 0).apply(image, bicubic, FILL);
      case "translatey" -> Affine.translate(0, value * image.height()).apply(image, bicubic, FILL);
      case "rotate" ->
          Affine.rotate(value, image.width(), image.height()).apply(image, bicubic, FILL);
      default -> throw new IllegalArgumentException(name);
    };
  }

  @Test
  void extremeImagesSurviveEveryOperation() {
    for (int[] size : new int[][] {{1, 1}, {1, 5}, {4, 1}, {2, 2}}) {
      for (int level : new int[] {0, 128, 255}) {
        byte[] pixels = new byte[3 * size[0] * size[1]];
        Arrays.fill(pixels, (byte) level);
        RgbImage image = new RgbImage(size[0], size[1], pixels);
        for (RandAugment.Operation operation : RandAugment.Operation.values()) {
          for (String text :
              List.of("rand-m0", "rand-m10-inc1", "rand-m30-mmax30", "rand-m30-mmax30-inc1")) {
            RandAugment settings = RandAugment.parse(text);
            RgbImage result =
                settings.apply(operation, image, settings.magnitude(), FILL, Draws.of(1));
            assertThat(result.pixels()).hasSameSizeAs(pixels);
          }
        }
        assertThat(PixelOps.autoContrast(image).pixels()).isEqualTo(pixels);
        assertThat(PixelOps.equalize(image).pixels()).isEqualTo(pixels);
      }
    }
  }

  @Test
  void timmsStringIsUnderstood() {
    assertThat(RandAugment.parse("rand-m9-mstd0.5-inc1"))
        .isEqualTo(new RandAugment(9, 2, 0.5, 0.5, 10, true));
    assertThat(RandAugment.parse("rand")).isEqualTo(new RandAugment(10, 2, 0.5, 0, 10, false));
    assertThat(RandAugment.parse("rand-n3-p0.8-mmax15-m7-inc0-mstd101"))
        .isEqualTo(new RandAugment(7, 3, 0.8, 101, 15, false));
    for (String bad :
        List.of(
            "",
            "augmix",
            "rand-",
            "rand-m",
            "rand-mx",
            "rand-q3",
            "rand-n0",
            "rand-p2",
            "rand-tweights",
            "rand-m-1")) {
      assertThatThrownBy(() -> RandAugment.parse(bad))
          .as(bad)
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void increasingStrengthsAreTimms() {
    RgbImage image = golden("image");
    RandAugment increasing = RandAugment.parse("rand-inc1");
    RandAugment original = RandAugment.parse("rand");
    assertSame(increasing, RandAugment.Operation.POSTERIZE, 2.5, "posterize/3");
    assertSame(original, RandAugment.Operation.POSTERIZE, 2.5, "posterize/1");
    assertSame(increasing, RandAugment.Operation.SOLARIZE, 9, "solarize/26");
    assertSame(original, RandAugment.Operation.SOLARIZE, 5, "solarize/128");
    assertSame(original, RandAugment.Operation.SOLARIZE_ADD, 9, "solarizeadd/99");
    assertSame(original, RandAugment.Operation.CONTRAST, 10, "contrast/1.9");
    assertSame(original, RandAugment.Operation.BRIGHTNESS, 1.5, "brightness/0.37");
    Set<Integer> seen = new TreeSet<>();
    for (int draw = 0; draw < 20; draw++) {
      byte[] pixels =
          increasing
              .apply(RandAugment.Operation.SHARPNESS, image, 7, FILL, Draws.of(draw))
              .pixels();
      if (Arrays.equals(pixels, golden("sharpness/1.63").pixels())) {
        seen.add(1);
      } else if (Arrays.equals(pixels, golden("sharpness/0.37").pixels())) {
        seen.add(-1);
      } else {
        seen.add(0);
      }
    }
    assertThat(seen).containsExactly(-1, 1);
  }

  private static void assertSame(
      RandAugment settings, RandAugment.Operation operation, double level, String name) {
    assertThat(settings.apply(operation, golden("image"), level, FILL, Draws.of(1)).pixels())
        .as(name)
        .isEqualTo(golden(name).pixels());
  }

  @Test
  void operationsAreDoneAsOftenAsAsked() {
    RgbImage image = golden("image");
    int same = 0;
    for (int draw = 0; draw < 2000; draw++) {
      RgbImage result = RandAugment.parse("rand-m9-n1-p0.25").apply(image, FILL, Draws.of(draw));
      same += Arrays.equals(result.pixels(), image.pixels()) ? 1 : 0;
    }
    // Some operations leave this image as it is.
    assertThat(same / 2000.0).isBetween(0.74, 0.80);
  }

  @Test
  void jitterKeepsToItsRange() {
    byte[] pixels = new byte[3];
    Arrays.fill(pixels, (byte) 100);
    RgbImage gray = new RgbImage(1, 1, pixels);
    double sum = 0;
    for (int draw = 0; draw < 2000; draw++) {
      int level = new ColorJitter(0.4, 0, 0, 0.5).apply(gray, Draws.of(draw)).pixels()[0] & 0xff;
      assertThat(level).isBetween(60, 140);
      sum += level;
    }
    assertThat(sum / 2000).isCloseTo(99.5, within(2.0));
    RgbImage image = golden("image");
    assertThat(new ColorJitter(0, 0, 0, 0).apply(image, Draws.of(1)).pixels())
        .isEqualTo(image.pixels());
    Set<Integer> orders = new TreeSet<>();
    for (int draw = 0; draw < 50; draw++) {
      orders.add(
          Arrays.hashCode(
              new ColorJitter(0.4, 0.4, 0.4, 0.1).apply(image, Draws.of(draw)).pixels()));
    }
    assertThat(orders).hasSize(50);
    assertThatThrownBy(() -> new ColorJitter(0, 0, 0, 0.6))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
