package dev.tessera.train;

import java.util.List;

/** Is told how a training goes, on the training's own thread. */
public interface Progress {
  /**
   * After an update.
   *
   * @param epoch the epoch under way, from 1
   * @param part of that epoch that is done, from 0 to 1
   * @param done part of the whole training that is done, from 0 to 1
   * @param loss mean over the epoch so far
   * @param accuracy over the epoch so far
   * @param imagesPerSecond over the epoch so far
   * @param secondsLeft an estimate
   */
  record Status(
      long epoch,
      double part,
      double done,
      double loss,
      double accuracy,
      double imagesPerSecond,
      double secondsLeft) {}

  void step(Status status);

  /**
   * After an epoch and its validation.
   *
   * @param metrics of all epochs so far
   * @param best whether this one is the best
   */
  void epoch(List<Metrics> metrics, boolean best) throws RunException;
}
