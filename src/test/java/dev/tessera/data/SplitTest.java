package dev.tessera.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;

class SplitTest {
  private static Dataset dataset(LabelledImages images) {
    return new Dataset(
        Path.of("data"), "test", images.classes(), Map.of(Part.ALL, images), List.of());
  }

  private static Split split(
      LabelledImages images, double validation, double test, long seed, Grouping grouping)
      throws DataException {
    return dataset(images).split(new Split.Settings(validation, test, seed, grouping));
  }

  private static Set<String> ids(LabelledImages images) {
    Set<String> ids = new HashSet<>();
    images.images().forEach(image -> ids.add(image.id()));
    return ids;
  }

  @Test
  void everyClassKeepsItsShare() throws Exception {
    LabelledImages images = Fixtures.images(1, 100, 33, 7, 1, 0, 260);
    Split split = split(images, 0.1, 0.2, 1, new Grouping.None());
    LabelledImages test = Objects.requireNonNull(split.test());
    assertThat(split.validation().counts()).containsExactly(10, 3, 1, 0, 0, 26);
    assertThat(test.counts()).containsExactly(20, 7, 1, 0, 0, 52);
    assertThat(split.train().counts()).containsExactly(70, 23, 5, 1, 0, 182);
    Set<String> all = ids(split.train());
    all.addAll(ids(split.validation()));
    all.addAll(ids(test));
    assertThat(all).hasSize(images.size());
  }

  @Test
  void theSeedDecides() throws Exception {
    LabelledImages images = Fixtures.images(1, 200, 200);
    Split first = split(images, 0.25, 0, 1, new Grouping.None());
    assertThat(split(images, 0.25, 0, 1, new Grouping.None())).isEqualTo(first);
    assertThat(ids(split(images, 0.25, 0, 2, new Grouping.None()).validation()))
        .isNotEqualTo(ids(first.validation()));
    assertThat(first.test()).isNull();
  }

  /** Whoever adds images and trains again still validates on mostly the same ones. */
  @Test
  void addingImagesMovesFewOthers() throws Exception {
    LabelledImages more = Fixtures.images(1, 220);
    LabelledImages fewer = new LabelledImages(more.classes(), more.images().subList(0, 200));
    Set<String> before = ids(split(fewer, 0.25, 0, 1, new Grouping.None()).validation());
    Set<String> after = ids(split(more, 0.25, 0, 1, new Grouping.None()).validation());
    before.removeAll(after);
    assertThat(before).hasSizeLessThan(12);
  }

  @Test
  void groupsStayTogetherAndClassesInProportion() throws Exception {
    List<LabelledImage> images = new ArrayList<>();
    for (int group = 0; group < 60; group++) {
      for (int i = 0; i < 1 + group % 7; i++) {
        int label = (group + i) % 3;
        String id = "c%d/g%02d_%d.jpg".formatted(label, group, i);
        images.add(new LabelledImage(id, new ImageSource.File(Path.of(id)), label, "g" + group));
      }
    }
    LabelledImages all = new LabelledImages(List.of("a", "b", "c"), images);
    for (Grouping grouping :
        List.of(
            Grouping.parse("prefix:_"),
            Grouping.parse("column"),
            Grouping.parse("regex:/(g\\d+)_"))) {
      Split split = split(all, 0.2, 0.2, 5, grouping);
      LabelledImages test = Objects.requireNonNull(split.test());
      Map<String, LabelledImages> home = new HashMap<>();
      for (LabelledImages part : List.of(split.train(), split.validation(), test)) {
        for (LabelledImage image : part.images()) {
          LabelledImages other = home.putIfAbsent(String.valueOf(image.group()), part);
          assertThat(other == null || other.equals(part)).as(image.id()).isTrue();
        }
        double share = part.equals(split.train()) ? 0.6 : 0.2;
        for (int c = 0; c < 3; c++) {
          assertThat(part.counts()[c] / (double) all.counts()[c])
              .as("%s", grouping)
              .isCloseTo(share, within(0.06));
        }
      }
      assertThat(split.train().size() + split.validation().size() + test.size())
          .isEqualTo(all.size());
    }
  }

