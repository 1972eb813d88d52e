package dev.tessera.cli;

import dev.tessera.engine.Engine;
import dev.tessera.image.Decoder;
import dev.tessera.image.ImageException;
import dev.tessera.image.Preprocessor;
import dev.tessera.image.RgbImage;
import dev.tessera.model.AttentionMaps;
import dev.tessera.model.ImageClassifier;
import dev.tessera.model.Model;
import dev.tessera.model.Models;
import dev.tessera.model.Prediction;
import dev.tessera.model.Ranking;
import dev.tessera.report.AttentionPicture;
import dev.tessera.report.AttentionPicture.Panel;
import dev.tessera.report.Theme;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tessera explain}: where a model looks. */
@Command(
    name = "explain",
    description = "Show which parts of an image a model looks at.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  tessera explain --model vit-base photo.jpg",
      "  tessera explain --model vit-base photo.jpg --output look.png --heads heads.png --layer 0",
      "  tessera explain --model vit-base photo.jpg --tensors maps.safetensors",
      "",
      "Two pictures are written. The first shows the image, attention rollout (attention through all",
      "layers: arXiv:2005.00928) and what the last layer attends to for its answer; the second shows",
      "each attention head of that layer. Bright is where most attention goes; each map is drawn",
      "between its own smallest and largest value. Attention hints at what mattered; it proves nothing."
    })
final class ExplainCommand implements Callable<Integer> {
  private static final int SIDE = 320;
  private static final int HEAD_SIDE = 200;
  private static final int HEADS_ACROSS = 4;
  private static final int LABELS = 3;

  @Parameters(paramLabel = "IMAGE", description = "An image file.")
  private Path file = Path.of("");

  @Mixin private ModelOptions modelOptions = new ModelOptions();

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      description = "The first picture. Default: IMAGE's name with -attention.png, in this folder.")
  private @Nullable Path output;

  @Option(
      names = "--heads",
      paramLabel = "FILE",
      description = "The second picture. Default: IMAGE's name with -heads.png, in this folder.")
  private @Nullable Path headsOutput;

  @Option(
      names = "--tensors",
      paramLabel = "FILE",
      description = {
        "Also write the maps as safetensors: rollout [rows, columns] and attention [heads, rows,",
        "columns], the probabilities of each patch."
      })
  private @Nullable Path tensors;

  @Option(
      names = "--layer",
      paramLabel = "N",
      defaultValue = "-1",
      description = "Show the attention of layer N, from 0. Default: the last.")
  private int layer;

  @Mixin private ComputeOptions compute = new ComputeOptions();

  @Override
  public Integer call() throws IOException, Failure {
    RgbImage image;
    try {
      image = new Decoder().decode(file);
    } catch (ImageException e) {
      throw new Failure(ExitCode.NO_IMAGE, String.valueOf(e.getMessage()), e);
    }
    try (Engine engine = compute.open();
        Model model = Models.load(modelOptions.directory())) {
      Preprocessor preprocessor = ImageClassifier.preprocessor(model);
      AttentionMaps maps = maps(engine, model, preprocessor, image);
      write(model, preprocessor, image, maps);
      return ExitCode.OK;
    }
  }

  private AttentionMaps maps(Engine engine, Model model, Preprocessor preprocessor, RgbImage image)
      throws IOException, Failure {
    float[] pixels = new float[preprocessor.size()];
    try {
      preprocessor.apply(image, pixels, 0);
    } catch (IllegalArgumentException e) {
      throw new Failure(ExitCode.NO_IMAGE, file + ": " + e.getMessage(), e);
    }
    if (layer < -1 || layer >= Math.max(1, model.layers())) {
      throw new Failure(
          ExitCode.USAGE,
          "--layer must be from 0 to %d, not %d".formatted(model.layers() - 1, layer));
    }
    Shape shape = Shape.of(1, preprocessor.channels(), preprocessor.height(), preprocessor.width());
    return AttentionMaps.of(model, engine, Tensor.of(shape, pixels), layer);
  }

  private void write(Model model, Preprocessor preprocessor, RgbImage image, AttentionMaps maps)
      throws Failure {
    List<Prediction> best = best(model, maps);
    String headline =
        best.isEmpty()
            ? name()
            : "%s: %s (%.1f %%)"
                .formatted(name(), best.getFirst().label(), 100 * best.getFirst().score());
    AttentionPicture.Subject subject =
        new AttentionPicture.Subject(
            image,
            seen(preprocessor.view(image.width(), image.height()), maps),
            maps.rows(),
            maps.columns());
    Path first = output == null ? Path.of(stem() + "-attention.png") : output;
    List<Panel> panels =
        List.of(
            new Panel("image", null),
            new Panel("attention rollout", maps.rollout()),
            new Panel("layer %d, mean of heads".formatted(maps.layer()), maps.meanOfHeads()));
    ResultOutput.write(
        first, AttentionPicture.png(headline, subject, panels, 3, SIDE, Theme.LIGHT));
    Path second = headsOutput == null ? Path.of(stem() + "-heads.png") : headsOutput;
    List<Panel> heads = new ArrayList<>();
    for (int head = 0; head < maps.heads().length; head++) {
      heads.add(new Panel("layer %d, head %d".formatted(maps.layer(), head), maps.heads()[head]));
    }
    ResultOutput.write(
        second,
        AttentionPicture.png(headline, subject, heads, HEADS_ACROSS, HEAD_SIDE, Theme.LIGHT));
    if (tensors != null) {
      ModelsRunCommand.write(tensors, tensors(maps));
    }
    for (Prediction prediction : best) {
      System.out.printf(
          Locale.ROOT,
          "%5.1f%%  %s%n",
          100 * prediction.score(),
          Terminal.printable(prediction.label()));
    }
    System.out.println(
        "written: " + first + ", " + second + (tensors == null ? "" : ", " + tensors));
  }

  /** What the patches cover of what the model gets. */
  private static Preprocessor.View seen(Preprocessor.View view, AttentionMaps maps) {
    return new Preprocessor.View(
        view.left(),
        view.top(),
        view.left() + maps.coveredWidth() * (view.right() - view.left()),
        view.top() + maps.coveredHeight() * (view.bottom() - view.top()));
  }

  private static List<Prediction> best(Model model, AttentionMaps maps) {
    float[] logits = maps.logits();
    if (logits == null || model.labels().isEmpty()) {
      return List.of();
    }
    return new Ranking(model.labels(), model.isMultiLabel(), LABELS, 0).rank(logits);
  }

  private static Map<String, Tensor> tensors(AttentionMaps maps) {
    int patches = maps.rows() * maps.columns();
    float[] all = new float[maps.heads().length * patches];
    for (int head = 0; head < maps.heads().length; head++) {
      System.arraycopy(maps.heads()[head], 0, all, head * patches, patches);
    }
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    tensors.put("rollout", Tensor.of(Shape.of(maps.rows(), maps.columns()), maps.rollout()));
    tensors.put(
        "attention", Tensor.of(Shape.of(maps.heads().length, maps.rows(), maps.columns()), all));
    return tensors;
  }

  private String name() {
    Path name = file.getFileName();
    return name == null ? file.toString() : name.toString();
  }

  private String stem() {
    int dot = name().lastIndexOf('.');
    return dot > 0 ? name().substring(0, dot) : name();
  }
}
