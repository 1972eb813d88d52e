package dev.tessera.model;

/** What a model's graph returns. */
public enum Outputs {
  /** Only the last thing that the model computes: {@code logits}, or features where it has none. */
  RESULT,
  /**
   * Every stage, for comparing implementations: {@code embeddings_out}, {@code layer_N_out}, {@code
   * attn_layer_N} (probabilities, {@code [batch, heads, tokens, tokens]}), {@code
   * last_hidden_state} and what the model's head computes.
   */
  STAGES
}
