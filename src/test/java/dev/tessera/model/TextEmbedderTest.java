package dev.tessera.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.checkpoint.Json;
import dev.tessera.checkpoint.Safetensors;
import dev.tessera.engine.Engine;
import dev.tessera.engine.Engines;
import dev.tessera.engine.Executable;
import dev.tessera.engine.Variables;
import dev.tessera.graph.Graph;
import dev.tessera.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TextEmbedderTest {
  private static final Path BERT = Path.of("test/resources/checkpoints/bert");

  @TempDir Path folder;

  /** Real weights: all-MiniLM-L6-v2, thirty sentences. */
  @Test
  void givesTheVectorsOfSentenceTransformers() throws Exception {
    Path directory = GoldenModelTest.shared("all-MiniLM-L6-v2");
    List<String> sentences = new ArrayList<>();
    Map<String, ?> file = Json.readObject(directory.resolve("sentences.json"));
    for (Object sentence : (List<?>) file.get("sentences")) {
      sentences.add((String) sentence);
    }
    try (Engine engine = Engines.open("cpu", 2);
        TextEmbedder embedder = TextEmbedder.open(directory, engine);
        Safetensors expected = Safetensors.open(directory.resolve("expected.safetensors"))) {
      engine.warmUp(); // sooner done than without
      float[][] vectors = embedder.embed(sentences);
      Tensor ids = expected.tensor("input_ids");
      Tensor wanted = expected.tensor("embeddings_fp16_weights");
      Tensor onnx = expected.tensor("embeddings_onnx_fp32");
      assertThat(embedder.width()).isEqualTo(384);
      for (int i = 0; i < vectors.length; i++) {
        int[] encoded = embedder.tokenizer().encode(sentences.get(i), null, 256).ids();
        long[] row = ids.slice(i, i + 1).toLongs();
        for (int t = 0; t < encoded.length; t++) {
          assertThat(encoded[t]).isEqualTo((int) row[t]);
        }
        float[] reference = wanted.slice(i, i + 1).toFloats();
        assertThat(vectors[i]).containsExactly(reference, within(1e-5f));
        assertThat(cosine(vectors[i], onnx.slice(i, i + 1).toFloats())).isGreaterThan(0.9999);
      }
      // Alone, and in another order, a text has the same vector.
      List<String> shuffled = new ArrayList<>(sentences);
      Collections.shuffle(shuffled, new Random(1));
      float[][] again = embedder.embed(shuffled);
      for (int i = 0; i < again.length; i++) {
        float[] before = vectors[sentences.indexOf(shuffled.get(i))];
        assertThat(again[i]).containsExactly(before, within(2e-6f));
      }
      assertThat(embedder.embed(sentences.get(3))).containsExactly(vectors[3], within(2e-6f));
      assertThat(embedder.embed(List.of())).isEmpty();
    }
  }

  @Test
  void poolsAsTheDirectorySays() throws Exception {
    float[] tokens = {1, 2, 3, -4, 5, 6, 9, 9};
    float[] mask = {1, 1, 1, 0};
    assertThat(pool("cls_token", tokens, mask)).containsExactly(1, 2);
    assertThat(pool("max_tokens", tokens, mask)).containsExactly(5, 6);
    assertThat(pool("mean_tokens", tokens, mask)).containsExactly(3, 4 / 3f);
    assertThat(pool("mean_sqrt_len_tokens", tokens, mask))
        .containsExactly(
            new float[] {9 / (float) Math.sqrt(3), 4 / (float) Math.sqrt(3)}, within(1e-6f));
    assertThat(pool("weightedmean_tokens", tokens, mask)).containsExactly(22 / 6f, 2);
    assertThat(pool("lasttoken", tokens, mask)).containsExactly(5, 6);
    modules("Transformer", "Pooling", "Normalize");
    pooling("{\"pooling_mode_cls_token\": true, \"pooling_mode_mean_tokens\": true}");
    assertThat(SentencePooling.read(folder).pool(tokens, 0, 1, 2, null, 0))
        .containsExactly(new float[] {.316228f, .632456f, .316228f, .632456f}, within(1e-6f));
  }

  private float[] pool(String mode, float[] tokens, float[] mask) throws IOException {
    modules("Transformer", "Pooling");
    pooling("{\"pooling_mode_mean_tokens\": false, \"pooling_mode_" + mode + "\": true}");
    return SentencePooling.read(folder).pool(tokens, 0, 4, 2, mask, 0);
  }

  private void modules(String... types) throws IOException {
    List<Map<String, Object>> modules = new ArrayList<>();
    for (int i = 0; i < types.length; i++) {
      modules.add(
          Map.of(
              "idx",
              i,
              "path",
              i == 0 ? "" : i + "_" + types[i],
              "type",
              "sentence_transformers.models." + types[i]));
    }
    Files.writeString(folder.resolve("modules.json"), Json.write(modules));
  }

  private void pooling(String json) throws IOException {
    Files.createDirectories(folder.resolve("1_Pooling"));
    Files.writeString(folder.resolve("1_Pooling/config.json"), json);
  }

  @Test
  void refusesModulesThatItDoesNotHave() throws IOException {
    modules("Transformer", "Dense");
    assertThatThrownBy(() -> SentencePooling.read(folder))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("Dense\" but must be Transformer, Pooling or Normalize");
    modules("Transformer", "Normalize");
    assertThatThrownBy(() -> SentencePooling.read(folder)).hasMessageContaining("has no Pooling");
    Files.writeString(folder.resolve("modules.json"), "{}");
    assertThatThrownBy(() -> SentencePooling.read(folder))
        .hasMessageContaining("must be a JSON list");
  }

  @Test
  void saysWhichModelsReadTexts() throws Exception {
    try (Engine engine = Engines.open("scalar", 1)) {
      Path vit = Path.of("test/resources/checkpoints/vit-tiny");
      assertThatThrownBy(() -> TextEmbedder.open(vit, engine))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("which reads no texts");
      assertThatThrownBy(() -> TextEmbedder.open(BERT, engine))
          .hasMessageContaining("has no tokenizer");
      assertThatThrownBy(() -> ImageEmbedder.open(BERT, engine, null))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("which reads no images");
    }
  }

  /** A batch may hold texts of any lengths, one token and the most that there may be among them. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void computesTextsOfAllLengthsTogether(boolean fewShapes) throws Exception {
    for (String name : List.of("config.json", "model.safetensors")) {
      Files.copy(BERT.resolve(name), folder.resolve(name));
    }
    StringBuilder words = new StringBuilder("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n");
    for (int i = 5; i < 120; i++) {
      words.append("w").append(i).append('\n');
    }
    Files.writeString(folder.resolve("vocab.txt"), words);
    List<String> texts = new ArrayList<>();
    Random random = new Random(4);
    for (int i = 0; i < 150; i++) {
      StringBuilder text = new StringBuilder();
      for (int t = random.nextInt(60); t > 0; t--) {
        text.append("w").append(5 + random.nextInt(115)).append(' ');
      }
      texts.add(text.toString());
    }
    try (Engine cpu = Engines.open("cpu", 2);
        Engine scalar = Engines.open("scalar", 1);
        TextEmbedder embedder = TextEmbedder.open(folder, new Shapes(cpu, fewShapes));
        TextEmbedder oracle = TextEmbedder.open(folder, scalar)) {
      float[][] vectors = embedder.embed(texts);
      for (int i = 0; i < texts.size(); i += 7) {
        assertThat(vectors[i])
            .as(texts.get(i))
            .containsExactly(oracle.embed(texts.get(i)), within(2e-5f));
      }
    }
  }

  /** An engine with a preference of its own. */
  private record Shapes(Engine engine, boolean wantsFewShapes) implements Engine {
    @Override
    public String name() {
      return engine.name();
    }

    @Override
    public String description() {
      return engine.description();
    }

    @Override
    public Executable compile(Graph graph, Map<String, Tensor> parameters, Variables variables) {
      return engine.compile(graph, parameters, variables);
    }

    @Override
    public void close() {
      engine.close();
    }
  }

  @Test
  void padsToFewShapesWhereTheyAreWanted() {
    List<int[]> texts = new ArrayList<>();
    for (int i = 0; i < 500; i++) {
      texts.add(new int[1 + i % 61]);
    }
    List<TextBatches.Batch> exact = new TextBatches(0, 64, false, true, false).of(texts);
    List<TextBatches.Batch> few = new TextBatches(0, 64, false, true, true).of(texts);
    for (List<TextBatches.Batch> batches : List.of(exact, few)) {
      assertThat(batches.stream().flatMapToInt(batch -> Arrays.stream(batch.places())).sorted())
          .containsExactlyElementsOf(IntStream.range(0, texts.size()).boxed().toList());
      assertThat(batches).allMatch(batch -> batch.shape().elements() <= 512);
    }
    assertThat(exact).allMatch(batch -> batch.shape().last() == batch.lengths()[0]);
    assertThat(few).allMatch(batch -> batch.shape().last() % 8 == 0);
    assertThat(few.stream().map(TextBatches.Batch::shape).distinct()).hasSizeLessThanOrEqualTo(9);
  }

  private static double cosine(float[] a, float[] b) {
    double dot = 0;
    double aa = 0;
    double bb = 0;
    for (int i = 0; i < a.length; i++) {
      dot += (double) a[i] * b[i];
      aa += (double) a[i] * a[i];
      bb += (double) b[i] * b[i];
    }
    return dot / Math.sqrt(aa * bb);
  }
}
