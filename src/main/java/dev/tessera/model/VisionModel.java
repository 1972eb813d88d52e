package dev.tessera.model;

import dev.tessera.graph.Graph;

/** What an image model computes, described without its weights. */
sealed interface VisionModel permits Vit, Deit, Dinov2, TimmVit {
  /** The model's class in {@code transformers}, or {@code timm/} and the name there. */
  String architecture();

  /** From pixels to tokens; knows the size of the images that the model was made for. */
  Embeddings embeddings();

  /** The stack of blocks. */
  Encoder encoder();

  /** How many labels the classifier tells apart; 0 without a classifier. */
  int labels();

  /** What stands for a picture where nobody says otherwise. */
  default Pooling pooling() {
    return Pooling.CLS;
  }

  /**
   * From how many leading tokens the answer is read: mostly one, the class token; 0 where it is
   * read from the patches.
   */
  default int answerTokens() {
    return 1;
  }

  /**
   * The graph for images of one size.
   *
   * @param batch how many images at once
   * @param height in pixels, at least one patch; need not be the size the model was trained with
   * @param width in pixels
   * @return a graph with the input {@code pixel_values} {@code [batch, channels, height, width]}
   */
  Graph graph(int batch, int height, int width, Outputs outputs);
}
