package dev.tessera.train;

/**
 * How one parameter is trained.
 *
 * @param trained false for a frozen parameter
 * @param learningRateScale factor of the learning rate
 * @param weightDecay 0 for parameters that weight decay spares
 */
public record ParameterRule(boolean trained, double learningRateScale, double weightDecay) {
  /** A parameter that stays as it is. */
  public static final ParameterRule FROZEN = new ParameterRule(false, 0, 0);
}
