package dev.tessera.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HfDirectoryTest {
  private static final Path GOLDEN = Path.of("test/resources/checkpoints/vit-tiny");

  @TempDir Path folder;

  @BeforeEach
  void aConfig() throws IOException {
    Files.copy(GOLDEN.resolve("config.json"), folder.resolve("config.json"));
  }

  @Test
  void opensWhatTransformersSaved() throws IOException {
    try (HfDirectory model = HfDirectory.open(GOLDEN)) {
      assertThat(model.layout()).isEqualTo(HfDirectory.Layout.TRANSFORMERS);
      assertThat(model.config()).containsEntry("hidden_size", 48L);
      assertThat(model.preprocessor()).containsKey("image_mean");
      assertThat(model.labels(3)).containsExactly("airplane", "automobile", "bird");
      assertThat(model.tensors()).hasSize(56);
      Weights weights = model.weights("vit");
      assertThat(weights.get("classifier.weight").shape()).isEqualTo(Shape.of(10, 48));
      assertThat(weights.unused(Set.of("classifier.weight")))
          .hasSize(55)
          .contains("classifier.bias")
          .doesNotContain("classifier.weight");
    }
  }

  @Test
  void tellsRoughlyHowLargeAModelIs() throws IOException {
    assertThat(HfDirectory.weightBytes(folder.toFile())).isZero();
    assertThat(HfDirectory.weightBytes(folder.resolve("missing").toFile())).isZero();
    assertThat(HfDirectory.weightBytes(GOLDEN.toFile()))
        .isEqualTo(Files.size(GOLDEN.resolve("model.safetensors")));
    Files.write(folder.resolve("open_clip_model.safetensors"), new byte[7]);
    assertThat(HfDirectory.weightBytes(folder.toFile())).isEqualTo(7);
    shard(3);
    assertThat(HfDirectory.weightBytes(folder.toFile())).isEqualTo(Long.MAX_VALUE);
  }

  @Test
  void shardsAreOneModel() throws IOException {
    shard(3);
    try (HfDirectory whole = HfDirectory.open(GOLDEN);
        HfDirectory shards = HfDirectory.open(folder)) {
      assertThat(shards.tensors().keySet()).isEqualTo(whole.tensors().keySet());
      whole
          .tensors()
          .forEach((name, tensor) ->
              assertThat(shards.tensors().get(name).data().mismatch(tensor.data()))
                  .as(name)
                  .isEqualTo(-1));
    }
  }

  @Test
  void aMissingShardIsNamed() throws IOException {
    shard(3);
    Path gone = folder.resolve("model-2-of-3.safetensors");
    Files.delete(gone);
    refuses(gone + ": is missing but model.safetensors.index.json lists it; download all shards");
  }

  @Test
  void aTensorThatItsShardLacksIsNamed() throws IOException {
    shard(2);
    Path index = folder.resolve("model.safetensors.index.json");
    Files.writeString(
        index, Json.write(Map.of("weight_map", Map.of("no.such", "model-1-of-2.safetensors"))));
    refuses(
        index
            + ": says that \"no.such\" is in model-1-of-2.safetensors, which does not hold it;"
            + " download index and shards again");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../secret.safetensors",
        "/etc/x.safetensors",
        "a/b.safetensors",
        "a\\b.safetensors",
        "config.json",
        "..",
        ".safetensors\n",
        "x\u0000.safetensors"
      })
  void shardsMustLieBesideTheIndex(String name) throws IOException {
    Path index = folder.resolve("model.safetensors.index.json");
    Files.writeString(index, Json.write(Map.of("weight_map", Map.of("a", name))));
    assertThatThrownBy(() -> HfDirectory.open(folder))
        .isInstanceOf(CheckpointException.class)
        .hasMessageStartingWith(index + ": names the shard ")
        .hasMessageEndingWith(
            "which is no plain .safetensors file name; download it again from a trusted source");
  }

  @Test
  void aMalformedIndexIsNamed() throws IOException {
    Path index = folder.resolve("model.safetensors.index.json");
    Files.writeString(index, "{}");
    refuses(
        index
            + ": weight_map is null but must be a JSON object; replace the file by an intact copy");
    Files.writeString(index, "{\"weight_map\":{\"a\":3}}");
    refuses(
        index + ": gives 3 as the shard of \"a\" but a file name is expected; download it again");
  }

  @Test
  void saysWhatIsMissing() throws IOException {
    refuses(folder + ": has no model.safetensors; download the weights beside config.json");
    Files.delete(folder.resolve("config.json"));
    refuses(
        folder
            + ": has no config.json; give a model directory as Hugging Face publishes it"
            + " (config.json and model.safetensors)");
    Path none = folder.resolve("none");
    assertThatThrownBy(() -> HfDirectory.open(none))
        .hasMessage(
            none
                + ": does not exist; give a model directory that holds config.json and"
                + " model.safetensors");
    Path file = Files.writeString(folder.resolve("model.safetensors"), "x");
    assertThatThrownBy(() -> HfDirectory.open(file))
        .hasMessage(
            file
                + ": is not a directory; give the model directory that holds config.json and"
                + " model.safetensors");
  }

  @Test
  void saysHowToConvertPickles() throws IOException {
    Files.writeString(folder.resolve("training_args.bin"), "x");
    Files.writeString(folder.resolve("pytorch_model.bin"), "x");
    refuses(
        folder
            + ": has its weights only as pytorch_model.bin, a pickle that can run code when it is"
            + " loaded; convert it once in Python: python -c \"from transformers import"
            + " ViTForImageClassification as M; M.from_pretrained('"
            + folder
            + "').save_pretrained('"
            + folder
            + "', safe_serialization=True)\"");
    // Nothing of a hostile config may reach a command that a person will paste into a shell.
    Files.writeString(
        folder.resolve("config.json"),
        "{\"model_type\":\"vit\",\"architectures\":[\"x; rm -rf /\"]}");
    assertThatThrownBy(() -> HfDirectory.open(folder))
        .hasMessageContaining("import AutoModelForImageClassification as M;");
  }

  @ParameterizedTest
  @ValueSource(strings = {"model.pt", "model.pth", "last.ckpt"})
  void saysHowToConvertSinglePickles(String name) throws IOException {
    Path pickle = Files.writeString(folder.resolve(name), "x");
    String command =
        "python -c \"import torch; from safetensors.torch import save_file; s = torch.load('"
            + pickle
            + "', map_location='cpu', weights_only=True); save_file({k: v.clone().contiguous()"
            + " for k, v in s.get('state_dict', s).items()}, '"
            + folder.resolve("model.safetensors")
            + "')\"";
    refuses(
        folder
            + ": has its weights only as "
            + name
            + ", a pickle that can run code when it is loaded; convert it once in Python: "
            + command);
    assertThatThrownBy(() -> HfDirectory.open(pickle))
        .hasMessage(
            pickle
                + ": is a file of pickled Python objects; give a model directory, and convert the"
                + " weights first: "
                + command);
  }

  @Test
  void namesOtherFormats() throws IOException {
    Files.writeString(folder.resolve("tf_model.h5"), "x");
    refuses(
        folder
            + ": has no model.safetensors but tf_model.h5, which is not read; save the model in"
            + " PyTorch with save_pretrained('"
            + folder
            + "', safe_serialization=True)");
  }

  @Test
  void labelsHaveTheirDefaults() throws IOException {
    write(Map.of("a", Tensor.of(Shape.of(1), 1f)));
    config("{\"model_type\":\"vit\",\"id2label\":{\"1\":\"one\"}}");
    try (HfDirectory model = HfDirectory.open(folder)) {
      assertThat(model.labels(3)).containsExactly("LABEL_0", "one", "LABEL_2");
    }
    config("{\"architecture\":\"vit\",\"pretrained_cfg\":{}}");
    try (HfDirectory model = HfDirectory.open(folder)) {
      assertThat(model.layout()).isEqualTo(HfDirectory.Layout.TIMM);
      assertThat(model.labels(2)).containsExactly("0", "1");
    }
    config(
        "{\"architecture\":\"vit\",\"label_names\":[\"n1\",\"n2\"],"
            + "\"label_descriptions\":{\"n1\":\"tench\"}}");
    try (HfDirectory model = HfDirectory.open(folder)) {
      assertThat(model.labels(3)).containsExactly("tench", "n2", "2");
    }
  }

  @Test
  void opensOpenClipsNames() throws IOException {
    Files.move(folder.resolve("config.json"), folder.resolve("open_clip_config.json"));
    Safetensors.write(
        folder.resolve("open_clip_model.safetensors"),
        Map.of("visual.proj", Tensor.of(Shape.of(1), 1f)),
        Map.of());
    try (HfDirectory model = HfDirectory.open(folder)) {
      assertThat(model.layout()).isEqualTo(HfDirectory.Layout.OPEN_CLIP);
      assertThat(model.tensors()).containsOnlyKeys("visual.proj");
    }
  }

  @Test
  void weightsComeAsWholesRowsAndStacks() throws IOException {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    tensors.put("blocks.0.attn.qkv.weight", Tensor.of(Shape.of(3, 2), 0f, 1f, 2f, 3f, 4f, 5f));
    tensors.put("blocks.0.attn.qkv.bias", Tensor.of(Shape.of(4), 0f, 1f, 2f, 3f));
    tensors.put("blocks.0.mlp.fc1_x.bias", Tensor.of(Shape.of(2), 3f, 4f));
    tensors.put("blocks.0.mlp.fc1_g.bias", Tensor.of(Shape.of(1), 9f));
    tensors.put("blocks.1.mlp.fc1_g.weight", Tensor.of(Shape.of(1, 2), 1f, 2f));
    tensors.put("blocks.1.mlp.fc1_x.weight", Tensor.of(Shape.of(1, 1), 3f));
    write(tensors);
    try (HfDirectory model = HfDirectory.open(folder)) {
      Weights weights = model.weights("vit");
      String attention = "vit.encoder.layer.0.attention.attention.";
      Tensor key = weights.get(attention + "key.weight");
      assertThat(key.shape()).isEqualTo(Shape.of(1, 2));
      assertThat(key.toFloats()).containsExactly(2f, 3f);
      assertThat(weights.get(attention + "value.weight").toFloats()).containsExactly(4f, 5f);
      assertThat(weights.get("vit.encoder.layer.0.intermediate.dense.bias").toFloats())
          .containsExactly(9f, 3f, 4f);
      Path file = folder.resolve("model.safetensors");
      assertThatThrownBy(() -> weights.get(attention + "query.bias"))
          .isInstanceOf(CheckpointException.class)
          .hasMessage(
              file
                  + ": holds blocks.0.attn.qkv.bias with shape [4], which cannot be cut into 3"
                  + " equal parts; save the model again");
      assertThatThrownBy(() -> weights.get("vit.encoder.layer.1.intermediate.dense.weight"))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("which must match; save the model again");
      assertThatThrownBy(() -> weights.get("vit.layernorm.weight"))
          .isInstanceOf(CheckpointException.class)
          .hasMessage(
              file
                  + ": lacks the parameter vit.layernorm.weight; check that config.json and the"
                  + " weights belong to the same model");
      assertThat(weights.has("vit.layernorm.weight")).isFalse();
      assertThat(weights.unused(Set.of(attention + "query.weight")))
          .doesNotContain("blocks.0.attn.qkv.weight")
          .contains("blocks.0.mlp.fc1_x.bias", "blocks.0.mlp.fc1_g.bias");
    }
  }

  @Test
  void twoNamesOfOneParameterAreRefused() throws IOException {
    write(
        Map.of(
            "norm.weight", Tensor.of(Shape.of(1), 1f),
            "vit.layernorm.weight", Tensor.of(Shape.of(1), 1f)));
    try (HfDirectory model = HfDirectory.open(folder)) {
      assertThatThrownBy(() -> model.weights("vit"))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("are two names of one parameter, vit.layernorm.weight; remove one");
    }
  }

  @Test
  void mappingEndsWithTheDirectory() throws IOException {
    HfDirectory model = HfDirectory.open(GOLDEN);
    Tensor tensor = model.tensors().firstEntry().getValue();
    model.close();
    assertThatThrownBy(tensor::toFloats).isInstanceOf(IllegalStateException.class);
  }

  private void refuses(String message) {
    assertThatThrownBy(() -> HfDirectory.open(folder))
        .isInstanceOf(CheckpointException.class)
        .hasMessage(message);
  }

  private void config(String json) throws IOException {
    Files.writeString(folder.resolve("config.json"), json);
  }

  private void write(Map<String, Tensor> tensors) throws IOException {
    Safetensors.write(folder.resolve("model.safetensors"), tensors, Map.of());
  }

  private void shard(int count) throws IOException {
    Map<String, String> index = new LinkedHashMap<>();
    try (Safetensors whole = Safetensors.open(GOLDEN.resolve("model.safetensors"))) {
      List<Map<String, Tensor>> shards = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        shards.add(new LinkedHashMap<>());
      }
      int next = 0;
      for (Map.Entry<String, Tensor> entry : whole.tensors().entrySet()) {
        int shard = next++ % count;
        shards.get(shard).put(entry.getKey(), entry.getValue());
        index.put(entry.getKey(), "model-" + (shard + 1) + "-of-" + count + ".safetensors");
      }
      for (int i = 0; i < count; i++) {
        Safetensors.write(
            folder.resolve("model-" + (i + 1) + "-of-" + count + ".safetensors"),
            shards.get(i),
            Map.of("format", "pt"));
      }
    }
    Files.writeString(
        folder.resolve("model.safetensors.index.json"),
        Json.write(Map.of("metadata", Map.of("total_size", 1), "weight_map", index)));
  }
}
