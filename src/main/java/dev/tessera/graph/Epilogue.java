package dev.tessera.graph;

import org.jspecify.annotations.Nullable;

/**
 * What a {@link Op.Linear} does with its product before it is stored: {@code residual + scale ∘
 * activation(x·Wᵀ + b)}. {@link Fusion} fills it in; a builder starts with {@link #NONE}.
 *
 * @param activation applied first
 * @param scale LayerScale: one factor for each output feature, [features], or null
 * @param residual added last, of the output's shape, or null
 */
public record Epilogue(Activation activation, @Nullable Value scale, @Nullable Value residual) {
  public static final Epilogue NONE = new Epilogue(Activation.IDENTITY, null, null);
}
