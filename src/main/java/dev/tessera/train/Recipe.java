package dev.tessera.train;

import java.math.BigDecimal;
import java.math.MathContext;

/**
 * What a training does where nobody said: settings for the size of the data and of the model, so
 * that the plain command is a good one. They follow what ViT, DeiT and timm's recipes do (Steiner
 * et al., arXiv:2106.10270; Touvron et al., arXiv:2012.12877), scaled down to small data.
 *
 * @param epochs passes over the data
 * @param batchSize images in a batch
 * @param learningRate highest, of AdamW
 * @param warmup share of the training in which the learning rate rises
 * @param layerDecay of the learning rate, layer by layer
 * @param ema of the weights; 0 for none
 * @param stochasticDepth of the last block
 * @param mixup strength
 * @param cutmix strength
 * @param erasing probability
 */
public record Recipe(
    int epochs,
    int batchSize,
    double learningRate,
    double weightDecay,
    double warmup,
    double labelSmoothing,
    double layerDecay,
    double ema,
    double stochasticDepth,
    double mixup,
    double cutmix,
    double erasing) {
  /** How much of a model is new. */
  public enum Start {
    /** All of it. */
    SCRATCH,
    /** Only its head, perhaps. */
    TRAINED,
    /** Only its head is trained. */
    HEAD
  }

  private static final MathContext DIGITS = new MathContext(6);

  /** Images seen in a training from scratch, and in one of a trained model. */
  private static final double FROM_SCRATCH = 2_000_000;

  private static final double FINE_TUNING = 200_000;

  /** Images that are few enough to be seen so often that they must be mixed to stay interesting. */
  private static final int FEW_IMAGES = 20_000;

  /**
   * The recipe for some data and a model.
   *
   * @param images to train on
   * @param imageSize height in pixels
   * @param hidden width of a token
   * @param layers Transformer blocks
   */
  public static Recipe of(Start start, int images, int imageSize, int hidden, int layers) {
    boolean scratch = start == Start.SCRATCH;
    int epochs =
        scratch
            ? (int) Math.clamp(Math.round(FROM_SCRATCH / images), 20L, 300L)
            : (int) Math.clamp(Math.round(FINE_TUNING / images), 3L, 30L);
    // A power of two that makes about 30 updates an epoch, within what memory and speed suggest.
    int most = imageSize <= 96 ? 128 : 32;
    int batchSize = Math.clamp(Integer.highestOneBit(Math.max(1, images / 30)), 8, most);
    double scale = Math.sqrt(batchSize / 128.0) * Math.sqrt(Math.min(1, 192.0 / hidden));
    double learningRate =
        switch (start) {
          case SCRATCH -> 1e-3 * scale;
          case TRAINED -> 5e-4 * scale;
          case HEAD -> 5e-3 * Math.sqrt(batchSize / 128.0);
        };
    boolean mixed = scratch && images < FEW_IMAGES;
    return new Recipe(
        epochs,
        batchSize,
        rounded(learningRate),
        0.05,
        0.05,
        start == Start.HEAD ? 0 : 0.1,
        start == Start.TRAINED ? 0.75 : 1,
        average(start, (long) epochs * Math.max(1, images / batchSize)),
        scratch && layers >= 6 ? 0.1 : 0,
        mixed ? 0.2 : 0,
        mixed ? 1 : 0,
        scratch ? 0.1 : 0);
  }

  /**
   * The moving average of the weights for a training of {@code updates} updates: over the last
   * hundredth of it, if it is long enough to have one.
   */
  public static double average(Start start, long updates) {
    return start == Start.HEAD || updates < 2000
        ? 0
        : BigDecimal.ONE
            .subtract(new BigDecimal(rounded(100.0 / updates)))
            .round(DIGITS)
            .doubleValue();
  }

  /** Two digits: what a person would write. */
  private static double rounded(double value) {
    return new BigDecimal(value).round(new MathContext(2)).doubleValue();
  }
}
