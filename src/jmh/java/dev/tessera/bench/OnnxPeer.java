package dev.tessera.bench;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.tessera.tensor.Tensor;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;

/** ONNX Runtime on the CPU, all graph optimisations on, with an input that it reads in place. */
final class OnnxPeer implements AutoCloseable {
  private final OrtSession session;
  private final OnnxTensor pixels;

  OnnxPeer(Path model, Tensor pixelValues, int threads) throws OrtException {
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
      options.setIntraOpNumThreads(threads);
      options.setInterOpNumThreads(1);
      // Its threads spin while a run lasts, as they do by default, but not into the other's turn.
      options.addConfigEntry("session.force_spinning_stop", "1");
      session = environment.createSession(model.toString(), options);
    }
    pixels =
        OnnxTensor.createTensor(
            environment,
            pixelValues.data().asByteBuffer().order(ByteOrder.nativeOrder()).asFloatBuffer(),
            Arrays.stream(pixelValues.shape().toArray()).asLongStream().toArray());
  }

  static String version() {
    return OrtEnvironment.getEnvironment().getVersion();
  }

  float[] logits() throws OrtException {
    try (OrtSession.Result result = session.run(Map.of("pixel_values", pixels))) {
      OnnxTensor logits = (OnnxTensor) result.get(0);
      float[] values = new float[(int) logits.getInfo().getNumElements()];
      logits.getFloatBuffer().get(values);
      return values;
    }
  }

  @Override
  public void close() throws OrtException {
    pixels.close();
    session.close();
  }
}
