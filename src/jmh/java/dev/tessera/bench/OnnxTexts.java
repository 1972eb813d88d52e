package dev.tessera.bench;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Vectors of texts by ONNX Runtime on the CPU, as sentence-transformers has it do them: sorted by
 * length, some at a time, padded to the longest of each, and the mean of the tokens made to have
 * length 1.
 */
final class OnnxTexts implements AutoCloseable {
  private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
  private final OrtSession session;
  private final int batch;

  /**
   * @param batch texts at once
   */
  OnnxTexts(Path model, int threads, int batch) throws OrtException {
    this.batch = batch;
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
      options.setIntraOpNumThreads(threads);
      options.setInterOpNumThreads(1);
      options.addConfigEntry("session.force_spinning_stop", "1");
      session = environment.createSession(model.toString(), options);
    }
  }

  float[][] embed(List<int[]> texts) throws OrtException {
    int[] order =
        IntStream.range(0, texts.size())
            .boxed()
            .sorted(Comparator.comparingInt(i -> -texts.get(i).length))
            .mapToInt(i -> i)
            .toArray();
    float[][] vectors = new float[order.length][];
    for (int from = 0; from < order.length; from += batch) {
      int rows = Math.min(batch, order.length - from);
      int tokens = texts.get(order[from]).length;
      long[] ids = new long[rows * tokens];
      long[] mask = new long[ids.length];
      long[] positions = new long[ids.length];
      for (int row = 0; row < rows; row++) {
        int[] text = texts.get(order[from + row]);
        for (int t = 0; t < tokens; t++) {
          positions[row * tokens + t] = t;
          if (t < text.length) {
            ids[row * tokens + t] = text[t];
            mask[row * tokens + t] = 1;
          }
        }
      }
      try (OnnxTensor a = tensor(ids, rows, tokens);
          OnnxTensor b = tensor(mask, rows, tokens);
          OnnxTensor c = tensor(positions, rows, tokens);
          OrtSession.Result result =
              session.run(Map.of("input_ids", a, "attention_mask", b, "position_ids", c))) {
        FloatBuffer sequence = ((OnnxTensor) result.get(0)).getFloatBuffer();
        int width = sequence.remaining() / (rows * tokens);
        for (int row = 0; row < rows; row++) {
          vectors[order[from + row]] =
              mean(sequence, row * tokens * width, texts.get(order[from + row]).length, width);
        }
      }
    }
    return vectors;
  }

  private OnnxTensor tensor(long[] values, int rows, int tokens) throws OrtException {
    return OnnxTensor.createTensor(environment, LongBuffer.wrap(values), new long[] {rows, tokens});
  }

  private static float[] mean(FloatBuffer sequence, int offset, int tokens, int width) {
    float[] all = new float[tokens * width];
    sequence.get(offset, all);
    double[] sums = new double[width];
    for (int i = 0; i < all.length; i++) {
      sums[i % width] += all[i];
    }
    double squares = 0;
    for (double sum : sums) {
      squares += sum * sum;
    }
    float[] vector = new float[width];
    for (int d = 0; d < width; d++) {
      vector[d] = (float) (sums[d] / Math.sqrt(squares));
    }
    return vector;
  }

  @Override
  public void close() throws OrtException {
    session.close();
  }
}
