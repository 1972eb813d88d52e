package dev.tessera.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.tessera.checkpoint.Safetensors;
import dev.tessera.engine.Engine;
import dev.tessera.engine.scalar.ScalarEngine;
import dev.tessera.graph.Activation;
import dev.tessera.graph.GraphBuilder;
import dev.tessera.graph.Value;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

class EncoderTest {
  /**
   * Post-norm and a key mask, which no image model here has: BERT's blocks on BERT's embeddings.
   */
  @Test
  void postNormAndKeyMaskAgreeWithBert() throws IOException {
    Path folder = GoldenModelTest.shared("bert");
    try (Safetensors weights = Safetensors.open(folder.resolve("model.safetensors"));
        Safetensors expected = Safetensors.open(folder.resolve("expected.safetensors"));
        Engine engine = new ScalarEngine()) {
      Map<String, Tensor> parameters = new LinkedHashMap<>();
      weights.tensors().forEach((name, tensor) -> parameters.put("bert." + name, tensor));
      Tensor embeddings = expected.tensor("embeddings_out");
      Tensor mask = expected.tensor("attention_mask");
      GraphBuilder graph = new GraphBuilder();
      Value tokens = graph.input("embeddings", embeddings.shape());
      Value keyMask = graph.input("attention_mask", mask.shape());
      Encoder encoder =
          new Encoder(
              Encoder.Names.BERT,
              3,
              4,
              12,
              96,
              Activation.GELU,
              false,
              false,
              false,
              true,
              true,
              1e-12f);
      graph.output(
          "last_hidden_state",
          encoder.apply(graph, "bert", tokens, new Encoder.Setting(keyMask, false, "")));
      Map<String, Tensor> outputs =
          engine
              .compile(graph.build(), parameters)
              .run(Map.of("embeddings", embeddings, "attention_mask", mask));
      assertThat(outputs).containsKeys("layer_0_out", "layer_1_out", "layer_2_out", "attn_layer_2");
      for (String name : new String[] {"layer_0_out", "layer_1_out", "last_hidden_state"}) {
        float[] actual = outputs.get(name).toFloats();
        float[] wanted = expected.tensor(name).toFloats();
        for (int i = 0; i < wanted.length; i++) {
          assertThat(actual[i]).as("%s[%d]", name, i).isCloseTo(wanted[i], within(1e-4f));
        }
      }
      // Nothing is attended where the mask is 0.
      long[] seen = mask.toLongs();
      float[] attention = outputs.get("attn_layer_2").toFloats();
      Shape shape = outputs.get("attn_layer_2").shape();
      int keys = shape.last();
      for (int i = 0; i < attention.length; i++) {
        int image = i / (attention.length / shape.extent(0));
        if (seen[image * keys + i % keys] == 0) {
          assertThat(attention[i]).isZero();
        }
      }
    }
  }
}
