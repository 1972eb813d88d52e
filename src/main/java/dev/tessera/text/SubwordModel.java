package dev.tessera.text;

/** Takes words apart into the tokens of its vocabulary. */
interface SubwordModel {
  /** Adds the ids of the tokens of one word, which is not empty. */
  void encode(String word, Ids ids);

  Vocabulary vocabulary();
}
