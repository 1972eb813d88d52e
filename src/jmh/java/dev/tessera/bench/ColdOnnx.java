package dev.tessera.bench;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import java.awt.image.BufferedImage;
import java.awt.image.DataBufferByte;
import java.io.File;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Map;
import javax.imageio.ImageIO;

/**
 * The peer of {@code tessera classify}: the least Java that labels one image with ONNX Runtime.
 * Arguments: the image, the model, {@code ALL_OPT} or {@code NO_OPT}, session options to switch on.
 * Nothing but the JDK and ONNX Runtime is loaded, and nothing that would make it start later.
 */
public final class ColdOnnx {
  private static final int SIZE = 224;
  private static final int TOP = 5;

  private ColdOnnx() {}

  public static void main(String[] arguments) throws Exception {
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    OrtSession.SessionOptions options = new OrtSession.SessionOptions();
    options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.valueOf(arguments[2]));
    options.setIntraOpNumThreads(2);
    options.setInterOpNumThreads(1);
    for (int i = 3; i < arguments.length; i++) {
      options.addConfigEntry(arguments[i], "1");
    }
    OrtSession session = environment.createSession(arguments[1], options);

    ImageIO.setUseCache(false);
    FloatBuffer pixels = pixels(ImageIO.read(new File(arguments[0])));
    OnnxTensor tensor = OnnxTensor.createTensor(environment, pixels, new long[] {1, 3, SIZE, SIZE});
    float[][] logits = (float[][]) session.run(Map.of("pixel_values", tensor)).get(0).getValue();
    print(softmax(logits[0]));
    // The process ends here: closing the session would only add to its time.
    Runtime.getRuntime().halt(0);
  }

  /** Bilinear, two taps a direction, scaled to −1 … 1, channels first. */
  private static FloatBuffer pixels(BufferedImage image) {
    if (image.getType() != BufferedImage.TYPE_3BYTE_BGR) {
      throw new IllegalArgumentException("the benchmark's image is a colour JPEG");
    }
    byte[] bgr = ((DataBufferByte) image.getRaster().getDataBuffer()).getData();
    int width = image.getWidth();
    int height = image.getHeight();
    FloatBuffer pixels =
        ByteBuffer.allocateDirect(3 * SIZE * SIZE * 4)
            .order(ByteOrder.nativeOrder())
            .asFloatBuffer();
    for (int y = 0; y < SIZE; y++) {
      float sourceY = Math.max(0, (y + 0.5f) * height / SIZE - 0.5f);
      int top = (int) sourceY;
      int bottom = Math.min(top + 1, height - 1);
      for (int x = 0; x < SIZE; x++) {
        float sourceX = Math.max(0, (x + 0.5f) * width / SIZE - 0.5f);
        int left = (int) sourceX;
        int right = Math.min(left + 1, width - 1);
        for (int channel = 0; channel < 3; channel++) {
          int plane = 2 - channel;
          float upper =
              mix(
                  bgr[(top * width + left) * 3 + plane],
                  bgr[(top * width + right) * 3 + plane],
                  sourceX - left);
          float lower =
              mix(
                  bgr[(bottom * width + left) * 3 + plane],
                  bgr[(bottom * width + right) * 3 + plane],
                  sourceX - left);
          float value = upper + (lower - upper) * (sourceY - top);
          pixels.put((channel * SIZE + y) * SIZE + x, value / 127.5f - 1);
        }
      }
    }
    return pixels;
  }

  private static float mix(byte left, byte right, float share) {
    int from = left & 0xff;
    return from + ((right & 0xff) - from) * share;
  }

  private static float[] softmax(float[] logits) {
    float largest = Float.NEGATIVE_INFINITY;
    for (float logit : logits) {
      largest = Math.max(largest, logit);
    }
    float sum = 0;
    float[] scores = new float[logits.length];
    for (int i = 0; i < logits.length; i++) {
      scores[i] = (float) Math.exp(logits[i] - largest);
      sum += scores[i];
    }
    for (int i = 0; i < scores.length; i++) {
      scores[i] /= sum;
    }
    return scores;
  }

  private static void print(float[] scores) {
    for (int rank = 0; rank < TOP; rank++) {
      int best = 0;
      for (int i = 0; i < scores.length; i++) {
        best = scores[i] > scores[best] ? i : best;
      }
      System.out.println("class_" + best + " " + scores[best]);
      scores[best] = -1;
    }
  }
}
