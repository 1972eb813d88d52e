package dev.tessera.graph;

import org.jspecify.annotations.Nullable;

/**
 * What a {@link Op.Linear} does with its product before it is stored: {@code residual + scale ∘
 * activation(x·Wᵀ + b)}. {@link Fusion} fills it in; a builder starts with {@link #NONE}.
 *
 * <p>An activation excludes the other two: no Transformer has both, and engines may then fold the
 * scale into the weights and start the sum from the residual.
 *
 * @param activation applied first
 * @param scale LayerScale: one factor for each output feature, [features], or null
 * @param residual added last, of the output's shape, or null
 */
public record Epilogue(Activation activation, @Nullable Value scale, @Nullable Value residual) {
  public static final Epilogue NONE = new Epilogue(Activation.IDENTITY, null, null);

  public Epilogue {
    if (activation != Activation.IDENTITY && (scale != null || residual != null)) {
      throw new IllegalArgumentException("an epilogue has an activation or a sum, not both");
    }
  }
}
