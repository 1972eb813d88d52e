package dev.tessera.train;

import dev.tessera.graph.Regularization;

/**
 * How a model is trained, once the data are known.
 *
 * @param epochs passes over the data, at least 1
 * @param steps updates, in place of epochs; 0 for as many as the epochs have
 * @param maxSeconds what the training may take in all, or 0 for as long as it needs: the schedule
 *     is then run through faster, so that it comes to its end in time
 * @param fillTime whether a training that would end earlier takes the whole time
 * @param accumulation batches whose gradients make one update
 * @param schedule of the learning rate
 * @param optimizer how gradients become updates
 * @param clip the largest global norm of the gradients; 0 for no limit
 * @param ema share of its old value that the moving average of the weights keeps at every update; 0
 *     for none
 * @param rules which parameters are trained how
 * @param regularization dropout and stochastic depth
 * @param seed of dropout
 * @param checkpointSeconds how much of the training may be lost when it is killed
 * @param patience epochs without a better one after which the training ends; 0 for never
 */
public record TrainingPlan(
    int epochs,
    int steps,
    double maxSeconds,
    boolean fillTime,
    int accumulation,
    ScheduleChoice schedule,
    Optimizer optimizer,
    double clip,
    double ema,
    ParameterRules rules,
    Regularization regularization,
    long seed,
    double checkpointSeconds,
    int patience) {
  public TrainingPlan {
    if (epochs < 1 || steps < 0 || accumulation < 1 || patience < 0) {
      throw new IllegalArgumentException("a training has at least one epoch and one batch");
    }
    if (!(maxSeconds >= 0 && checkpointSeconds >= 0)) {
      throw new IllegalArgumentException("times must be at least 0");
    }
    if (!(clip >= 0) || !(ema >= 0 && ema < 1)) {
      throw new IllegalArgumentException(
          "clipping must be at least 0 and the moving average from 0 to below 1");
    }
  }
}
