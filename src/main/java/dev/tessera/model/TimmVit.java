package dev.tessera.model;

import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.checkpoint.Weights;
import dev.tessera.graph.Activation;
import dev.tessera.graph.Graph;
import dev.tessera.graph.GraphBuilder;
import dev.tessera.graph.Value;
import dev.tessera.model.ModelConfig.Size;
import dev.tessera.tensor.Shape;
import java.util.ArrayList;
import java.util.List;

/**
 * timm's {@code VisionTransformer} and {@code VisionTransformerDistilled}: a ViT whose class token,
 * registers, LayerScale, normalisations and pooling are all options. timm's config names a
 * constructor rather than settings, so most of them are read off the weights, the rest is in {@link
 * TimmNames}.
 *
 * @param architecture {@code timm/} and the constructor's name
 * @param preNorm whether the embeddings are normalised before the first block
 * @param finalNorm whether all tokens are normalised after the last block
 * @param pool what the head sees of the tokens
 * @param poolNorm whether the pooled features are normalised
 * @param distilled whether a second head reads a distillation token
 */
record TimmVit(
    String architecture,
    Embeddings embeddings,
    Encoder encoder,
    boolean preNorm,
    boolean finalNorm,
    Pool pool,
    boolean poolNorm,
    boolean distilled,
    int labels)
    implements VisionModel {
  /** What makes the features of the tokens. */
  sealed interface Pool {
    /** The first. */
    record Token() implements Pool {}

    /** The mean of the patches, or of all tokens. */
    record Mean(boolean all) implements Pool {}

    /** What a learned query finds in the patches, or in all tokens. */
    record Attention(boolean all, int intermediate) implements Pool {}
  }

  private static final String ATTENTION_POOL = "attn_pool.";

  /** The prefix under which a file's parameters are known. */
  static String prefix(boolean distilled) {
    return distilled ? "deit" : "vit";
  }

  static TimmVit of(ModelConfig config, Weights weights) throws CheckpointException {
    String name = config.text("architecture", "");
    TimmNames.check(config, name);
    ModelConfig arguments = config.section("model_args");
    boolean distilled = weights.has("deit.embeddings.distillation_token");
    String prefix = prefix(distilled);
    String first = prefix + ".encoder.layer.0.";
    Shape projection = shape(weights, prefix + ".embeddings.patch_embeddings.projection.weight", 4);
    int hidden = projection.extent(0);
    int heads = arguments.extent("num_heads", TimmNames.heads(name));
    if (hidden % heads != 0) {
      throw arguments.wrong("num_heads", "a divisor of embed_dim, " + hidden);
    }
    int layers = 0;
    while (weights.has(prefix + ".encoder.layer." + layers + ".layernorm_before.weight")) {
      layers++;
    }
    if (layers == 0) {
      throw new CheckpointException(
          weights.file(),
          "holds no blocks.0.norm1.weight, so it is no ViT of timm's; only those are supported");
    }
    int in = Heads.rows(weights, first + "intermediate.dense.weight");
    int intermediate = shape(weights, first + "output.dense.weight", 2).extent(1);
    boolean gated = in == 2 * intermediate;
    Embeddings embeddings = embeddings(config, weights, prefix, projection, distilled);
    return new TimmVit(
        "timm/" + name,
        embeddings,
        new Encoder(
            Encoder.Names.VIT,
            layers,
            heads,
            hidden / heads,
            intermediate,
            gated ? Activation.SILU : arguments.activation("act_layer", TimmNames.activation(name)),
            gated,
            true,
            weights.has(first + "layer_scale1.lambda1"),
            weights.has(first + "attention.attention.query.bias"),
            weights.has(first + "attention.output.dense.bias"),
            TimmNames.epsilon(name)),
        weights.has(prefix + ".pre_layernorm.weight"),
        weights.has(prefix + ".layernorm.weight"),
        pool(config, name, weights, embeddings),
        weights.has("fc_norm.weight"),
        distilled,
        weights.has("classifier.weight") ? Heads.rows(weights, "classifier.weight") : 0);
  }

  private static Embeddings embeddings(
      ModelConfig config, Weights weights, String prefix, Shape projection, boolean distilled)
      throws CheckpointException {
    String base = prefix + ".embeddings.";
    Size patch = new Size(projection.extent(2), projection.extent(3));
    Size image = TimmNames.imageSize(config);
    int registers =
        weights.has(base + "register_tokens")
            ? shape(weights, base + "register_tokens", 3).extent(1)
            : 0;
    boolean classToken = weights.has(base + "cls_token");
    int tokenCount = (classToken ? 1 : 0) + (distilled ? 1 : 0) + registers;
    long patches = (long) (image.height() / patch.height()) * (image.width() / patch.width());
    int positions = shape(weights, base + "position_embeddings", 3).extent(1);
    // no_embed_class: the learned tokens have no positions.
    boolean positioned = positions == patches + tokenCount;
    List<Embeddings.Token> tokens = new ArrayList<>();
    if (classToken) {
      tokens.add(new Embeddings.Token("cls_token", 1, positioned));
    }
    if (distilled) {
      tokens.add(new Embeddings.Token("distillation_token", 1, positioned));
    }
    if (registers > 0) {
      tokens.add(new Embeddings.Token("register_tokens", registers, positioned));
    }
    return new Embeddings(
        prefix,
        projection.extent(1),
        image,
        patch,
        projection.extent(0),
        weights.has(base + "patch_embeddings.projection.bias"),
        tokens,
        Embeddings.Positions.TIMM);
  }

  private static Pool pool(ModelConfig config, String name, Weights weights, Embeddings embeddings)
      throws CheckpointException {
    ModelConfig arguments = config.section("model_args");
    ModelConfig said = arguments.has("global_pool") ? arguments : config;
    boolean classToken =
        embeddings.tokens().stream().anyMatch(token -> token.name().equals("cls_token"));
    boolean attends = weights.has(ATTENTION_POOL + "latent");
    String unsaid = attends ? "map" : classToken && !name.contains("_gap_") ? "token" : "avg";
    boolean all = arguments.flag("pool_include_prefix", false);
    return switch (said.text("global_pool", unsaid)) {
      case "token" -> new Pool.Token();
      case "avg" -> new Pool.Mean(all);
      case "map" -> {
        if (!attends) {
          throw said.wrong("global_pool", "token or avg where no attn_pool.latent is held");
        }
        yield new Pool.Attention(all, Heads.rows(weights, ATTENTION_POOL + "mlp.fc1.weight"));
      }
      default -> throw said.wrong("global_pool", "token, avg or map, the supported ones");
    };
  }

  /** The shape of a parameter that must have {@code rank} axes, none of them empty. */
  private static Shape shape(Weights weights, String name, int rank) throws CheckpointException {
    Shape shape = weights.get(name).shape();
    if (shape.rank() != rank || shape.elements() == 0) {
      throw new CheckpointException(
          weights.file(),
          "holds "
              + name
              + " with shape "
              + shape
              + " where "
              + rank
              + " axes are needed; save the model again");
    }
    return shape;
  }

  /** As {@code num_classes=0} pools; of a distilled model with classifiers, the class token. */
  @Override
  public Pooling pooling() {
    return distilled && labels > 0 ? Pooling.CLS : Pooling.POOLER;
  }

  @Override
  public int answerTokens() {
    return distilled ? 2 : pool instanceof Pool.Token ? 1 : 0;
  }

  @Override
  public Graph graph(int batch, int height, int width, Outputs outputs) {
    GraphBuilder graph = new GraphBuilder();
    boolean stages = outputs == Outputs.STAGES;
    String prefix = embeddings.prefix();
    Value x = embeddings.input(graph, batch, height, width, outputs);
    if (preNorm) {
      x = graph.layerNorm(x, prefix + ".pre_layernorm", encoder.epsilon());
    }
    x = encoder.apply(graph, prefix, x, outputs);
    if (finalNorm) {
      x = graph.layerNorm(x, prefix + ".layernorm", encoder.epsilon());
    }
    if (stages) {
      graph.output("forward_features", x);
      graph.output("last_hidden_state", x);
    }
    if (distilled && labels > 0) {
      Deit.meanOfTwo(graph, x, "classifier", labels, stages);
      return graph.build();
    }
    Value features = pooled(graph, x);
    if (poolNorm) {
      features = graph.layerNorm(features, "fc_norm", encoder.epsilon());
    }
    if (stages || labels == 0) {
      graph.output("pooler_output", features);
    }
    if (labels > 0) {
      graph.output("logits", graph.linear(features, "classifier", labels));
    }
    return graph.build();
  }

  private Value pooled(GraphBuilder graph, Value x) {
    if (distilled) {
      // What timm returns before the heads: the mean of both tokens.
      return graph.scale(graph.add(graph.token(x, 0), graph.token(x, 1)), 0.5f);
    }
    return switch (pool) {
      case Pool.Token _ -> graph.token(x, 0);
      case Pool.Mean(boolean all) -> graph.meanTokens(all ? x : patches(graph, x));
      case Pool.Attention(boolean all, int intermediate) ->
          AttentionPooling.timm(
              graph, ATTENTION_POOL, all ? x : patches(graph, x), intermediate, encoder);
    };
  }

  private Value patches(GraphBuilder graph, Value x) {
    return graph.slice(x, 1, embeddings.tokenCount(), x.shape().extent(1));
  }
}
