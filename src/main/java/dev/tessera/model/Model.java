package dev.tessera.model;

import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.checkpoint.HfDirectory;
import dev.tessera.checkpoint.Weights;
import dev.tessera.graph.Graph;
import dev.tessera.graph.Narrowing;
import dev.tessera.graph.Value;
import dev.tessera.model.ModelConfig.Size;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A model that was loaded: what it computes, as graphs, and its weights.
 *
 * <p>An engine compiles {@link #graph} with {@link #parameters}; one set of parameters serves the
 * graphs of every batch and image size. Closing the model unmaps the weights.
 */
public final class Model implements AutoCloseable {
  private final HfDirectory files;
  private final Weights weights;
  private final VisionModel model;
  private final Map<String, Tensor> parameters;
  private final List<String> unused;

  private Model(
      HfDirectory files,
      Weights weights,
      VisionModel model,
      Map<String, Tensor> parameters,
      List<String> unused) {
    this.files = files;
    this.weights = weights;
    this.model = model;
    this.parameters = Collections.unmodifiableMap(parameters);
    this.unused = List.copyOf(unused);
  }

  /** The model over the files, after checking that they hold all it needs in the right shapes. */
  static Model checked(HfDirectory files, Weights weights, VisionModel model)
      throws CheckpointException {
    Size image = model.embeddings().image();
    Graph graph;
    try {
      checkSizes(weights, model.embeddings(), model.encoder());
      graph = model.graph(1, image.height(), image.width(), Outputs.STAGES);
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw new CheckpointException(
          files.path(),
          "describes no model that can be built: " + e.getMessage() + "; check config.json",
          e);
    }
    Map<String, Tensor> parameters = new LinkedHashMap<>();
    for (Map.Entry<String, Value> entry : graph.parameters().entrySet()) {
      Tensor tensor = weights.get(entry.getKey());
      require(weights, entry.getKey(), tensor, entry.getValue().shape());
      parameters.put(entry.getKey(), tensor);
    }
    List<String> unused = weights.unused(parameters.keySet());
    if (model instanceof TimmVit) {
      // timm loads strictly; a parameter of a block without a use means another kind of block.
      for (String name : unused) {
        if (name.contains("blocks.")) {
          throw new CheckpointException(
              weights.file(),
              "holds the parameter "
                  + name
                  + ", which no supported block has; "
                  + Models.SUPPORTED);
        }
      }
    }
    return new Model(files, weights, model, parameters, unused);
  }

  /**
   * The class in {@code transformers}, such as {@code ViTForImageClassification}, or timm's name.
   */
  public String architecture() {
    return model.architecture();
  }

  /** The directory the model came from: its config and its preprocessing. */
  public HfDirectory files() {
    return files;
  }

  /** How many numbers the checkpoint holds. */
  public long parameterCount() {
    return files.tensors().values().stream().mapToLong(tensor -> tensor.shape().elements()).sum();
  }

  /** Channels of the images. */
  public int channels() {
    return model.embeddings().channels();
  }

  /** Height in pixels of the images that the model was made for. */
  public int height() {
    return model.embeddings().image().height();
  }

  /** Width in pixels of the images that the model was made for. */
  public int width() {
    return model.embeddings().image().width();
  }

  /** Width of a token. */
  public int hidden() {
    return model.embeddings().hidden();
  }

  /** Transformer blocks. */
  public int layers() {
    return model.encoder().layers();
  }

  /** Attention heads in each block. */
  public int heads() {
    return model.encoder().heads();
  }

  /** What stands for a picture where nobody says otherwise. */
  public Pooling pooling() {
    return model.pooling();
  }

  /** Learned tokens before the patches: the class token, registers. */
  public int prefixTokens() {
    return model.embeddings().tokenCount();
  }

  /** Whether the first token is a class token. */
  public boolean hasClassToken() {
    return !model.embeddings().tokens().isEmpty()
        && !model.embeddings().tokens().getFirst().name().startsWith("register");
  }

  /** What the logits mean, in their order; empty for a model without a classifier. */
  public List<String> labels() {
    return files.labels(model.labels());
  }

  /** Whether several labels may hold at once: scores are then sigmoids rather than a softmax. */
  public boolean isMultiLabel() {
    return "multi_label_classification".equals(files.config().get("problem_type"));
  }

  /** The weights by the names that the graphs use. */
  public Map<String, Tensor> parameters() {
    return parameters;
  }

  /** What it computes. */
  VisionModel vision() {
    return model;
  }

  /** The parameters under canonical names, those that are not used as well. */
  Weights weights() {
    return weights;
  }

  /**
   * The model's directory with other values for some of its parameters, under the names that its
   * own files have.
   *
   * @param changed F32 tensors by the names that the graphs use
   */
  public HfDirectory with(Map<String, Tensor> changed) throws CheckpointException {
    return HfDirectory.of(
        files.path(), files.config(), files.preprocessor(), weights.with(changed));
  }

  /** Names in the checkpoint that the model does not use. */
  public List<String> unused() {
    return unused;
  }

  /**
   * What the model computes for images of one size, from {@code pixel_values} {@code [batch,
   * channels, height, width]}; learned positions are resampled where the size is not the model's
   * own.
   *
   * @param batch how many images at once
   * @param height in pixels
   * @param width in pixels
   * @throws IllegalArgumentException if the image is smaller than a patch
   */
  public Graph graph(int batch, int height, int width, Outputs outputs) {
    Graph graph = model.graph(batch, height, width, outputs);
    return outputs == Outputs.RESULT ? Narrowing.narrow(graph) : graph;
  }

  @Override
  public void close() {
    files.close();
  }

  /**
   * Sizes in the config are believed only once the weights confirm them, so that no graph is built
   * that is larger than the file.
   */
  private static void checkSizes(Weights weights, Embeddings embeddings, Encoder encoder)
      throws CheckpointException {
    if (encoder.layers() > 0) {
      String last = embeddings.prefix() + ".encoder.layer." + (encoder.layers() - 1) + ".";
      weights.get(last + encoder.names().attentionNorm() + ".weight");
    }
    String base = embeddings.prefix() + ".embeddings.";
    Size image = embeddings.image();
    Size patch = embeddings.patch();
    Size grid = embeddings.grid(image.height(), image.width());
    String projection = base + "patch_embeddings.projection.weight";
    require(
        weights,
        projection,
        weights.get(projection),
        Shape.of(embeddings.hidden(), embeddings.channels(), patch.height(), patch.width()));
    long positions = (long) grid.height() * grid.width();
    for (Embeddings.Token token : embeddings.tokens()) {
      positions += token.positioned() ? token.count() : 0;
    }
    String name = base + "position_embeddings";
    Shape stored = weights.get(name).shape();
    if (stored.rank() != 3 || stored.extent(1) != positions) {
      throw new CheckpointException(
          weights.file(),
          "holds "
              + name
              + " with shape "
              + stored
              + " but an image of "
              + image.height()
              + "×"
              + image.width()
              + " in patches of "
              + patch.height()
              + "×"
              + patch.width()
              + " has "
              + positions
              + " positions; check that config.json and the weights belong to the same model");
    }
  }

  private static void require(Weights weights, String name, Tensor tensor, Shape wanted)
      throws CheckpointException {
    Shape shape = tensor.shape();
    // A convolution's kernel is used as a matrix: one row for each of its outputs.
    boolean fits =
        shape.equals(wanted)
            || (shape.rank() == 4
                && wanted.rank() == 2
                && shape.extent(0) == wanted.extent(0)
                && shape.elements() == wanted.elements());
    if (!fits) {
      throw new CheckpointException(
          weights.file(),
          "holds "
              + name
              + " with shape "
              + shape
              + " but config.json asks for "
              + wanted
              + "; check that both belong to the same model");
    }
    if (!tensor.dtype().isFloating()) {
      throw new CheckpointException(
          weights.file(),
          "holds "
              + name
              + " as "
              + tensor.dtype()
              + " but parameters are read as F32, F16, BF16 or F64; save the model in one of them");
    }
  }
}
