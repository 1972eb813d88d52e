package dev.tessera.train;

import java.util.List;

/**
 * How gradients become steps. Weight decay belongs to the parameters: see {@link ParameterRule}.
 */
public sealed interface Optimizer {
  /** The arrays that it keeps for every parameter, by the prefix of their names. */
  List<String> slots();

  /** What keeps running means of the gradients and of their squares. */
  sealed interface Moments extends Optimizer {
    /** Decay of the mean of gradients. */
    double beta1();

    /** Decay of the mean of their squares. */
    double beta2();

    /** Added to the root of the latter. */
    double epsilon();

    /** Whether weights decay by themselves rather than as a part of the gradients. */
    boolean decoupled();

    @Override
    default List<String> slots() {
      return List.of("optimizer/first/", "optimizer/second/");
    }
  }

  /**
   * Adam with decoupled weight decay (Loshchilov and Hutter, arXiv:1711.05101).
   *
   * @param beta1 decay of the running mean of gradients
   * @param beta2 decay of the running mean of their squares
   * @param epsilon added to the root of the latter
   */
  record AdamW(double beta1, double beta2, double epsilon) implements Moments {
    /** As {@code torch.optim.AdamW} has them. */
    public static final AdamW DEFAULT = new AdamW(0.9, 0.999, 1e-8);

    @Override
    public boolean decoupled() {
      return true;
    }
  }

  /** Adam (Kingma and Ba, arXiv:1412.6980); weight decay is added to the gradients. */
  record Adam(double beta1, double beta2, double epsilon) implements Moments {
    @Override
    public boolean decoupled() {
      return false;
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
}
