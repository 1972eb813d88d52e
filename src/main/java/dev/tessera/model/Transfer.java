package dev.tessera.model;

import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.checkpoint.HfDirectory;
import dev.tessera.checkpoint.Weights;
import dev.tessera.engine.scalar.ScalarEngine;
import dev.tessera.graph.GraphBuilder;
import dev.tessera.image.Preprocessor;
import dev.tessera.tensor.DType;
import dev.tessera.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/**
 * A trained model made ready to learn something else: a new classifier where the labels are others,
 * positions resampled where the images have another size. The backbone stays as it is.
 *
 * @param files the directory to train from, in memory; its tensors belong to the model it was made
 *     of
 * @param changes what was changed, a sentence each
 */
public record Transfer(HfDirectory files, List<String> changes) {
  /** A model in the making: what will be written, by canonical names. */
  private static final class Draft {
    final Model model;
    final Map<String, @Nullable Object> config;
    @Nullable Map<String, @Nullable Object> preprocessor;
    final SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
    final List<String> changes = new ArrayList<>();

    Draft(Model model) {
      this.model = model;
      this.config = new LinkedHashMap<>(model.files().config());
      this.preprocessor = model.files().preprocessor();
      model.parameters().forEach((name, tensor) -> tensors.put(name, floats(tensor)));
    }
  }

  /**
   * Prepares {@code model}.
   *
   * @param path where the result will be
   * @param labels what the classifier shall tell apart
   * @param imageSize height and width in pixels; 0 keeps the model's
   * @param seed of a new classifier's weights
   * @throws CheckpointException if the model cannot be changed so
   */
  public static Transfer of(Model model, Path path, List<String> labels, int imageSize, long seed)
      throws CheckpointException {
    Draft draft = new Draft(model);
    head(draft, labels, seed);
    if (imageSize != 0) {
      resize(draft, imageSize);
    }
    if (model.vision() instanceof TimmVit vit) {
      return new Transfer(
          TimmTransfer.of(model, vit, path, draft.config, draft.tensors, labels), draft.changes);
    }
    keepMaskToken(draft);
    return new Transfer(
        HfDirectory.of(path, draft.config, draft.preprocessor, draft.tensors), draft.changes);
  }

  /** Training works in single precision, whatever the checkpoint was saved in. */
  private static Tensor floats(Tensor tensor) {
    return tensor.dtype() == DType.F32 ? tensor : Tensor.of(tensor.shape(), tensor.toFloats());
  }

  private static void head(Draft draft, List<String> labels, long seed) throws CheckpointException {
    VisionModel vision = draft.model.vision();
    List<String> old = draft.model.labels();
    draft.tensors.keySet().removeIf(name -> name.contains(".pooler."));
    if (!old.equals(labels)) {
      boolean reordered =
          old.size() == labels.size()
              && new HashSet<>(old).equals(new HashSet<>(labels))
              && new HashSet<>(old).size() == old.size();
      for (String head : heads(vision)) {
        if (reordered) {
          reorder(draft.tensors, head, old, labels);
        } else {
          int width = vision.embeddings().hidden() * (vision instanceof Dinov2 ? 2 : 1);
          NewVit.head(draft.tensors, new RandomParameters(seed), head, labels.size(), width);
        }
      }
      draft.changes.add(
          reordered
              ? "the classifier's labels are the same in another order"
              : old.isEmpty()
                  ? "a new classifier of %d labels".formatted(labels.size())
                  : "a new classifier of %d labels in place of the one of %d"
                      .formatted(labels.size(), old.size()));
    }
    Labels.put(draft.config, labels);
    draft.config.remove("problem_type");
    draft.config.remove("dtype");
    draft.config.put("torch_dtype", "float32");
    draft.config.put("architectures", List.of(architecture(draft.model.architecture())));
  }

  private static List<String> heads(VisionModel vision) {
    return switch (vision) {
      case Deit deit when deit.distilled() -> List.of("cls_classifier", "distillation_classifier");
      case TimmVit timm when timm.distilled() -> List.of("classifier", "distillation_classifier");
      case Vit _, Deit _, Dinov2 _, TimmVit _, ImageTower _ -> List.of("classifier");
    };
  }

  private static String architecture(String name) {
    return name.contains("ForImageClassification")
        ? name
        : name.replaceFirst("(Model|For\\w+)$", "") + "ForImageClassification";
  }

