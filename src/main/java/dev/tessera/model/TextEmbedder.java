package dev.tessera.model;

import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.checkpoint.HfDirectory;
import dev.tessera.engine.Engine;
import dev.tessera.engine.Executable;
import dev.tessera.graph.Graph;
import dev.tessera.graph.Pruning;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import dev.tessera.text.Tokenizer;
import dev.tessera.text.Tokenizers;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A model that gives each text a vector, with its tokenizer, on an engine. Texts that mean alike
 * have vectors of a large cosine, and where images share the space, so have a text and an image
 * that it describes.
 *
 * <p>Texts of about the same length are computed together, so that little is computed for padding.
 * Several threads may use one embedder; it computes for one at a time.
 */
public final class TextEmbedder implements AutoCloseable {
  private final Model model;
  private final boolean ownsModel;
  private final Engine engine;
  private final Tokenizer tokenizer;
  private final TextBatches batches;
  private final int dimensions;

  /** Graphs made ready; each holds arrays of its size. */
  private final Map<Shape, Executable> executables = new HashMap<>();

  /**
   * Over a model that is open already and stays open when this is closed.
   *
   * @throws CheckpointException if the model has no vectors for texts, or no tokenizer
   */
  public TextEmbedder(Model model, Engine engine) throws IOException {
    this(model, engine, false);
  }

  private TextEmbedder(Model model, Engine engine, boolean ownsModel) throws IOException {
    this.model = model;
    this.engine = engine;
    this.ownsModel = ownsModel;
    this.tokenizer = tokenizer(model);
    this.batches = TextBatches.of(model.text(), tokenizer, engine.wantsFewShapes());
    this.dimensions =
        switch (model.text()) {
          case TextTower tower -> tower.projection();
          case Bert bert -> bert.sentence().modes().size() * bert.embeddings().hidden();
        };
    if (tokenizer.vocabularySize() > model.vocabularySize()) {
      throw new CheckpointException(
          model.files().path(),
          "has a tokenizer of "
              + tokenizer.vocabularySize()
              + " tokens for a model of "
              + model.vocabularySize()
              + "; check that both belong to the same model");
    }
  }

  /**
   * Loads the model in {@code directory}.
   *
   * @param engine not closed with the embedder
   * @throws CheckpointException if it has no vectors for texts, or no tokenizer
   */
  public static TextEmbedder open(Path directory, Engine engine) throws IOException {
    Model model = Models.load(directory);
    try {
      return new TextEmbedder(model, engine, true);
    } catch (IOException | RuntimeException | Error e) {
      model.close();
      throw e;
    }
  }

  /** The tokenizer that the model's directory holds. */
  public static Tokenizer tokenizer(Model model) throws IOException {
    Path directory = model.files().path();
    if (!model.takesTexts()) {
      throw new CheckpointException(
          directory,
          "holds a model of images ("
              + model.architecture()
              + "), which reads no texts; give a model of texts, such as one of"
              + " sentence-transformers or CLIP");
    }
    return model.files().layout() == HfDirectory.Layout.OPEN_CLIP
        ? Tokenizers.openClip(directory, model.positions())
        : Tokenizers.load(directory);
  }

  /** How many numbers a vector has. */
  public int width() {
    return dimensions;
  }

  /** The tokenizer, whose ids the model was trained on. */
  public Tokenizer tokenizer() {
    return tokenizer;
  }

  /** The vector of one text. */
  public float[] embed(String text) {
    return embed(List.of(text))[0];
  }

  /**
   * The vectors of texts, in their order: {@code [texts][width]}. What is longer than the model
   * takes is cut off.
   */
  public float[][] embed(List<String> texts) {
    List<int[]> ids = new ArrayList<>(texts.size());
    for (String text : texts) {
      ids.add(batches.ids(tokenizer, text));
    }
    return embedIds(ids);
  }

  /** The vectors of texts that are ids already, special tokens included. */
  public synchronized float[][] embedIds(List<int[]> ids) {
    float[][] vectors = new float[ids.size()][];
    for (TextBatches.Batch batch : batches.of(ids)) {
      Map<String, Tensor> outputs = executable(batch.shape()).run(batch.inputs());
      Tensor result = outputs.values().iterator().next();
      for (int row = 0; row < batch.count(); row++) {
        vectors[batch.places()[row]] = vector(result, batch, row);
      }
    }
    return vectors;
  }

  private float[] vector(Tensor result, TextBatches.Batch batch, int row) {
    if (model.text() instanceof Bert bert) {
      int width = result.shape().last();
      int tokens = batch.shape().last();
      float[] sequence = new float[batch.lengths()[row] * width];
      result.copyTo((long) row * tokens * width, sequence, 0, sequence.length);
      return bert.sentence().pool(sequence, 0, batch.lengths()[row], width, null, 0);
    }
    float[] vector = new float[dimensions];
    result.copyTo((long) row * dimensions, vector, 0, dimensions);
    return vector;
  }

  private Executable executable(Shape shape) {
    Executable known = executables.get(shape);
    if (known == null) {
      if (!engine.wantsFewShapes()) {
        executables.clear(); // each length comes up once, and another graph takes little to prepare
      }
      known = engine.compile(graph(shape), model.parameters());
      executables.put(shape, known);
    }
    return known;
  }

  /** What one batch needs, and no more. */
  private Graph graph(Shape shape) {
    TextModel text = model.text();
    Map<String, Shape> inputs = new LinkedHashMap<>();
    inputs.put(TextModel.IDS, shape);
    if (batches.masked()) {
      inputs.put(TextModel.MASK, shape);
    }
    Graph graph = text.graph(inputs, Outputs.STAGES);
    return Pruning.to(graph, text instanceof TextTower ? "text_embeds" : "last_hidden_state");
  }

  @Override
  public void close() {
    if (ownsModel) {
      model.close();
    }
  }
}
