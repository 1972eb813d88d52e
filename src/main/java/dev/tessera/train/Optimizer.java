package dev.tessera.train;

import java.util.List;

/**
 * How gradients become steps. Weight decay belongs to the parameters: see {@link ParameterRule}.
 */
public sealed interface Optimizer {
  /** The arrays that it keeps for every parameter of its own, by the prefix of their names. */
  List<String> slots();

  /** The optimiser of a parameter: this one, or another that it leaves the parameter to. */
  default Optimizer of(ParameterRule rule) {
    return this;
  }

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

  /**
   * Momentum whose steps are made orthogonal, for the matrices between layers of features (Jordan
   * et al., 2024), as {@code torch.optim.Muon} computes it but in F32: {@code b = momentum·b + (1 −
   * momentum)·g}, then a step along the orthogonal matrix nearest to {@code momentum·b + (1 −
   * momentum)·g}, times {@code 0.2·√max(out, in)}: as long as AdamW's steps usually are, so that
   * both share one learning rate (Liu et al., arXiv:2502.16982). Weights decay by themselves. The
   * gradient's length has no effect on a step, so it is not limited.
   *
   * @param others what trains embeddings, classifier, biases and normalisations
   */
  record Muon(double momentum, AdamW others) implements Optimizer {
    @Override
    public List<String> slots() {
      return List.of("optimizer/momentum/");
    }

    @Override
    public Optimizer of(ParameterRule rule) {
      return rule.hidden() ? this : others;
    }
  }
}
