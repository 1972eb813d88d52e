package dev.tessera.engine;

import java.util.Locale;

/**
 * How many bits the factors of matrix products keep. Sums and everything else are single precision
 * in any case.
 */
public enum Precision {
  /** 24 significant bits: what every engine has. */
  FP32,
  /** 11 significant bits, the exponents of single precision: NVIDIA's TensorFloat-32. */
  TF32,
  /** 11 significant bits, at most 65 504; not for training. */
  FP16;

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
