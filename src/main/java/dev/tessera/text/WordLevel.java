package dev.tessera.text;

/**
 * Whole words.
 *
 * @param unknown id of what is not in the vocabulary
 */
record WordLevel(Vocabulary vocabulary, int unknown) implements SubwordModel {
  @Override
  public void encode(String word, Ids ids) {
    int id = vocabulary.id(word);
    ids.add(id < 0 ? unknown : id);
  }
}
