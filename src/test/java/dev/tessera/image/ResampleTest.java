package dev.tessera.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tessera.image.Golden.Array;
import dev.tessera.image.Resample.Filter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class ResampleTest {
  private static final Pattern EXACT =
      Pattern.compile("([a-z]+)_(?:h(\\d+)_w(\\d+)|(\\d+)x(\\d+))");
  private static final Pattern SHORT =
      Pattern.compile("short(\\d+)_([a-z]+)(?:_crop(\\d+)_(torchvision|floor))?");

  @TestFactory
  Stream<DynamicTest> equalsPillow() {
    return Golden.list(Golden.resources("resize")).stream().flatMap(ResampleTest::cases);
  }

  @TestFactory
  Stream<DynamicTest> equalsPillowOnTheSharedFixtures() {
    return Golden.list(Golden.shared("golden/open/images/resize")).stream()
        .flatMap(ResampleTest::cases);
  }

  private static Stream<DynamicTest> cases(Path file) {
    Map<String, Array> arrays = Golden.safetensors(file);
    RgbImage input = Objects.requireNonNull(arrays.get("input")).image();
    return arrays.keySet().stream()
        .filter(name -> !name.equals("input"))
        .map(
            name ->
                DynamicTest.dynamicTest(
                    file.getFileName() + " " + name,
                    () -> {
                      RgbImage expected = Objects.requireNonNull(arrays.get(name)).image();
                      RgbImage actual = run(input, name);
                      assertThat(actual.width()).isEqualTo(expected.width());
                      assertThat(actual.height()).isEqualTo(expected.height());
                      assertThat(actual.pixels()).isEqualTo(expected.pixels());
                    }));
  }

  private static RgbImage run(RgbImage input, String name) {
    Matcher exact = EXACT.matcher(name);
    if (exact.matches()) {
      boolean named = exact.group(2) != null;
      int height = Integer.parseInt(named ? exact.group(2) : exact.group(4));
      int width = Integer.parseInt(named ? exact.group(3) : exact.group(5));
      return Resample.resize(input, width, height, filter(exact.group(1)));
    }
    Matcher shorter = SHORT.matcher(name);
    assertThat(shorter.matches()).as(name).isTrue();
    Filter filter = filter(shorter.group(2));
    int[] size =
        new Scaling.ShortestEdge(Integer.parseInt(shorter.group(1)))
            .target(input.height(), input.width());
    if (shorter.group(3) == null) {
      return Resample.resize(input, size[1], size[0], filter);
    }
    int crop = Integer.parseInt(shorter.group(3));
    boolean floor = shorter.group(4).equals("floor");
    int top = floor ? (size[0] - crop) / 2 : (int) Math.rint((size[0] - crop) / 2.0);
    int left = floor ? (size[1] - crop) / 2 : (int) Math.rint((size[1] - crop) / 2.0);
    return Resample.resize(input, size[1], size[0], filter, left, top, crop, crop);
  }

  private static Filter filter(String name) {
    return Filter.valueOf(name.toUpperCase(Locale.ROOT));
  }

  @Test
  void refusesAPartOutsideTheResult() {
    RgbImage image = new RgbImage(2, 2, new byte[12]);
    assertThatThrownBy(() -> Resample.resize(image, 4, 4, Filter.BOX, 1, 0, 4, 4))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("not inside 4x4");
  }
}
