package dev.tessera.train;

import java.util.List;

/**
 * How gradients become steps. Weight decay belongs to the parameters: see {@link ParameterRule}.
 */
public sealed interface Optimizer {
  /** The arrays that it keeps for every parameter, by the prefix of their names. */
  List<String> slots();

  /**
   * Adam with decoupled weight decay (Loshchilov and Hutter, arXiv:1711.05101).
   *
   * @param beta1 decay of the running mean of gradients
   * @param beta2 decay of the running mean of their squares
   * @param epsilon added to the root of the latter
   */
  record AdamW(double beta1, double beta2, double epsilon) implements Optimizer {
    /** As {@code torch.optim.AdamW} has them. */
    public static final AdamW DEFAULT = new AdamW(0.9, 0.999, 1e-8);

    @Override
    public List<String> slots() {
      return ADAM_SLOTS;
    }
  }

  /** Adam (Kingma and Ba, arXiv:1412.6980); weight decay is added to the gradients. */
  record Adam(double beta1, double beta2, double epsilon) implements Optimizer {
    @Override
    public List<String> slots() {
      return ADAM_SLOTS;
    }
  }

  /**
   * Stochastic gradient descent; weight decay is added to the gradients.
   *
   * @param momentum 0 for none
   * @param nesterov whether the gradient is looked at one step of momentum ahead
   */
  record Sgd(double momentum, boolean nesterov) implements Optimizer {
    @Override
    public List<String> slots() {
      return momentum == 0 ? List.of() : List.of("optimizer/momentum/");
    }
  }

  /** What {@link AdamW} and {@link Adam} keep: the running means of gradients and of squares. */
  List<String> ADAM_SLOTS = List.of("optimizer/first/", "optimizer/second/");
}
