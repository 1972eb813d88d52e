package dev.tessera.data;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What images of a data set are for. */
public enum Part {
  /** The data set is not divided. */
  ALL,
  TRAIN,
  VALIDATION,
  TEST;

  /** The part that a folder or a column calls {@code name}, or null. */
  static @Nullable Part of(String name) {
    return switch (name.toLowerCase(Locale.ROOT)) {
      case "train", "training" -> TRAIN;
      case "val", "valid", "validation", "dev" -> VALIDATION;
      case "test", "testing", "t10k" -> TEST;
      default -> null;
    };
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
