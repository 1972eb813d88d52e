package dev.tessera.engine.cpu;

/**
 * Multi-head attention in a training: {@code O = softmax(Q·Kᵀ)·V} with the queries as rows, as its
 * gradient has them. {@link AttentionStep} turns all of its operands round, which a long sequence
 * does not feel and a short one does; this needs kernels that the JIT would have to compile for a
 * single image.
 */
record AttentionRowsStep(HeadRows heads, float[] query, float[] key, float[] value, float[] output)
    implements Step {
  @Override
  public void run(WorkerPool pool, Kernels kernels) {
    heads.each(
        pool,
        1,
        (image, queryRow, keyRow, s) -> {
          heads.scores(query, queryRow, key, keyRow, s.scores, s, kernels);
          heads.exponentials(image, s.scores, s);
          VectorGradients.normalize(s.scores, s.stride, s.vectors, heads.sizes().queries());
          heads.byQuery(s.scores, value, keyRow, output, queryRow, s, kernels);
        });
  }
}
