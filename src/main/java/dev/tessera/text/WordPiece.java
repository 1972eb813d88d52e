package dev.tessera.text;

/**
 * BERT's subwords: the longest token that a word begins with, then the longest that its rest begins
 * with, and so on; a word that cannot be taken apart so is unknown as a whole (Wu et al.,
 * arXiv:1609.08144; Devlin et al., arXiv:1810.04805).
 *
 * @param vocabulary tokens that go on within a word begin with {@code prefix}
 * @param unknown id of what is not in the vocabulary
 * @param prefix such as ##
 * @param maxCharacters longer words are unknown
 * @param longest characters of the longest token
 */
record WordPiece(Vocabulary vocabulary, int unknown, String prefix, int maxCharacters, int longest)
    implements SubwordModel {
  WordPiece(Vocabulary vocabulary, int unknown, String prefix, int maxCharacters) {
    this(vocabulary, unknown, prefix, maxCharacters, vocabulary.longest());
  }

  @Override
  public void encode(String word, Ids ids) {
    if (word.codePointCount(0, word.length()) > maxCharacters) {
      ids.add(unknown);
      return;
    }
    int before = ids.size();
    int from = 0;
    while (from < word.length()) {
      String lead = from == 0 ? "" : prefix;
      int to = Math.min(word.length(), from + longest);
      int id = -1;
      while (to > from) {
        id = vocabulary.id(lead.concat(word.substring(from, to)));
        if (id >= 0) {
          break;
        }
        to--;
      }
      if (id < 0) {
        ids.truncate(before);
        ids.add(unknown);
        return;
      }
      ids.add(id);
      from = to;
    }
  }
}