  @Test
  void groupsOfNames() {
    assertThat(group("blocks:10", "7/IMG_1119.JPG")).isEqualTo("IMG_111");
    assertThat(group("blocks:10", "3/IMG_1120.JPG")).isEqualTo("IMG_112");
    assertThat(group("blocks:5", "cat/x12 y0007.tar.png")).isEqualTo("x12 y1");
    assertThat(group("blocks:5", "cat/7")).isEqualTo("1");
    assertThat(group("blocks:2", "a/99999999999999999999999999.png")).isNotEmpty();
    assertThat(group("prefix:-", "a/anna-01.jpg")).isEqualTo("anna");
    assertThat(group("prefix:-", "a/anna.jpg")).isEqualTo("anna");
    assertThat(group("regex:^[^/]+/(..)", "a/anna.jpg")).isEqualTo("an");
    assertThat(group("regex:no", "a/anna.jpg")).isEqualTo("a/anna.jpg");
    assertThat(group("none", "a/anna.jpg")).isEqualTo("a/anna.jpg");
    for (String bad : List.of("regex:(", "blocks:0", "blocks:x", "prefix:", "person", "")) {
      assertThatThrownBy(() -> Grouping.parse(bad))
          .as(bad)
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  private static String group(String grouping, String id) {
    return Grouping.parse(grouping)
        .group(new LabelledImage(id, new ImageSource.File(Path.of(id)), 0, null));
  }

  @Test
  void aSplitThatLeavesNothingIsRefused() {
    LabelledImages images = Fixtures.images(1, 20, 20);
    assertThatThrownBy(() -> split(images, 0.2, 0, 1, Grouping.parse("prefix:-")))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("40 images in 1 groups");
    assertThatThrownBy(() -> new Split.Settings(0.6, 0.4, 1, new Grouping.None()))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Split.Settings(Double.NaN, 0, 1, new Grouping.None()))
        .isInstanceOf(IllegalArgumentException.class);
  }

  /** One person's hands have consecutive file numbers, one for each digit. */
  @Test
  void signLanguageDigitsByPerson() throws Exception {
    Dataset dataset = Dataset.open(Fixtures.shared("datasets/sign-language-digits"));
    assertThat(dataset.part(Part.ALL).size()).isEqualTo(2062);
    Grouping people = new Grouping.NumberBlocks(10);
    Split split = dataset.split(new Split.Settings(0.15, 0.15, 0, people));
    LabelledImages test = Objects.requireNonNull(split.test());
    Set<String> trained = new HashSet<>();
    split.train().images().forEach(image -> trained.add(people.group(image)));
    for (LabelledImage image : test.images()) {
      assertThat(trained).doesNotContain(people.group(image));
    }
    for (int c = 0; c < 10; c++) {
      assertThat(test.counts()[c] / (double) dataset.part(Part.ALL).counts()[c])
          .isCloseTo(0.15, within(0.03));
    }
  }

  @Test
  void balanceIsCountedAndWeighted() {
    ClassBalance balance = ClassBalance.of(Fixtures.images(1, 90, 9, 0, 1));
    assertThat(balance.ratio()).isEqualTo(90);
    float[] weights = balance.weights(ClassBalance.Weighting.BALANCED);
    assertThat(weights[0] * 90).isCloseTo(100f / 3, within(1e-4f));
    assertThat(weights[1] * 9).isCloseTo(100f / 3, within(1e-4f));
    assertThat(weights[2]).isZero();
    assertThat(weights[3]).isCloseTo(100f / 3, within(1e-4f));
    float[] root = balance.weights(ClassBalance.Weighting.SQRT);
    assertThat(root[0] * 90 + root[1] * 9 + root[3]).isCloseTo(100f, within(1e-3f));
    assertThat(root[3] / root[1]).isCloseTo(3f, within(1e-4f));
    assertThat(balance.weights(ClassBalance.Weighting.NONE)).containsOnly(1f);
    assertThat(balance.lines().getFirst()).isEqualTo("class 0        90   90.0 %");
  }
}