  private static void reorder(
      Map<String, Tensor> tensors, String head, List<String> old, List<String> labels) {
    for (String p : List.of(".weight", ".bias")) {
      Tensor tensor = tensors.get(head + p);
      if (tensor == null) {
        throw new IllegalStateException("a classifier without " + head + p);
      }
      float[] rows = tensor.toFloats();
      float[] moved = new float[rows.length];
      int width = rows.length / old.size();
      for (int i = 0; i < labels.size(); i++) {
        System.arraycopy(rows, old.indexOf(labels.get(i)) * width, moved, i * width, width);
      }
      tensors.put(head + p, Tensor.of(tensor.shape(), moved));
    }
  }

  private static void resize(Draft draft, int imageSize) throws CheckpointException {
    Model model = draft.model;
    Preprocessor preprocessor = ImageClassifier.preprocessor(model);
    Embeddings embeddings = model.vision().embeddings();
    boolean sameInput = preprocessor.height() == imageSize && preprocessor.width() == imageSize;
    if (model.height() == imageSize && model.width() == imageSize && sameInput) {
      return;
    }
    if (imageSize < embeddings.patch().height() || imageSize < embeddings.patch().width()) {
      throw new CheckpointException(
          model.files().path(),
          "has patches of %d×%d pixels, which an image size of %d cannot hold; give a larger one"
              .formatted(embeddings.patch().height(), embeddings.patch().width(), imageSize));
    }
    String name = embeddings.prefix() + ".embeddings.position_embeddings";
    Tensor learned = model.parameters().get(name);
    if (learned == null) {
      throw new IllegalStateException("a model without " + name);
    }
    GraphBuilder graph = new GraphBuilder();
    graph.output("positions", embeddings.positions(graph, imageSize, imageSize));
    Tensor positions;
    try (ScalarEngine engine = new ScalarEngine()) {
      positions =
          engine
              .compile(graph.build(), Map.of(name, learned))
              .run(Map.of())
              .values()
              .iterator()
              .next();
    }
    draft.tensors.put(name, positions);
    draft.changes.add(
        "position embeddings resized from %s to %s patches for images of %d×%d pixels"
            .formatted(
                grid(embeddings, model.height(), model.width()),
                grid(embeddings, imageSize, imageSize),
                imageSize,
                imageSize));
    draft.config.put("image_size", imageSize);
    if (model.files().layout() != HfDirectory.Layout.TIMM) {
      draft.preprocessor =
          resized(model.files(), draft.preprocessor, preprocessor, imageSize, model.channels());
    }
  }

  private static String grid(Embeddings embeddings, int height, int width) {
    ModelConfig.Size grid = embeddings.grid(height, width);
    return grid.height() + "×" + grid.width();
  }

  /** Every size in the preprocessing in proportion, so that the crop stays the same share. */
  private static Map<String, @Nullable Object> resized(
      HfDirectory files,
      @Nullable Map<String, @Nullable Object> config,
      Preprocessor old,
      int imageSize,
      int channels)
      throws CheckpointException {
    if (config == null) {
      return NewVit.preprocessor(imageSize, channels);
    }
    Map<String, @Nullable Object> result = new LinkedHashMap<>(config);
    for (String key : List.of("size", "crop_size", "pad_size")) {
      if (config.get(key) instanceof Map<?, ?> sizes) {
        Map<String, Object> scaled = new LinkedHashMap<>();
        sizes.forEach(
            (axis, value) -> scaled.put(String.valueOf(axis), scaled(value, old, imageSize)));
        result.put(key, scaled);
      } else if (config.get(key) instanceof Number number) {
        result.put(key, scaled(number, old, imageSize));
      }
    }
    Preprocessor now = Preprocessor.ofHuggingFace(result, Map.of("num_channels", channels));
    if (now.height() != imageSize || now.width() != imageSize) {
      throw new CheckpointException(
          files.path(),
          "has preprocessing whose size cannot be changed to %d; give size and crop_size in its"
                  .formatted(imageSize)
              + " preprocessor_config.json");
    }
    return result;
  }

  private static Object scaled(@Nullable Object value, Preprocessor old, int imageSize) {
    return value instanceof Number number
        ? Math.max(1, Math.round(number.doubleValue() * imageSize / old.height()))
        : String.valueOf(value);
  }

  /** transformers' classes have it as a parameter, though no classifier reads it. */
  private static void keepMaskToken(Draft draft) throws CheckpointException {
    Weights weights = draft.model.weights();
    String name = draft.model.vision().embeddings().prefix() + ".embeddings.mask_token";
    if (draft.model.vision() instanceof Dinov2 && weights.has(name)) {
      draft.tensors.put(name, floats(weights.get(name)));
    }
  }
}
