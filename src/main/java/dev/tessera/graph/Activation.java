package dev.tessera.graph;

/** Elementwise non-linearities, under the names that {@code hidden_act} has in a config.json. */
public enum Activation {
  /** x. */
  IDENTITY,
  /** x·Φ(x) with the exact Gaussian distribution function: 0.5·x·(1 + erf(x/√2)). */
  GELU,
  /** 0.5·x·(1 + tanh(√(2/π)·(x + 0.044715·x³))): {@code gelu_new}, {@code gelu_pytorch_tanh}. */
  GELU_TANH,
  /** x·σ(1.702·x), as CLIP was trained with. */
  QUICK_GELU,
  /** max(x, 0). */
  RELU,
  /** x·σ(x), also called swish. */
  SILU,
  TANH,
  SIGMOID
}
