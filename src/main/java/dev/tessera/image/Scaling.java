package dev.tessera.image;

/**
 * How large a picture is made before it is cropped. The formulas, with their truncations, are those
 * of {@code transformers.image_transforms} and {@code torchvision.transforms}.
 */
sealed interface Scaling {
  /** {@code {height, width}} of a {@code height} by {@code width} picture after scaling. */
  int[] target(int height, int width);

  /** No resize at all. */
  record Keep() implements Scaling {
    @Override
    public int[] target(int height, int width) {
      return new int[] {height, width};
    }

    @Override
    public String toString() {
      return "no resize";
    }
  }

  /** Exactly this size, whatever the aspect ratio. */
  record Exact(int height, int width) implements Scaling {
    @Override
    public int[] target(int fromHeight, int fromWidth) {
      return new int[] {height, width};
    }

    @Override
    public String toString() {
      return "resize to " + width + "x" + height;
    }
  }

  /** The shorter side to {@code edge}, the longer one in proportion, truncated. */
  record ShortestEdge(int edge) implements Scaling {
    @Override
    public int[] target(int height, int width) {
      int shorter = Math.min(height, width);
      int longer = fit((double) ((long) edge * Math.max(height, width)) / shorter);
      return width <= height ? new int[] {longer, edge} : new int[] {edge, longer};
    }

    @Override
    public String toString() {
      return "resize shortest edge to " + edge;
    }
  }

  /** As {@link ShortestEdge}, unless that would make the longer side exceed {@code longest}. */
  record BoundedEdges(int shortest, int longest) implements Scaling {
    @Override
    public int[] target(int height, int width) {
      double shorter = Math.min(height, width);
      double longer = Math.max(height, width);
      int edge = shortest;
      double exact = shortest;
      if (longer / shorter * shortest > longest) {
        exact = longest * shorter / longer;
        edge = (int) Math.rint(exact);
      }
      if ((height <= width && height == edge) || (width <= height && width == edge)) {
        return new int[] {height, width};
      }
      return width < height
          ? new int[] {fit(exact * height / width), Math.max(1, edge)}
          : new int[] {Math.max(1, edge), fit(exact * width / height)};
    }

    @Override
    public String toString() {
      return "resize shortest edge to " + shortest + ", longest to at most " + longest;
    }
  }

  /**
   * timm's {@code ResizeKeepRatio}: the picture just covers ({@code longest} false) or just fits
   * into the target.
   */
  record KeepRatio(int height, int width, boolean longest) implements Scaling {
    @Override
    public int[] target(int fromHeight, int fromWidth) {
      double vertical = (double) fromHeight / height;
      double horizontal = (double) fromWidth / width;
      double ratio = longest ? Math.max(vertical, horizontal) : Math.min(vertical, horizontal);
      return new int[] {fit(Math.rint(fromHeight / ratio)), fit(Math.rint(fromWidth / ratio))};
    }

    @Override
    public String toString() {
      return "resize to " + (longest ? "fit into " : "cover ") + width + "x" + height;
    }
  }

  /** A size in pixels, truncated; a side never vanishes. */
  private static int fit(double size) {
    return (int) Math.max(1, size);
  }
}
