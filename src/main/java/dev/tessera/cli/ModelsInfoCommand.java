package dev.tessera.cli;

import dev.tessera.model.ImageClassifier;
import dev.tessera.model.Model;
import dev.tessera.model.Models;
import dev.tessera.model.TextEmbedder;
import dev.tessera.tensor.DType;
import dev.tessera.tensor.Tensor;
import dev.tessera.text.Tokenizer;
import dev.tessera.text.Tokenizers;
import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tessera models info}: what a model directory holds. */
@Command(
    name = "info",
    description = "Print a model's architecture, parameters, input, preprocessing and labels.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  tessera models info vit-base",
      "  tessera models info vit-base --all-labels",
    })
final class ModelsInfoCommand implements Callable<Integer> {
  private static final int LABELS_SHOWN = 10;

  @Parameters(paramLabel = "DIR", description = "Hugging Face model directory.")
  private Path directory = Path.of("");

  @Option(names = "--all-labels", description = "Print every label, one a line.")
  private boolean allLabels;

  @Override
  public Integer call() throws IOException {
    try (Model model = Models.load(directory)) {
      List<String> labels = model.labels();
      row("model", directory.toString());
      row("architecture", model.architecture());
      row("parameters", String.format(Locale.ROOT, "%,d", model.parameterCount()));
      row("stored as", types(model).toString());
      if (model.takesImages()) {
        row(
            "images",
            "%d × %d pixels (height × width), %d channel%s"
                .formatted(
                    model.height(),
                    model.width(),
                    model.channels(),
                    model.channels() == 1 ? "" : "s"));
        row("preprocessing", ImageClassifier.preprocessor(model).describe());
      }
      if (model.takesTexts()) {
        row("texts", "up to %d tokens of %,d".formatted(model.positions(), model.vocabularySize()));
        row("tokenizer", tokenizer(model));
      }
      if (model.projection() > 0) {
        row("shared space", "%d numbers for an image or a text".formatted(model.projection()));
      }
      row("labels", labels.isEmpty() ? "none: this model has no classifier" : summary(labels));
      if (!model.unused().isEmpty()) {
        row("not used", String.join(", ", model.unused()));
      }
      if (allLabels) {
        for (int i = 0; i < labels.size(); i++) {
          System.out.println(i + "\t" + Terminal.printable(labels.get(i)));
        }
      }
      return ExitCode.OK;
    }
  }

  private static String tokenizer(Model model) throws IOException {
    if (!Tokenizers.in(model.files().path())) {
      return "none: texts must be given as ids";
    }
    Tokenizer tokenizer = TextEmbedder.tokenizer(model);
    return "%,d tokens".formatted(tokenizer.vocabularySize());
  }

  private static Set<DType> types(Model model) {
    Set<DType> types = EnumSet.noneOf(DType.class);
    for (Tensor tensor : model.files().tensors().values()) {
      types.add(tensor.dtype());
    }
    return types;
  }

  private static String summary(List<String> labels) {
    return labels.size()
        + ": "
        + String.join(", ", labels.subList(0, Math.min(LABELS_SHOWN, labels.size())))
        + (labels.size() > LABELS_SHOWN ? ", ..." : "");
  }

  private static void row(String name, String value) {
    System.out.println(name + " ".repeat(15 - name.length()) + Terminal.printable(value));
  }
}
