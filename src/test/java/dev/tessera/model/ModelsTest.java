package dev.tessera.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.checkpoint.Json;
import dev.tessera.checkpoint.Safetensors;
import dev.tessera.engine.scalar.ScalarEngine;
import dev.tessera.graph.Graph;
import dev.tessera.tensor.DType;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.UnaryOperator;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ModelsTest {
  private static final Path CHECKPOINTS = Path.of("test/resources/checkpoints");
  private static final Path VIT = CHECKPOINTS.resolve("vit-tiny");
  private static final Path TIMM = CHECKPOINTS.resolve("timm-vit");

  @TempDir Path folder;

  @Test
  void knowsWhatItLoaded() throws IOException {
    try (Model model = Models.load(VIT)) {
      assertThat(model.architecture()).isEqualTo("ViTForImageClassification");
      assertThat(model.parameterCount()).isEqualTo(67_594);
      assertThat(List.of(model.channels(), model.height(), model.width())).containsOnly(3, 32);
      assertThat(List.of(model.hidden(), model.layers(), model.heads())).containsExactly(48, 3, 4);
      assertThat(model.labels()).hasSize(10).startsWith("airplane");
      assertThat(model.unused()).isEmpty();
    }
    try (Model model = Models.load(TIMM)) {
      assertThat(model.architecture()).isEqualTo("timm/vit_tiny_patch16_224");
      assertThat(model.labels()).startsWith("0", "1").hasSize(10);
    }
    try (Model model = Models.load(CHECKPOINTS.resolve("dinov2-reg"))) {
      assertThat(model.architecture()).isEqualTo("Dinov2WithRegistersModel");
      assertThat(model.labels()).isEmpty();
      assertThat(model.unused()).containsExactly("embeddings.mask_token");
    }
  }

  @Test
  void oneSetOfParametersServesEveryGraph() throws IOException {
    try (Model model = Models.load(VIT)) {
      for (Outputs outputs : Outputs.values()) {
        Graph graph = model.graph(3, 40, 56, outputs);
        assertThat(model.parameters().keySet()).containsAll(graph.parameters().keySet());
        assertThat(graph.inputs().get("pixel_values").shape()).isEqualTo(Shape.of(3, 3, 40, 56));
      }
      assertThatThrownBy(() -> model.graph(1, 7, 32, Outputs.RESULT))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("an image of 7×32 is smaller than one patch of 8×8");
    }
  }

  @Test
  void understandsTheNamesOfTransformers5() throws IOException {
    copy(
        VIT,
        name ->
            name.replace("encoder.layer.", "layers.")
                .replace("attention.attention.query", "attention.q_proj")
                .replace("attention.attention.key", "attention.k_proj")
                .replace("attention.attention.value", "attention.v_proj")
                .replace("attention.output.dense", "attention.o_proj")
                .replace("intermediate.dense", "mlp.fc1")
                .replace("output.dense", "mlp.fc2"));
    assertThat(logits(folder)).isEqualTo(logits(VIT));
  }

  @Test
  void understandsTheNamesOfTransformersWrapperAroundTimm() throws IOException {
    copy(TIMM, name -> "timm_model." + name);
    edit(TIMM, "model_type", "timm_wrapper");
    assertThat(logits(folder)).isEqualTo(logits(TIMM));
  }

  /** A file in half precision computes exactly what its widened numbers compute. */
  @ParameterizedTest
  @EnumSource(names = {"F16", "BF16", "F64"})
  void readsOtherPrecisions(DType dtype) throws IOException {
    Map<String, Tensor> narrow = new LinkedHashMap<>();
    Map<String, Tensor> widened = new LinkedHashMap<>();
    try (Safetensors file = Safetensors.open(VIT.resolve("model.safetensors"))) {
      file.tensors()
          .forEach((name, tensor) -> {
            Tensor converted = convert(tensor, dtype);
            narrow.put(name, converted);
            widened.put(name, Tensor.of(tensor.shape(), converted.toFloats()));
          });
    }
    Files.copy(VIT.resolve("config.json"), folder.resolve("config.json"));
    Safetensors.write(folder.resolve("model.safetensors"), narrow, Map.of());
    float[] actual = logits(folder);
    Safetensors.write(folder.resolve("model.safetensors"), widened, Map.of());
    assertThat(actual).isEqualTo(logits(folder));
    assertThat(actual).hasSize(10).doesNotContain(Float.NaN);
  }

  @Test
  void absentKeysTakeTheDefaultsOfTheClass() throws IOException {
    copy(VIT, name -> name);
    Map<String, @Nullable Object> config =
        new LinkedHashMap<>(Json.readObject(VIT.resolve("config.json")));
    for (String key :
        List.of("hidden_act", "layer_norm_eps", "num_channels", "qkv_bias", "id2label", "dtype")) {
      config.remove(key);
    }
    config.put("torch_dtype", "float32");
    Files.writeString(folder.resolve("config.json"), Json.write(config));
    assertThat(logits(folder)).isEqualTo(logits(VIT));
    try (Model model = Models.load(folder)) {
      assertThat(model.labels()).startsWith("LABEL_0", "LABEL_1");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "model_type|\"swin\"|model_type \"swin\" is not supported; supported are model_type vit,",
        "model_type|null|has no model_type; supported are model_type vit,",
        "hidden_act|\"mish\"|hidden_act \"mish\" is not supported; supported are gelu, ",
        "hidden_size|0|hidden_size is 0 but must be a whole number from 1 to 1048576",
        "hidden_size|4e9|hidden_size is 4.0E9 but must be a whole number from 1 to 1048576",
        "hidden_size|\"48\"|hidden_size is \"48\" but must be a whole number from 1 to 1048576",
        "hidden_size|48.5|hidden_size is 48.5 but must be a whole number",
        "image_size|[32]|image_size is a list of 1 but must be a whole number or a list of two",
        "image_size|{}|image_size is an object of 0 but must be a whole number",
        "image_size|40|with shape [1, 17, 48] but an image of 40×40 in patches of 8×8 has 26",
        "patch_size|16|patch_embeddings.projection.weight with shape [48, 3, 8, 8] but",
        "num_channels|1|projection.weight with shape [48, 3, 8, 8] but config.json asks for",
        "num_hidden_layers|1048576|lacks the parameter vit.encoder.layer.1048575.layernorm_before",
        "num_attention_heads|49|num_attention_heads is 49 but must be at most hidden_size, 48",
        "num_attention_heads|5|query.weight with shape [48, 48] but config.json asks for [45, 48]",
        "head_dim|1000000|head_dim is 1000000 but must be smaller for 4 heads",
        "intermediate_size|97|intermediate.dense.weight with shape [96, 48] but config.json asks",
        "qkv_bias|1|qkv_bias is 1 but must be true or false",
        "layer_norm_eps|-1|layer_norm_eps is -1 but must be a number of at least 0",
        "layer_norm_eps|NaN|layer_norm_eps is NaN but must be a number of at least 0",
        "architectures|[\"ViTModel\"]|~~",
      })
  void saysWhatIsWrongWithAConfig(String key, String value, String message) throws IOException {
    copy(VIT, name -> name);
    edit(VIT, key, Json.parse(value));
    if (message.isEmpty()) {
      Models.load(folder).close();
      return;
    }
    assertThatThrownBy(() -> Models.load(folder))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining(message)
        .hasMessageStartingWith(folder.toString());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "architecture|\"resnet50\"|architecture \"resnet50\" of timm's is not supported; supported",
        "architecture|\"vit_base_patch16_rpn_224\"|of timm's is not supported",
        "architecture|7|architecture is 7 but must be a string",
        "model_args|{\"num_heads\":5,\"img_size\":32}|num_heads is 5 but must be a divisor of",
        "model_args|{\"num_heads\":3,\"global_pool\":\"map\"}|global_pool is \"map\" but must be",
        "model_args|{\"num_heads\":3,\"act_layer\":\"mish\"}|act_layer \"mish\" is not supported",
        "pretrained_cfg|{\"input_size\":[3,32]}|~",
      })
  void saysWhatIsWrongWithATimmConfig(String key, String value, String message) throws IOException {
    copy(TIMM, name -> name);
    edit(TIMM, key, Json.parse(value));
    if (message.equals("~")) {
      edit(TIMM, key, Json.parse(value), "model_args", null);
      assertThatThrownBy(() -> Models.load(folder))
          .hasMessageContaining("input_size is a list of 2 but must be a list of channels, height");
      return;
    }
    assertThatThrownBy(() -> Models.load(folder))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining(message);
  }

  @Test
  void timmsOtherBlocksAreRefused() throws IOException {
    copy(TIMM, name -> name, Map.of("blocks.0.attn.q_norm.weight", Tensor.of(Shape.of(1), 1f)));
    assertThatThrownBy(() -> Models.load(folder))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining(
            "holds the parameter blocks.0.attn.q_norm.weight, which no supported block has");
  }

  @Test
  void missingAndMistypedParametersAreNamed() throws IOException {
    copy(VIT, name -> name.replace("vit.layernorm.bias", "vit.other"));
    assertThatThrownBy(() -> Models.load(folder))
        .hasMessageContaining("lacks the parameter vit.layernorm.bias");
    copy(VIT, name -> name, Map.of("classifier.bias", Tensor.of(Shape.of(10), new long[10])));
    assertThatThrownBy(() -> Models.load(folder))
        .hasMessageContaining("holds classifier.bias as I64 but parameters are read as F32");
    copy(VIT, name -> name, Map.of("classifier.weight", Tensor.of(Shape.of(480), new float[480])));
    assertThatThrownBy(() -> Models.load(folder))
        .hasMessageContaining("holds classifier.weight with shape [480] but a matrix is needed");
  }

  @Test
  void openClipNeedsBothOfItsTowers() throws IOException {
    copy(VIT, name -> name);
    Path config = folder.resolve("open_clip_config.json");
    Files.delete(folder.resolve("config.json"));
    Files.writeString(config, "{\"model_cfg\": {}}");
    assertThatThrownBy(() -> Models.load(folder))
        .hasMessageContaining("lacks the parameter logit_scale");
    Files.writeString(
        config, "{\"model_cfg\": {\"vision_cfg\": {\"timm_model_name\": \"vit_tiny\"}}}");
    assertThatThrownBy(() -> Models.load(folder))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("timm_model_name is \"vit_tiny\" but must be absent");
  }

  /** Whatever stands in a config, it is a model or one sentence, soon. */
  @Property(tries = 300)
  void aStrangeConfigIsLoadedOrRefused(@ForAll long seed) throws IOException {
    Random random = new Random(seed);
    Path[] models = {
      VIT,
      TIMM,
      CHECKPOINTS.resolve("deit-distilled"),
      CHECKPOINTS.resolve("dinov2-reg"),
      CHECKPOINTS.resolve("dinov2-swiglu")
    };
    Path source = models[random.nextInt(models.length)];
    Path copy = Files.createTempDirectory("tessera");
    try {
      Files.createSymbolicLink(
          copy.resolve("model.safetensors"), source.resolve("model.safetensors").toAbsolutePath());
      Map<String, @Nullable Object> config =
          new LinkedHashMap<>(Json.readObject(source.resolve("config.json")));
      for (int edits = 1 + random.nextInt(3); edits > 0; edits--) {
        List<String> keys = new ArrayList<>(config.keySet());
        keys.addAll(List.of("head_dim", "model_args", "pooler_act", "label_names"));
        config.put(keys.get(random.nextInt(keys.size())), strange(random, 2));
      }
      Files.writeString(copy.resolve("config.json"), Json.write(config));
      try (Model model = Models.load(copy)) {
        assertThat(model.labels()).doesNotContainNull();
      } catch (CheckpointException e) {
        assertThat(e.getMessage()).startsWith(copy.toString());
        assertThat(e.getMessage().lines()).hasSize(1);
      }
    } finally {
      Files.delete(copy.resolve("config.json"));
      Files.delete(copy.resolve("model.safetensors"));
      Files.delete(copy);
    }
  }

  private static @Nullable Object strange(Random random, int depth) {
    Object[] values = {
      null,
      true,
      false,
      "vit",
      "dinov2",
      "timm_wrapper",
      "gelu",
      "avg",
      "",
      0L,
      1L,
      2L,
      -1L,
      3L,
      8L,
      14L,
      16L,
      48L,
      1_048_576L,
      1_048_577L,
      Long.MAX_VALUE,
      0.5,
      Double.NaN,
      Double.POSITIVE_INFINITY,
      Map.of(),
      List.of(),
    };
    if (depth > 0 && random.nextInt(6) == 0) {
      List<@Nullable Object> list = new ArrayList<>();
      for (int i = random.nextInt(4); i > 0; i--) {
        list.add(strange(random, depth - 1));
      }
      return list;
    }
    if (depth > 0 && random.nextInt(6) == 0) {
      Map<String, @Nullable Object> map = new LinkedHashMap<>();
      for (String key : List.of("num_heads", "img_size", "global_pool", "0", "input_size")) {
        if (random.nextBoolean()) {
          map.put(key, strange(random, depth - 1));
        }
      }
      return map;
    }
    return values[random.nextInt(values.length)];
  }

  private static float[] logits(Path directory) throws IOException {
    try (Model model = Models.load(directory);
        ScalarEngine engine = new ScalarEngine()) {
      float[] pixels = new float[3 * 32 * 32];
      for (int i = 0; i < pixels.length; i++) {
        pixels[i] = (float) Math.sin(i * 0.7);
      }
      Tensor logits =
          engine
              .compile(model.graph(1, 32, 32, Outputs.RESULT), model.parameters())
              .run(Map.of("pixel_values", Tensor.of(Shape.of(1, 3, 32, 32), pixels)))
              .get("logits");
      assertThat(logits).isNotNull();
      return logits == null ? new float[0] : logits.toFloats();
    }
  }

  private static Tensor convert(Tensor tensor, DType dtype) {
    float[] values = tensor.toFloats();
    Tensor converted = Tensor.allocate(Arena.ofAuto(), dtype, tensor.shape());
    for (int i = 0; i < values.length; i++) {
      switch (dtype) {
        case F16 ->
            converted.data().setAtIndex(ValueLayout.JAVA_SHORT, i, Float.floatToFloat16(values[i]));
        case BF16 ->
            converted
                .data()
                .setAtIndex(
                    ValueLayout.JAVA_SHORT, i, (short) (Float.floatToIntBits(values[i]) >> 16));
        default -> converted.data().setAtIndex(ValueLayout.JAVA_DOUBLE, i, values[i]);
      }
    }
    return converted;
  }

  private void copy(Path model, UnaryOperator<String> rename) throws IOException {
    copy(model, rename, Map.of());
  }

  private void copy(Path model, UnaryOperator<String> rename, Map<String, Tensor> changed)
      throws IOException {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    try (Safetensors file = Safetensors.open(model.resolve("model.safetensors"))) {
      file.tensors().forEach((name, tensor) -> tensors.put(rename.apply(name), tensor));
      tensors.putAll(changed);
      Safetensors.write(folder.resolve("model.safetensors"), tensors, Map.of());
    }
    Files.writeString(
        folder.resolve("config.json"), Files.readString(model.resolve("config.json")));
  }

  private void edit(Path model, @Nullable Object... keysAndValues) throws IOException {
    Map<String, @Nullable Object> config =
        new LinkedHashMap<>(Json.readObject(model.resolve("config.json")));
    for (int i = 0; i < keysAndValues.length; i += 2) {
      config.put(String.valueOf(keysAndValues[i]), keysAndValues[i + 1]);
    }
    Files.writeString(folder.resolve("config.json"), Json.write(config));
  }
}
