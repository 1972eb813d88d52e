package dev.tessera.train;

/**
 * How one parameter is trained.
 *
 * @param trained false for a frozen parameter
 * @param learningRateScale factor of the learning rate
 * @param weightDecay 0 for parameters that weight decay spares
 * @param hidden whether it is a matrix between layers of features, which {@link Optimizer.Muon}
 *     makes its own steps for
 */
public record ParameterRule(
    boolean trained, double learningRateScale, double weightDecay, boolean hidden) {
  /** A parameter that stays as it is. */
  public static final ParameterRule FROZEN = new ParameterRule(false, 0, 0);

  /** One that no optimiser treats differently. */
  public ParameterRule(boolean trained, double learningRateScale, double weightDecay) {
    this(trained, learningRateScale, weightDecay, false);
  }
}
