package dev.tessera.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.tessera.checkpoint.Json;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where a training is, beside its variables: enough to go on to the same numbers.
 *
 * @param epoch epochs done
 * @param batch batches done in the epoch after those
 * @param step updates of the parameters done
 * @param scheduleStep how far the schedule is, in its own steps
 * @param stride schedule steps taken by one update: 1 unless time is limited
 * @param seconds that the training has taken
 * @param sums over the epoch after those done
 * @param best the best epoch so far
 * @param metricsBytes how much of metrics.jsonl belongs to the epochs done
 * @param finished whether the training is complete
 */
record TrainingState(
    long epoch,
    int batch,
    long step,
    double scheduleStep,
    double stride,
    double seconds,
    Sums sums,
    Best best,
    long metricsBytes,
    boolean finished) {
  /**
   * Sums over the batches of an epoch.
   *
   * @param norms of the gradient, summed over {@code updates}
   * @param learningRate of the last update
   */
  record Sums(
      double loss,
      long batches,
      long correct,
      long images,
      double norms,
      long updates,
      double seconds,
      double learningRate) {
    static final Sums NONE = new Sums(0, 0, 0, 0, 0, 0, 0, 0);

    Sums plusBatch(double batchLoss, int right, int count, double learningRate, double time) {
      return new Sums(
          loss + batchLoss,
          batches + 1,
          correct + right,
          images + count,
          norms,
          updates,
          seconds + time,
          learningRate);
    }

    Sums plusUpdate(double norm) {
      return new Sums(
          loss, batches, correct, images, norms + norm, updates + 1, seconds, learningRate);
    }
  }

  /**
   * The best epoch.
   *
   * @param epoch from 1; 0 before any
   * @param accuracy on the validation images, NaN before any
   */
  record Best(long epoch, double accuracy, double loss) {
    static final Best NONE = new Best(0, Double.NaN, Double.NaN);

    /** Whether an epoch is better: more right answers, or as many at a lower loss. */
    boolean isBeatenBy(double otherAccuracy, double otherLoss) {
      return epoch == 0
          || otherAccuracy > accuracy
          || (otherAccuracy == accuracy && otherLoss < loss);
    }
  }

  static TrainingState start() {
    return new TrainingState(0, 0, 0, 0, 1, 0, Sums.NONE, Best.NONE, 0, false);
  }

  TrainingState withStride(double other) {
    return new TrainingState(
        epoch, batch, step, scheduleStep, other, seconds, sums, best, metricsBytes, finished);
  }

  TrainingState withSeconds(double other) {
    return new TrainingState(
        epoch, batch, step, scheduleStep, stride, other, sums, best, metricsBytes, finished);
  }

  TrainingState withFinished() {
    return new TrainingState(
        epoch, batch, step, scheduleStep, stride, seconds, sums, best, metricsBytes, true);
  }

  String json() {
    Map<String, Object> values = new LinkedHashMap<>();
    values.put("epoch", epoch);
    values.put("batch", batch);
    values.put("step", step);
    values.put("schedule_step", scheduleStep);
    values.put("stride", stride);
    values.put("seconds", seconds);
    values.put("sum_loss", sums.loss);
    values.put("sum_batches", sums.batches);
    values.put("sum_correct", sums.correct);
    values.put("sum_images", sums.images);
    values.put("sum_norms", sums.norms);
    values.put("sum_updates", sums.updates);
    values.put("sum_seconds", sums.seconds);
    values.put("last_learning_rate", sums.learningRate);
    values.put("best_epoch", best.epoch);
    values.put("best_accuracy", best.accuracy);
    values.put("best_loss", best.loss);
    values.put("metrics_bytes", metricsBytes);
    values.put("finished", finished);
    return Json.write(values);
  }

  /**
   * The state that {@link #json} wrote.
   *
   * @throws IllegalArgumentException if something is missing
   */
  static TrainingState parse(String text) throws JsonProcessingException {
    Map<String, @Nullable Object> values = Json.asObject(Json.parse(text));
    if (values == null) {
      throw new IllegalArgumentException("it is no JSON object");
    }
    return new TrainingState(
        whole(values, "epoch"),
        (int) whole(values, "batch"),
        whole(values, "step"),
        number(values, "schedule_step"),
        number(values, "stride"),
        number(values, "seconds"),
        new Sums(
            number(values, "sum_loss"),
            whole(values, "sum_batches"),
            whole(values, "sum_correct"),
            whole(values, "sum_images"),
            number(values, "sum_norms"),
            whole(values, "sum_updates"),
            number(values, "sum_seconds"),
            number(values, "last_learning_rate")),
        new Best(
            whole(values, "best_epoch"),
            number(values, "best_accuracy"),
            number(values, "best_loss")),
        whole(values, "metrics_bytes"),
        Boolean.TRUE.equals(values.get("finished")));
  }

  private static double number(Map<String, @Nullable Object> values, String key) {
    if (values.get(key) instanceof Number number) {
      return number.doubleValue();
    }
    throw new IllegalArgumentException("it has no number " + key);
  }

  private static long whole(Map<String, @Nullable Object> values, String key) {
    if (values.get(key) instanceof Long number && number >= 0) {
      return number;
    }
    throw new IllegalArgumentException("it has no count " + key);
  }
}
