package dev.tessera.engine.cpu;

/**
 * The gradient of attention.
 *
 * <p>A head's scores are computed again, {@code [queries, keys]}, and with them the gradients of
 * the probabilities, {@code dP = dO·Vᵀ}; softmax and its gradient go along the rows. What then
 * remains are products whose results are rows of the gradients as they are stored: {@code dQ =
 * dS·K}, {@code dK = dSᵀ·Q} and {@code dV = Pᵀ·dO}.
 *
 * @param gradient of the attention's result
 * @param outputs the gradients of the inputs
 */
record AttentionGradientStep(
    HeadRows heads, Projections inputs, float[] gradient, Projections outputs) implements Step {
  /** Query, key and value or their gradients, {@code [batch, queries or keys, hidden]}. */
  record Projections(float[] query, float[] key, float[] value) {}

  @Override
  public void run(WorkerPool pool, Kernels kernels) {
    heads.each(
        pool,
        4,
        (image, queryRow, keyRow, s) -> {
          heads.scores(inputs.query, queryRow, inputs.key, keyRow, s.scores, s, kernels);
          heads.scores(gradient, queryRow, inputs.value, keyRow, s.gradients, s, kernels);
          heads.exponentials(image, s.scores, s);
          VectorGradients.softmax(
              s.scores, s.gradients, s.stride, s.vectors, heads.sizes().queries(), heads.scale());
          heads.byQuery(s.gradients, inputs.key, keyRow, outputs.query, queryRow, s, kernels);
          heads.byKey(s.gradients, inputs.query, queryRow, outputs.key, keyRow, s, kernels);
          heads.byKey(s.scores, gradient, queryRow, outputs.value, keyRow, s, kernels);
        });
  }
}
