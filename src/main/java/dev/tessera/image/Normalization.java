package dev.tessera.image;

import java.util.Arrays;

/**
 * What becomes of a sample of 0 to 255, as one table per channel, so that rescaling and normalising
 * a pixel are one load.
 *
 * @param levels {@code [channels][256]}
 * @param description for people, such as {@code x/255, mean 0.5, std 0.5}
 */
record Normalization(float[][] levels, String description) {
  /**
   * transformers' steps and precisions: {@code float(x * scale) - offset}, then {@code (x - mean) /
   * std} in single precision.
   *
   * @param scale what samples are multiplied by; 1 for none
   * @param offset subtracted after scaling
   * @param mean one per channel, or empty for no normalisation
   */
  static Normalization of(int channels, double scale, double offset, double[] mean, double[] std) {
    float[][] levels = new float[channels][256];
    for (int c = 0; c < channels; c++) {
      for (int i = 0; i < 256; i++) {
        float value = (float) (i * scale - offset);
        levels[c][i] = mean.length == 0 ? value : (value - (float) mean[c]) / (float) std[c];
      }
    }
    StringBuilder text = new StringBuilder();
    if (Math.abs(scale * 255 - 1) < 1e-9) {
      text.append("x/255");
    } else {
      text.append(scale == 1 ? "x" : "x*" + scale);
    }
    if (offset != 0) {
      text.append(" - ").append(offset);
    }
    if (mean.length > 0) {
      text.append(", mean ").append(list(mean)).append(", std ").append(list(std));
    }
    return new Normalization(levels, text.toString());
  }

  /** RGB of the pixel that becomes nearest to 0. */
  byte[] meanColor() {
    byte[] color = new byte[3];
    for (int c = 0; c < 3; c++) {
      float[] table = levels[Math.min(c, levels.length - 1)];
      int best = 0;
      for (int i = 1; i < table.length; i++) {
        best = Math.abs(table[i]) < Math.abs(table[best]) ? i : best;
      }
      color[c] = (byte) best;
    }
    return color;
  }

  private static String list(double[] values) {
    boolean equal = Arrays.stream(values).allMatch(v -> v == values[0]);
    return equal ? String.valueOf(values[0]) : Arrays.toString(values);
  }
}
