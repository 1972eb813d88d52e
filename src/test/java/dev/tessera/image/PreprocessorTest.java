package dev.tessera.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.tessera.image.Golden.Array;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class PreprocessorTest {
  private static final Map<String, @Nullable Object> VIT = Map.of("model_type", "vit");

  @TestFactory
  Stream<DynamicTest> equalsTransformersAndTimm() {
    return cases(Golden.resources("processors").resolve("tiny_64.safetensors"), 64, null);
  }

  @TestFactory
  Stream<DynamicTest> equalsTransformersAndTimmOnTheSharedFixtures() {
    Path folder = Golden.shared("golden/open/images/processors");
    Array photo =
        Objects.requireNonNull(
            Golden.safetensors(folder.resolve("photo_64.safetensors")).get("input"));
    return Stream.of(
            cases(folder.resolve("photo_64.safetensors"), 64, null),
            cases(folder.resolve("portrait_64.safetensors"), 64, null),
            cases(folder.resolve("photo_224.safetensors"), 224, photo))
        .flatMap(s -> s);
  }

  private static Stream<DynamicTest> cases(Path file, int size, @Nullable Array input) {
    Map<String, Array> arrays = Golden.safetensors(file);
    RgbImage image = (input == null ? Objects.requireNonNull(arrays.get("input")) : input).image();
    return arrays.keySet().stream()
        .filter(name -> !name.equals("input"))
        .map(
            name ->
                DynamicTest.dynamicTest(
                    file.getFileName() + " " + name,
                    () -> {
                      Preprocessor preprocessor = preprocessor(name, size);
                      float[] actual = apply(preprocessor, image);
                      Array expected = Objects.requireNonNull(arrays.get(name));
                      assertThat(expected.shape())
                          .containsExactly(
                              preprocessor.channels(), preprocessor.height(), preprocessor.width());
                      // torch's own resize rounds differently: one grey level.
                      float level = name.startsWith("clip") ? 1 / (255 * 0.26f) : 1 / 127.5f;
                      assertThat(actual)
                          .containsExactly(
                              expected.floats(),
                              within(name.endsWith("torchvision") ? level * 1.01f : 1e-5f));
                    }));
  }

  private static Preprocessor preprocessor(String name, int size) {
    int crop = (int) (size * 0.875);
    Map<String, Integer> square = Map.of("height", size, "width", size);
    Map<String, Integer> cropped = Map.of("height", crop, "width", crop);
    return switch (name) {
      case "vit_pil", "vit_torchvision" ->
          huggingFace(Map.of("image_processor_type", "ViTImageProcessor", "size", square));
      case "clip_pil", "clip_torchvision" ->
          huggingFace(
              Map.of(
                  "image_processor_type",
                  "CLIPImageProcessor",
                  "size",
                  Map.of("shortest_edge", size),
                  "crop_size",
                  square));
      case "siglip_pil" ->
          huggingFace(Map.of("image_processor_type", "SiglipImageProcessor", "size", square));
      case "dinov2_bit_pil" ->
          huggingFace(
              Map.of(
                  "image_processor_type",
                  "BitImageProcessor",
                  "size",
                  Map.of("shortest_edge", size),
                  "crop_size",
                  cropped,
                  "image_mean",
                  List.of(0.485, 0.456, 0.406),
                  "image_std",
                  List.of(0.229, 0.224, 0.225),
                  "resample",
                  3));
      case "deit_pil" ->
          huggingFace(
              Map.of(
                  "image_processor_type", "DeiTImageProcessor",
                  "size", square,
                  "crop_size", cropped));
      case "timm_bicubic_0.9" ->
          Preprocessor.ofTimm(
              Map.of(
                  "pretrained_cfg",
                  Map.of(
                      "input_size",
                      List.of(3, size, size),
                      "mean",
                      List.of(0.5, 0.5, 0.5),
                      "std",
                      List.of(0.5, 0.5, 0.5),
                      "interpolation",
                      "bicubic",
                      "crop_pct",
                      0.9,
                      "crop_mode",
                      "center")));
      case "timm_bilinear_0.875" ->
          Preprocessor.ofTimm(
              Map.of(
                  "input_size",
                  List.of(3, size, size),
                  "interpolation",
                  "bilinear",
                  "crop_pct",
                  0.875));
      default -> throw new IllegalArgumentException(name);
    };
  }

  private static Preprocessor huggingFace(Map<String, ? extends @Nullable Object> config) {
    return Preprocessor.ofHuggingFace(config, VIT);
  }

  private static float[] apply(Preprocessor preprocessor, RgbImage image) {
    float[] padded = new float[preprocessor.size() + 7];
    Arrays.fill(padded, Float.NaN);
    preprocessor.apply(image, padded, 3);
    assertThat(padded[2]).isNaN();
    assertThat(padded[3 + preprocessor.size()]).isNaN();
    return Arrays.copyOfRange(padded, 3, 3 + preprocessor.size());
  }

  @TestFactory
  Stream<DynamicTest> equalsTheEndToEndInputs() {
    Map<String, Array> arrays = Golden.safetensors(Golden.resources("e2e.safetensors"));
    Path models = Golden.shared("golden/open");
    return arrays.keySet().stream()
        .filter(name -> name.endsWith("/pixel_values"))
        .map(
            name ->
                DynamicTest.dynamicTest(
                    name,
                    () -> {
                      String[] parts = name.split("/");
                      RgbImage image =
                          new Decoder().decode(Golden.resources("files").resolve(parts[1]));
                      float[] actual = apply(ofFolder(models.resolve(parts[0])), image);
                      assertThat(actual)
                          .containsExactly(
                              Objects.requireNonNull(arrays.get(name)).floats(), within(1e-5f));
                    }));
  }

  private static Preprocessor ofFolder(Path folder) throws IOException {
    Map<String, @Nullable Object> model =
        Golden.json(Files.readString(folder.resolve("config.json")));
    Path file = folder.resolve("preprocessor_config.json");
    if (Files.exists(file)) {
      return Preprocessor.ofHuggingFace(Golden.json(Files.readString(file)), model);
    }
    return model.containsKey("pretrained_cfg")
        ? Preprocessor.ofTimm(model)
        : Preprocessor.ofHuggingFace(null, model);
  }

  @Test
  void takesTheClassDefaultsForAbsentKeys() {
    assertThat(huggingFace(Map.of("feature_extractor_type", "ViTFeatureExtractor")))
        .hasToString("ViTImageProcessor: resize to 224x224 (bilinear), x/255, mean 0.5, std 0.5");
    assertThat(huggingFace(Map.of("image_processor_type", "DeiTImageProcessorFast")))
        .hasToString(
            "DeiTImageProcessor: resize to 256x256 (bicubic), centre crop 224x224, x/255, mean 0.5,"
                + " std 0.5");
    assertThat(huggingFace(Map.of("image_processor_type", "CLIPImageProcessorPil")).describe())
        .startsWith(
            "CLIPImageProcessor: resize shortest edge to 224 (bicubic), centre crop 224x224, x/255,"
                + " mean [0.48145466");
    assertThat(huggingFace(Map.of("image_processor_type", "SiglipImageProcessor")).describe())
        .startsWith("SiglipImageProcessor: resize to 224x224 (bicubic), x/255");
  }

  @Test
  void readsTheKeysOfVersion4() {
    Preprocessor clip =
        huggingFace(
            Map.of(
                "feature_extractor_type", "CLIPFeatureExtractor",
                "size", 48,
                "crop_size", 32,
                "resample", 2));
    assertThat(clip.describe())
        .contains("resize shortest edge to 48 (bilinear), centre crop 32x32");
    Preprocessor vit = huggingFace(Map.of("size", 384, "resample", "lanczos"));
    assertThat(vit.describe()).contains("resize to 384x384 (lanczos)");
  }

  @Test
  void withoutAFileTakesTheModelsSize() {
    Preprocessor vit =
        Preprocessor.ofHuggingFace(null, Map.of("model_type", "vit", "image_size", 32));
    assertThat(vit.describe()).startsWith("ViTImageProcessor: resize to 32x32 (bilinear)");
    Preprocessor clip =
        Preprocessor.ofHuggingFace(
            null, Map.of("model_type", "clip", "vision_config", Map.of("image_size", 64)));
    assertThat(clip.describe()).contains("resize shortest edge to 64", "centre crop 64x64");
  }

  @Test
  void makesGrayInputForModelsOfOneChannel() {
    Preprocessor preprocessor =
        Preprocessor.ofHuggingFace(
            Map.of(
                "image_processor_type", "ViTImageProcessor",
                "size", Map.of("height", 1, "width", 1),
                "image_mean", List.of(0.5),
                "image_std", List.of(0.5)),
            Map.of("model_type", "vit", "num_channels", 1));
    assertThat(preprocessor.size()).isEqualTo(1);
    float[] result = apply(preprocessor, new RgbImage(1, 1, new byte[] {(byte) 200, 100, 50}));
    // (19595 * 200 + 38470 * 100 + 7471 * 50 + 32768) >> 16 = 124
    assertThat(result[0]).isEqualTo((124 / 255f - 0.5f) / 0.5f, within(1e-6f));
  }

  @Test
  void padsWhatIsSmallerThanTheCrop() {
    Preprocessor preprocessor =
        huggingFace(
            Map.of(
                "image_processor_type",
                "CLIPImageProcessor",
                "do_resize",
                false,
                "do_normalize",
                false,
                "crop_size",
                Map.of("height", 3, "width", 4)));
    byte[] white = new byte[3];
    Arrays.fill(white, (byte) 255);
    float[] result = apply(preprocessor, new RgbImage(1, 1, white));
    // transformers pads with ceil((4 - 1) / 2) = 2 columns on the left.
    assertThat(Arrays.copyOf(result, 12)).containsExactly(0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0);
  }

  @Test
  void fillsTheBorderWithTheMeanWhereTimmDoes() {
    Preprocessor preprocessor =
        Preprocessor.ofTimm(
            Map.of(
                "input_size", List.of(3, 4, 4),
                "crop_pct", 1.0,
                "crop_mode", "border",
                "mean", List.of(0.5, 0.5, 0.5),
                "std", List.of(0.5, 0.5, 0.5)));
    byte[] white = new byte[3 * 8 * 4];
    Arrays.fill(white, (byte) 255);
    float[] result = apply(preprocessor, new RgbImage(8, 4, white));
    float mean = (128 / 255f - 0.5f) / 0.5f; // round(127.5) is 128, half to even
    assertThat(Arrays.copyOf(result, 16))
        .containsExactly(
            new float[] {mean, mean, mean, mean, 1, 1, 1, 1, 1, 1, 1, 1, mean, mean, mean, mean},
            within(1e-6f));
  }

  @Test
  void needsLittleMemoryForExtremeAspectRatios() {
    Preprocessor clip = huggingFace(Map.of("image_processor_type", "CLIPImageProcessor"));
    // Resized whole this would be 224 x 14 680 064.
    RgbImage thin = new RgbImage(1, 65_536, new byte[3 * 65_536]);
    assertThat(apply(clip, thin)).hasSize(3 * 224 * 224);
  }

  @Test
  void refusesResultsWhoseSizeWouldVary() {
    assertThatThrownBy(
            () ->
                huggingFace(
                    Map.of("image_processor_type", "CLIPImageProcessor", "do_center_crop", false)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("do_center_crop");
  }

  @Test
  void namesTheKeyItCannotUse() {
    assertThatThrownBy(() -> huggingFace(Map.of("size", Map.of("height", -1, "width", 3))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("preprocessor_config.json: cannot use height -1");
    assertThatThrownBy(() -> huggingFace(Map.of("image_mean", List.of(0.5, 0.5))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("image_mean has 2 values for 3 channels");
    assertThatThrownBy(() -> Preprocessor.ofTimm(Map.of("interpolation", "cubist")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("cubist");
  }

  @Test
  void refusesProcessorsItDoesNotKnow() {
    assertThatThrownBy(() -> huggingFace(Map.of("image_processor_type", "DonutImageProcessor")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("preprocessor_config.json")
        .hasMessageContaining("DonutImageProcessor");
  }
}
