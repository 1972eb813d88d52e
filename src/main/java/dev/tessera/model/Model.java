package dev.tessera.model;

import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.checkpoint.HfDirectory;
import dev.tessera.checkpoint.Weights;
import dev.tessera.engine.Engine;
import dev.tessera.graph.Graph;
import dev.tessera.graph.Narrowing;
import dev.tessera.graph.Value;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A model that was loaded: what it computes, as graphs, and its weights.
 *
 * <p>An engine compiles {@link #graph} with {@link #parameters}; one set of parameters serves the
 * graphs of every batch and image size. Closing the model unmaps the weights.
 */
public final class Model implements AutoCloseable {
  private final HfDirectory files;
  private final Weights weights;
  private final Architecture model;
  private final Map<String, Tensor> parameters;
  private final List<String> unused;

  private Model(
      HfDirectory files,
      Weights weights,
      Architecture model,
      Map<String, Tensor> parameters,
      List<String> unused) {
    this.files = files;
    this.weights = weights;
    this.model = model;
    this.parameters = Collections.unmodifiableMap(parameters);
    this.unused = List.copyOf(unused);
  }

  /** The model over the files, after checking that they hold all it needs in the right shapes. */
  static Model checked(HfDirectory files, Weights weights, Architecture model)
      throws CheckpointException {
    Graph graph;
    try {
      model.check(weights);
      graph = model.example(Outputs.STAGES);
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
    Set<String> used = new HashSet<>(parameters.keySet());
    if (model instanceof ImageText) {
      used.addAll(ImageText.NUMBERS);
    }
    List<String> unused = weights.unused(used);
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

  /** Whether the model reads images. */
  public boolean takesImages() {
    return !(model instanceof TextModel);
  }

  /** Whether the model reads texts. */
  public boolean takesTexts() {
    return !(model instanceof VisionModel);
  }

  /** Channels of the images. */
  public int channels() {
    return vision().embeddings().channels();
  }

  /** Height in pixels of the images that the model was made for. */
  public int height() {
    return vision().embeddings().image().height();
  }

  /** Width in pixels of the images that the model was made for. */
  public int width() {
    return vision().embeddings().image().width();
  }

  /** Width of a token; of the image tower's where there are two. */
  public int hidden() {
    return model instanceof TextModel text
        ? text.embeddings().hidden()
        : vision().embeddings().hidden();
  }

  /** Transformer blocks. */
  public int layers() {
    return encoder().layers();
  }

  /** Attention heads in each block. */
  public int heads() {
    return encoder().heads();
  }

  /** What stands for a picture where nobody says otherwise. */
  public Pooling pooling() {
    return vision().pooling();
  }

  /** Learned tokens before the patches: the class token, registers. */
  public int prefixTokens() {
    return vision().embeddings().tokenCount();
  }

  /** Whether the first token is a class token. */
  public boolean hasClassToken() {
    return !vision().embeddings().tokens().isEmpty()
        && !vision().embeddings().tokens().getFirst().name().startsWith("register");
  }

  /** What the logits mean, in their order; empty for a model without a classifier. */
  public List<String> labels() {
    return files.labels(model instanceof VisionModel vision ? vision.labels() : 0);
  }

  /** Whether several labels may hold at once: scores are then sigmoids rather than a softmax. */
  public boolean isMultiLabel() {
    return "multi_label_classification".equals(files.config().get("problem_type"));
  }

  /** The weights by the names that the graphs use. */
  public Map<String, Tensor> parameters() {
    return parameters;
  }

  /** The blocks; of the image tower where there are two. */
  private Encoder encoder() {
    return model instanceof TextModel text ? text.encoder() : vision().encoder();
  }

  /** What it computes. */
  Architecture description() {
    return model;
  }

  /** What it computes of images. */
  VisionModel vision() {
    return switch (model) {
      case VisionModel vision -> vision;
      case ImageText both -> both.vision();
      case TextModel _ -> throw new IllegalStateException(architecture() + " reads no images");
    };
  }

  /** What it computes of texts. */
  TextModel text() {
    return switch (model) {
      case TextModel text -> text;
      case ImageText both -> both.text();
      case VisionModel _ -> throw new IllegalStateException(architecture() + " reads no texts");
    };
  }

  /** The most tokens of a text. */
  public int positions() {
    return text().embeddings().positions();
  }

  /** How many ids the model knows. */
  public int vocabularySize() {
    return text().embeddings().vocabulary();
  }

  /** Width of the space that images and texts share; 0 for a model of one of them. */
  public int projection() {
    return model instanceof ImageText both ? both.text().projection() : 0;
  }

  /** The inputs that a graph may have, under {@code transformers}' names. */
  public List<String> inputNames() {
    return model.inputNames();
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
    Graph graph = vision().graph(batch, height, width, outputs);
    return outputs == Outputs.RESULT ? Narrowing.narrow(graph) : graph;
  }

  /**
   * What the model computes for inputs of certain shapes.
   *
   * @param inputs shapes by names of {@link #inputNames}; which are needed depends on the model
   * @throws IllegalArgumentException if one is missing, or the shapes do not fit the model
   */
  public Graph graph(Map<String, Shape> inputs, Outputs outputs) {
    Graph graph = model.graph(inputs, outputs);
    return outputs == Outputs.RESULT ? Narrowing.narrow(graph) : graph;
  }

  /**
   * Every stage of the model for these inputs, for comparing implementations: the graph's and what
   * follows them, such as how well texts fit images.
   *
   * @param inputs of any types and names; those that the model does not know are ignored
   * @throws IllegalArgumentException if one is missing or does not fit the model
   */
  public Map<String, Tensor> stages(Engine engine, Map<String, Tensor> inputs) {
    Map<String, Shape> shapes = new LinkedHashMap<>();
    for (String name : inputNames()) {
      Tensor tensor = inputs.get(name);
      if (tensor != null) {
        shapes.put(name, tensor.shape());
      }
    }
    Map<String, Tensor> stages =
        engine.compile(graph(shapes, Outputs.STAGES), parameters).run(inputs);
    return switch (model) {
      case ImageText both -> both.completed(stages);
      case Bert bert -> bert.sentence().completed(stages, inputs.get(TextModel.MASK));
      case TextModel _, VisionModel _ -> stages;
    };
  }

  @Override
  public void close() {
    files.close();
  }

  /** Checks that a parameter of the checkpoint is what the graph needs. */
  static void require(Weights weights, String name, Tensor tensor, Shape wanted)
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
