package dev.tessera.engine.cpu;

import dev.tessera.engine.cpu.AttentionStep.Sizes;

/**
 * Multi-head attention in a training, one head of one image a task: {@code O = softmax(Q·Kᵀ)·V}
 * with the queries as rows, as its gradient has them. {@link AttentionStep} turns all of its
 * operands round, which a long sequence does not feel and a short one does; this needs kernels that
 * the JIT would have to compile for a single image.
 */
final class AttentionRowsStep implements Step {
  private final HeadRows rows;
  private final float[] query;
  private final float[] key;
  private final float[] value;
  private final float[] output;
  private final HeadRows.Scratch[] scratch;

  /**
   * @param scratch one for each worker
   */
  AttentionRowsStep(
      HeadRows rows,
      float[] query,
      float[] key,
      float[] value,
      float[] output,
      HeadRows.Scratch[] scratch) {
    this.rows = rows;
    this.query = query;
    this.key = key;
    this.value = value;
    this.output = output;
    this.scratch = scratch;
  }

  @Override
  public void run(WorkerPool pool, Kernels kernels) {
    Sizes sizes = rows.sizes();
    pool.run(
        sizes.batch() * sizes.heads(),
        sizes.products() / LinearStep.PRODUCTS_PER_NANOSECOND,
        (worker, task) ->
            head(task / sizes.heads(), task % sizes.heads(), scratch[worker], kernels));
  }

  private void head(int image, int head, HeadRows.Scratch s, Kernels kernels) {
    Sizes sizes = rows.sizes();
    int queryRow = rows.start(image, head, sizes.queries());
    int keyRow = rows.start(image, head, sizes.keys());
    rows.scores(query, queryRow, key, keyRow, s.scores, s, kernels);
    rows.exponentials(image, s.scores, s);
    VectorGradients.normalize(s.scores, s.stride, s.vectors, sizes.queries());
    rows.byQuery(s.scores, value, keyRow, output, queryRow, s, kernels);
  }
}
