package dev.tessera.model;

import java.util.Locale;

/** What of a model's output stands for a whole picture. */
public enum Pooling {
  /** The class token after the last normalisation. */
  CLS("last_hidden_state"),

  /** The mean of the patches after the last normalisation, without class token and registers. */
  MEAN("last_hidden_state"),

  /**
   * What the model calls {@code pooler_output}: a trained pooler, or the pooling it is made for.
   */
  POOLER("pooler_output"),

  /** The projection into the space that images share with texts, {@code image_embeds}. */
  PROJECTION("image_embeds");

  private final String output;

  Pooling(String output) {
    this.output = output;
  }

  /** The output of the model's graph that is pooled. */
  String output() {
    return output;
  }

  /** What {@link #toString} calls {@code name}. */
  public static Pooling named(String name) {
    return valueOf(name.toUpperCase(Locale.ROOT));
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
