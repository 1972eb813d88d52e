package dev.tessera.model;

import dev.tessera.graph.GraphBuilder;
import dev.tessera.graph.Value;
import dev.tessera.model.ModelConfig.Size;
import dev.tessera.tensor.Shape;
import java.util.ArrayList;
import java.util.List;

/**
 * From pixels to tokens: {@code [batch, channels, height, width]} to {@code [batch, tokens,
 * hidden]}. Images are cut into patches, each projected to a token; learned tokens stand before
 * them; learned positions are added, resampled where the grid of patches is another one than that
 * which the model was trained with (ViT, arXiv:2010.11929, section 3.2).
 *
 * @param prefix the base model's name: parameters are {@code prefix.embeddings.*}
 * @param channels of the images
 * @param image the size the positions were trained for
 * @param patch the size of a patch
 * @param hidden width of a token
 * @param patchBias whether the projection has a bias
 * @param tokens the learned tokens, in their order before the patches
 * @param positions how positions of another grid are made
 * @param names what the checkpoint calls them
 */
record Embeddings(
    String prefix,
    int channels,
    Size image,
    Size patch,
    int hidden,
    boolean patchBias,
    List<Token> tokens,
    Positions positions,
    Names names) {
  Embeddings {
    tokens = List.copyOf(tokens);
  }

  /** Embeddings with ViT's names. */
  Embeddings(
      String prefix,
      int channels,
      Size image,
      Size patch,
      int hidden,
      boolean patchBias,
      List<Token> tokens,
      Positions positions) {
    this(prefix, channels, image, patch, hidden, patchBias, tokens, positions, Names.VIT);
  }

  /**
   * Names after {@code prefix.embeddings.}.
   *
   * @param flat whether the checkpoint has positions as {@code [positions, hidden]} and a token as
   *     {@code [hidden]}
   */
  record Names(String projection, String positions, boolean flat) {
    static final Names VIT = new Names("patch_embeddings.projection", "position_embeddings", false);
    static final Names CLIP = new Names("patch_embedding", "position_embedding.weight", true);
  }

  /**
   * Learned tokens before the patches.
   *
   * @param name the parameter {@code [1, count, hidden]}, after {@code prefix.embeddings.}
   * @param positioned whether they have learned positions, which stand before those of the patches
   */
  record Token(String name, int count, boolean positioned) {}

  /** How the positions of another grid than the trained one are made. */
  enum Positions {
    /** As {@code ViTModel} with {@code interpolate_pos_encoding}: for any other image size. */
    RESIZED,
    /** As {@code Dinov2Model}: unless the image is square and has as many patches. */
    ALWAYS,
    /** As {@code Dinov2WithRegistersModel}: like {@link #ALWAYS}, antialiased. */
    ALWAYS_ANTIALIASED,
    /** As timm: for any other grid, antialiased, from a grid that need not be square. */
    TIMM
  }

  /** Rows and columns of patches in an image of {@code height} × {@code width} pixels. */
  Size grid(int height, int width) {
    return new Size(height / patch.height(), width / patch.width());
  }

  /** How many learned tokens stand before the patches. */
  int tokenCount() {
    return tokens.stream().mapToInt(Token::count).sum();
  }

  /** Declares {@code pixel_values} and appends its embeddings, the first of the stages. */
  Value input(GraphBuilder graph, int batch, int height, int width, Outputs outputs) {
    Value x = input(graph, batch, height, width);
    return outputs == Outputs.STAGES ? graph.output("embeddings_out", x) : x;
  }

  /** Declares {@code pixel_values} and appends its embeddings. */
  Value input(GraphBuilder graph, int batch, int height, int width) {
    return apply(graph, graph.input("pixel_values", Shape.of(batch, channels(), height, width)));
  }

  /** A learned array {@code [1, rows, hidden]}, which the checkpoint may have without the ones. */
  private Value learned(GraphBuilder graph, String name, int rows) {
    Shape shape = Shape.of(1, rows, hidden);
    if (!names.flat()) {
      return graph.parameter(prefix + ".embeddings." + name, shape);
    }
    boolean token = !name.equals(names.positions());
    Shape flat = token && rows == 1 ? Shape.of(hidden) : Shape.of(rows, hidden);
    return graph.reshape(graph.parameter(prefix + ".embeddings." + name, flat), shape);
  }

  /** The learned positions, as images of another size see them: {@code [1, positions, hidden]}. */
  Value positions(GraphBuilder graph, int height, int width) {
    Size trained = grid(image.height(), image.width());
    int patchPositions = trained.height() * trained.width();
    int positioned = tokens.stream().filter(Token::positioned).mapToInt(Token::count).sum();
    Value learned = learned(graph, names.positions(), positioned + patchPositions);
    if (positioned == 0) {
      return resized(graph, learned, trained, height, width);
    }
    Value ofPatches = graph.slice(learned, 1, positioned, positioned + patchPositions);
    return graph.concat(
        List.of(
            graph.slice(learned, 1, 0, positioned),
            resized(graph, ofPatches, trained, height, width)));
  }

  /** Appends the embeddings of {@code pixels}. */
  private Value apply(GraphBuilder graph, Value pixels) {
    String base = prefix + ".embeddings.";
    int height = pixels.shape().extent(2);
    int width = pixels.shape().extent(3);
    Value patches =
        graph.linear(
            graph.patches(pixels, patch.height(), patch.width()),
            base + names.projection(),
            hidden,
            patchBias);

    Size trained = grid(image.height(), image.width());
    int patchPositions = trained.height() * trained.width();
    int positioned = tokens.stream().filter(Token::positioned).mapToInt(Token::count).sum();
    Value learned = learned(graph, names.positions(), positioned + patchPositions);
    Value ofPatches =
        positioned == 0
            ? learned
            : graph.slice(learned, 1, positioned, positioned + patchPositions);
    Value embedded = graph.add(patches, resized(graph, ofPatches, trained, height, width));

    List<Value> parts = new ArrayList<>();
    int position = 0;
    for (Token token : tokens) {
      Value value = learned(graph, token.name(), token.count());
      if (token.positioned()) {
        value = graph.add(value, graph.slice(learned, 1, position, position + token.count()));
        position += token.count();
      }
      parts.add(value);
    }
    parts.add(embedded);
    return parts.size() == 1 ? embedded : graph.concat(parts);
  }

  private Value resized(GraphBuilder graph, Value grid, Size trained, int height, int width) {
    Size wanted = grid(height, width);
    int count = trained.height() * trained.width();
    boolean trainedSize = height == image.height() && width == image.width();
    boolean asMany = wanted.height() * wanted.width() == count && height == width;
    // transformers takes the trained grid for square; only where it cannot be does it matter here.
    int side = (int) Math.sqrt(count);
    Size from = side * side == count ? new Size(side, side) : trained;
    return switch (positions) {
      case RESIZED -> trainedSize || asMany ? grid : resize(graph, grid, from, wanted, false);
      case ALWAYS -> asMany ? grid : resize(graph, grid, from, wanted, false);
      case ALWAYS_ANTIALIASED -> asMany ? grid : resize(graph, grid, from, wanted, true);
      case TIMM -> resize(graph, grid, trained, wanted, true);
    };
  }

  private static Value resize(
      GraphBuilder graph, Value grid, Size from, Size to, boolean antialias) {
    return graph.resizePositions(
        grid, from.height(), from.width(), to.height(), to.width(), antialias);
  }
}
