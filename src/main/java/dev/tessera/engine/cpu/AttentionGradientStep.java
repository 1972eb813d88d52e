package dev.tessera.engine.cpu;

import dev.tessera.engine.cpu.AttentionStep.Sizes;

/**
 * The gradient of attention, one head of one image a task.
 *
 * <p>A head's scores are computed again, {@code [queries, keys]}, and with them the gradients of
 * the probabilities, {@code dP = dO·Vᵀ}; softmax and its gradient go along the rows. What then
 * remains are products whose results are rows of the gradients as they are stored: {@code dQ =
 * dS·K}, {@code dK = dSᵀ·Q} and {@code dV = Pᵀ·dO}.
 */
final class AttentionGradientStep implements Step {
  /** Query, key and value or their gradients, {@code [batch, queries or keys, hidden]}. */
  record Projections(float[] query, float[] key, float[] value) {}

  private final HeadRows rows;
  private final Projections inputs;
  private final float[] gradient;
  private final Projections outputs;
  private final HeadRows.Scratch[] scratch;

  /**
   * @param gradient of the attention's result
   * @param outputs the gradients of the inputs
   * @param scratch one for each worker
   */
  AttentionGradientStep(
      HeadRows rows,
      Projections inputs,
      float[] gradient,
      Projections outputs,
      HeadRows.Scratch[] scratch) {
    this.rows = rows;
    this.inputs = inputs;
    this.gradient = gradient;
    this.outputs = outputs;
    this.scratch = scratch;
  }

  @Override
  public void run(WorkerPool pool, Kernels kernels) {
    Sizes sizes = rows.sizes();
    pool.run(
        sizes.batch() * sizes.heads(),
        4 * sizes.products() / LinearStep.PRODUCTS_PER_NANOSECOND,
        (worker, task) ->
            head(task / sizes.heads(), task % sizes.heads(), scratch[worker], kernels));
  }

  private void head(int image, int head, HeadRows.Scratch s, Kernels kernels) {
    Sizes sizes = rows.sizes();
    int queryRow = rows.start(image, head, sizes.queries());
    int keyRow = rows.start(image, head, sizes.keys());
    rows.scores(inputs.query, queryRow, inputs.key, keyRow, s.scores, s, kernels);
    rows.scores(gradient, queryRow, inputs.value, keyRow, s.gradients, s, kernels);
    rows.exponentials(image, s.scores, s);
    VectorGradients.softmax(
        s.scores, s.gradients, s.stride, s.vectors, sizes.queries(), rows.scale());
    rows.byQuery(s.gradients, inputs.key, keyRow, outputs.query, queryRow, s, kernels);
    rows.byKey(s.gradients, inputs.query, queryRow, outputs.key, keyRow, s, kernels);
    rows.byKey(s.scores, gradient, queryRow, outputs.value, keyRow, s, kernels);
  }
}
