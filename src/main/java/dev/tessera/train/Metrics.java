package dev.tessera.train;

import dev.tessera.checkpoint.Json;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What was measured in one epoch: a line of metrics.jsonl. Figures that were not measured are NaN
 * and left out of the line.
 *
 * @param epoch epochs done, from 1
 * @param step updates of the parameters done
 * @param trainLoss mean over the epoch's batches, with the augmentation and smoothing of training
 * @param trainAccuracy share of the training images whose likeliest label was their main one
 * @param validationLoss mean cross-entropy over the validation images, in nats
 * @param validationAccuracy share of the validation images with the right label first
 * @param validationTop5 share with the right label among the first five
 * @param learningRate of the epoch's last update
 * @param gradientNorm mean over the epoch's updates, before clipping
 * @param imagesPerSecond of training, without validation
 * @param seconds that the training has taken so far, over all of its sessions
 */
public record Metrics(
    long epoch,
    long step,
    double trainLoss,
    double trainAccuracy,
    double validationLoss,
    double validationAccuracy,
    double validationTop5,
    double learningRate,
    double gradientNorm,
    double imagesPerSecond,
    double seconds) {

  /**
   * The epoch that a training keeps as its best: most right answers, of as many the lowest loss, of
   * equals the first; null where none was validated.
   */
  public static @Nullable Metrics best(List<Metrics> epochs) {
    Metrics best = null;
    for (Metrics row : epochs) {
      if (Double.isFinite(row.validationAccuracy)
          && (best == null
              || row.validationAccuracy > best.validationAccuracy
              || (row.validationAccuracy == best.validationAccuracy
                  && row.validationLoss < best.validationLoss))) {
        best = row;
      }
    }
    return best;
  }

  /** One line of JSON with a line feed. */
  String line() {
    StringBuilder line = new StringBuilder("{\"epoch\": ").append(epoch);
    line.append(", \"step\": ").append(step);
    append(line, "train_loss", trainLoss);
    append(line, "train_accuracy", trainAccuracy);
    append(line, "validation_loss", validationLoss);
    append(line, "validation_accuracy", validationAccuracy);
    append(line, "validation_top5", validationTop5);
    append(line, "learning_rate", learningRate);
    append(line, "gradient_norm", gradientNorm);
    append(line, "images_per_second", rounded(imagesPerSecond, 10));
    append(line, "seconds", rounded(seconds, 100));
    return line.append("}\n").toString();
  }

  private static void append(StringBuilder line, String key, double value) {
    if (Double.isFinite(value)) {
      line.append(", \"").append(key).append("\": ").append(value);
    }
  }

  private static double rounded(double value, int parts) {
    return Double.isFinite(value) ? Math.rint(value * parts) / parts : value;
  }

  /**
   * The metrics that {@code line} holds.
   *
   * @throws IOException if it is no such line
   */
  static Metrics parse(String line) throws IOException {
    Map<String, @Nullable Object> values = Json.asObject(Json.parse(line));
    if (values == null) {
      throw new IOException("no line of metrics");
    }
    Map<String, Double> numbers = new LinkedHashMap<>();
    values.forEach((key, value) -> {
      if (value instanceof Number number) {
        numbers.put(key, number.doubleValue());
      }
    });
    return new Metrics(
        numbers.getOrDefault("epoch", 0.0).longValue(),
        numbers.getOrDefault("step", 0.0).longValue(),
        numbers.getOrDefault("train_loss", Double.NaN),
        numbers.getOrDefault("train_accuracy", Double.NaN),
        numbers.getOrDefault("validation_loss", Double.NaN),
        numbers.getOrDefault("validation_accuracy", Double.NaN),
        numbers.getOrDefault("validation_top5", Double.NaN),
        numbers.getOrDefault("learning_rate", Double.NaN),
        numbers.getOrDefault("gradient_norm", Double.NaN),
        numbers.getOrDefault("images_per_second", Double.NaN),
        numbers.getOrDefault("seconds", Double.NaN));
  }
}
