package dev.tessera.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

class DecoderTest {
  private final Decoder decoder = new Decoder();

  @TestFactory
  Stream<DynamicTest> decodesWhatPillowDecodes() {
    return decodes("files", "rgb");
  }

  @TestFactory
  Stream<DynamicTest> decodesTheVariantsThatPillowDecodes() {
    return decodes("variants", "variants");
  }

  private Stream<DynamicTest> decodes(String files, String pictures) {
    List<Path> list = Golden.list(Golden.resources(files));
    assertThat(list).hasSizeGreaterThan(80);
    return list.stream()
        .map(
            file ->
                DynamicTest.dynamicTest(
                    file.getFileName().toString(),
                    () ->
                        assertSame(
                            decoder.decode(file),
                            Objects.requireNonNull(Golden.rgb(Golden.resources(pictures), file)))));
  }

  @TestFactory
  Stream<DynamicTest> refusesOrDecodesDamagedFilesAsPillow() {
    Path bad = Golden.resources("bad");
    List<Path> list = Golden.list(bad);
    assertThat(list).hasSizeGreaterThan(25);
    return list.stream()
        .map(
            file ->
                DynamicTest.dynamicTest(
                    file.getFileName().toString(),
                    () -> {
                      RgbImage expected = Golden.rgb(bad, file);
                      if (expected == null) {
                        assertThatThrownBy(() -> decoder.decode(file))
                            .isInstanceOf(ImageException.class)
                            .hasMessageStartingWith(file + " ")
                            .message()
                            .doesNotContain("\n")
                            .matches(m -> !m.contains("Exception"), "speaks to people");
                      } else {
                        assertSame(decoder.decode(file), expected);
                      }
                    }));
  }

  private static void assertSame(RgbImage actual, RgbImage expected) {
    assertThat(actual.width()).isEqualTo(expected.width());
    assertThat(actual.height()).isEqualTo(expected.height());
    assertThat(actual.pixels()).isEqualTo(expected.pixels());
  }

  @Test
  void namesTheFlagThatRaisesThePixelLimit() {
    Path file = Golden.resources("files").resolve("png_rgb.png");
    assertThatThrownBy(() -> new Decoder(new Limits(8854, 1 << 20)).decode(file))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("115 x 77")
        .hasMessageContaining("--max-pixels");
  }

  @Test
  void acceptsAPictureOfExactlyTheLimit() throws IOException {
    Path file = Golden.resources("files").resolve("png_rgb.png");
    assertThat(new Decoder(new Limits(8855, 1 << 20)).decode(file).width()).isEqualTo(115);
  }

  @Test
  void refusesFilesAboveTheByteLimit() {
    Path file = Golden.resources("files").resolve("png_rgb.png");
    assertThatThrownBy(() -> new Decoder(new Limits(1 << 20, 100)).decode(file))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("limit of 100");
  }

  @Test
  void saysWhatIsWrongWithAPath(@TempDir Path folder) throws IOException {
    assertThatThrownBy(() -> decoder.decode(folder.resolve("none.jpg")))
        .isInstanceOf(ImageException.class)
        .hasMessageEndingWith("none.jpg does not exist");
    assertThatThrownBy(() -> decoder.decode(folder))
        .isInstanceOf(ImageException.class)
        .hasMessageEndingWith("is not a file");
    Path empty = Files.createFile(folder.resolve("empty.png"));
    assertThatThrownBy(() -> decoder.decode(empty))
        .isInstanceOf(ImageException.class)
        .hasMessageEndingWith("empty.png is empty");
  }

  @Test
  void isUsedByManyThreadsAtOnce() throws Exception {
    List<Path> files = Golden.list(Golden.resources("files"));
    try (var pool = java.util.concurrent.Executors.newFixedThreadPool(4)) {
      var results =
          pool.invokeAll(
              Stream.of(files, files, files, files)
                  .flatMap(List::stream)
                  .map(
                      file ->
                          (java.util.concurrent.Callable<Boolean>)
                              () -> {
                                assertSame(
                                    decoder.decode(file),
                                    Objects.requireNonNull(
                                        Golden.rgb(Golden.resources("rgb"), file)));
                                return true;
                              })
                  .toList());
      for (var result : results) {
        assertThat(result.get()).isTrue();
      }
    }
  }

  @Test
  void refusesJpegProcessesItDoesNotDecode() throws IOException {
    byte[] jpeg = Files.readAllBytes(Golden.resources("files").resolve("jpeg_8x8.jpg"));
    int frame = 2;
    while ((jpeg[frame + 1] & 0xff) != 0xc0) {
      frame += 2 + ((jpeg[frame + 2] & 0xff) << 8 | jpeg[frame + 3] & 0xff);
    }
    byte[] arithmetic = jpeg.clone();
    arithmetic[frame + 1] = (byte) 0xc9;
    assertThatThrownBy(() -> decoder.decode(arithmetic, "a.jpg"))
        .isInstanceOf(ImageException.class)
        .hasMessage(
            "a.jpg is an arithmetic-coded JPEG file, which is not supported; re-save it as baseline"
                + " or progressive");
    byte[] twelve = jpeg.clone();
    twelve[frame + 4] = 12;
    assertThatThrownBy(() -> decoder.decode(twelve, "b.jpg"))
        .isInstanceOf(ImageException.class)
        .hasMessageStartingWith("b.jpg is a JPEG file with 12 bits per sample");
  }
}
