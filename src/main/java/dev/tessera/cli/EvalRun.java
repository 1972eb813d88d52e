package dev.tessera.cli;

import dev.tessera.data.LabelledImage;
import dev.tessera.data.LabelledImages;
import dev.tessera.image.Decoder;
import dev.tessera.image.ImageException;
import dev.tessera.image.RgbImage;
import dev.tessera.metrics.Evaluation;
import dev.tessera.metrics.Mistakes;
import dev.tessera.metrics.Mistakes.Mistake;
import dev.tessera.model.ImageClassifier;
import java.io.IOException;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** One pass of labelled images through a classifier. */
final class EvalRun {
  /** One image on its way. */
  private record Input(int number, LabelledImage image) implements Pipeline.Input {
    @Override
    public String name() {
      return image.id();
    }

    @Override
    public @Nullable String problem() {
      return null;
    }

    @Override
    public RgbImage decode(Decoder decoder) throws ImageException {
      return image.source().decode(decoder);
    }
  }

  private final ImageClassifier classifier;
  private final LabelledImages images;
  private final int batchSize;
  private final int decoders;
  private final Evaluation evaluation;
  private final Mistakes mistakes;

  /**
   * @param images whose labels are the classifier's
   * @param most how many of the surest mistakes are kept
   * @param decoders threads that decode
   */
  EvalRun(
      ImageClassifier classifier, LabelledImages images, int most, int batchSize, int decoders) {
    this.classifier = classifier;
    this.images = images;
    this.batchSize = batchSize;
    this.decoders = decoders;
    this.evaluation = new Evaluation(classifier.labels().size());
    this.mistakes = new Mistakes(most);
  }

  Evaluation evaluation() {
    return evaluation;
  }

  List<Mistake> mistakes() {
    return mistakes.list();
  }

  /** Measures all images; what cannot be read is said and added to {@code problems}. */
  void run(Terminal terminal, List<String> problems) throws IOException, Failure {
    terminal.total(images.size());
    int first = ImageClassifier.size(Math.min(images.size(), batchSize), batchSize);
    Pipeline<Input> pipeline =
        new Pipeline<>(
            IntStream.range(0, images.size()).mapToObj(i -> new Input(i, images.get(i))).iterator(),
            new Decoder(),
            classifier.preprocessor(),
            classifier::logits,
            () -> classifier.prepare(first),
            batchSize,
            decoders);
    try {
      pipeline.run(outcome -> {
        float[] logits = outcome.values();
        String problem = outcome.problem();
        if (logits != null) {
          count(outcome.file(), logits);
        } else if (problem != null) {
          problems.add(problem);
          terminal.message("tessera: " + problem);
        }
        terminal.advance();
      });
    } finally {
      terminal.erase();
    }
  }

  private void count(Input input, float[] logits) throws Failure {
    LabelledImage image = input.image();
    try {
      mistakes.add(
          input.number(), image.id(), image.label(), evaluation.add(image.label(), logits));
    } catch (IllegalArgumentException e) {
      throw new Failure(
          ExitCode.CHECKPOINT,
          "the model cannot be measured: for %s, %s".formatted(image.id(), e.getMessage()),
          e);
    }
  }
}
