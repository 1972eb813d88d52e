package dev.tessera.text;

import dev.tessera.text.SentencePieceModel.Piece;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A {@code spiece.model}, as sentencepiece itself uses it (Kudo and Richardson, arXiv:1808.06226).
 */
final class SentencePieceTokenizer implements Tokenizer {
  private final SentencePieceModel model;
  private final Template template;
  private final int padId;
  private final int maxLength;
  private final SentencePieceNormalizer normalizer;
  private final Map<String, Integer> ids = new HashMap<>();
  private final Map<String, Integer> reserved = new HashMap<>();
  private final int[] byteIds = new int[256];
  private final @Nullable Unigram unigram;
  private final @Nullable SentencePieceBpe bpe;
  private final int unknown;

  /**
   * @param template the special tokens around a text
   * @param padId -1 for none
   */
  SentencePieceTokenizer(SentencePieceModel model, Template template, int padId, int maxLength) {
    this.model = model;
    this.template = template;
    this.padId = padId;
    this.maxLength = maxLength;
    this.unknown = model.unknown();
    Arrays.fill(byteIds, -1);
    SortedPieces.Builder literal = new SortedPieces.Builder();
    SortedPieces.Builder all = new SortedPieces.Builder();
    float minimum = Float.MAX_VALUE;
    float maximum = -Float.MAX_VALUE;
    for (int id = 0; id < model.pieces().size(); id++) {
      Piece piece = model.pieces().get(id);
      switch (piece.type()) {
        case NORMAL, USER_DEFINED, UNUSED -> {
          ids.put(piece.text(), id);
          if (piece.type() != SentencePieceModel.Type.UNUSED) {
            all.add(piece.text(), id);
          }
          if (piece.type() == SentencePieceModel.Type.USER_DEFINED) {
            literal.add(piece.text(), id);
          } else if (piece.type() == SentencePieceModel.Type.NORMAL) {
            minimum = Math.min(minimum, piece.score());
            maximum = Math.max(maximum, piece.score());
          }
        }
        case UNKNOWN, CONTROL -> reserved.put(piece.text(), id);
        case BYTE -> {
          reserved.put(piece.text(), id);
          int value = BytePieces.value(piece.text());
          if (value >= 0) {
            byteIds[value] = id;
          }
        }
      }
    }
    SortedPieces userDefined = literal.build();
    this.normalizer = new SentencePieceNormalizer(model, userDefined);
    float best = maximum;
    this.unigram =
        model.kind() == SentencePieceModel.Kind.UNIGRAM
            ? new Unigram(
                all.build(),
                (id, length) -> score(model.pieces().get(id), length, best),
                minimum,
                unknown,
                false)
            : null;
    this.bpe =
        model.kind() == SentencePieceModel.Kind.BPE
            ? new SentencePieceBpe(model, ids, userDefined)
            : null;
  }

  /** A piece that was asked for by name is better than all others of its length together. */
  private static double score(Piece piece, int length, float best) {
    return piece.type() == SentencePieceModel.Type.USER_DEFINED
        ? length * best - 0.1
        : piece.score();
  }

  @Override
  public Encoding encode(String text, @Nullable String pair, int limit) {
    return template.encode(encodePlain(text), pair == null ? null : encodePlain(pair), limit);
  }

  @Override
  public int[] encodePlain(String text) {
    byte[] normalized = normalizer.normalize(text.getBytes(StandardCharsets.UTF_8));
    Ids out = new Ids();
    boolean[] afterUnknown = new boolean[1];
    SentencePieceBpe.Output output =
        (piece, id) -> {
          if (id != unknown) {
            out.add(id);
          } else if (model.byteFallback()) {
            for (byte b : piece) {
              out.add(byteIds[b & 0xff] < 0 ? unknown : byteIds[b & 0xff]);
            }
          } else if (!afterUnknown[0]) {
            out.add(id); // a run of unknown pieces is one
          }
          afterUnknown[0] = id == unknown;
        };
    if (unigram != null) {
      for (Unigram.Part part : unigram.split(normalized)) {
        output.accept(Arrays.copyOfRange(normalized, part.from(), part.to()), part.id());
      }
    } else if (bpe != null) {
      bpe.split(normalized, output);
    }
    return out.toArray();
  }

  @Override
  public String decode(int[] tokens, boolean skipSpecial) {
    StringBuilder text = new StringBuilder();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    boolean start = true;
    boolean spaceSeen = false;
    for (int id : tokens) {
      if (id < 0 || id >= model.pieces().size()) {
        throw new IllegalArgumentException(
            "id " + id + " is none of the " + model.pieces().size() + " of the vocabulary");
      }
      Piece piece = model.pieces().get(id);
      if (piece.type() == SentencePieceModel.Type.BYTE) {
        bytes.write(BytePieces.value(piece.text()));
        continue;
      }
      text.append(bytes.toString(StandardCharsets.UTF_8));
      bytes.reset();
      start &= !spaceSeen && text.isEmpty();
      spaceSeen = false;
      switch (piece.type()) {
        case CONTROL -> {
          if (!skipSpecial) {
            text.append(piece.text());
          }
        }
        case UNKNOWN -> text.append(model.unknownSurface());
        default -> {
          String surface = piece.text();
          boolean drops =
              start
                  && (model.dummyPrefix() || model.removeExtraSpaces())
                  && surface.startsWith(SentencePieceNormalizer.SPACE);
          if (drops) {
            surface = surface.substring(1);
            spaceSeen = !model.removeExtraSpaces();
          }
          text.append(surface.replace(SentencePieceNormalizer.SPACE, " "));
        }
      }
    }
    return text.append(bytes.toString(StandardCharsets.UTF_8)).toString();
  }

  @Override
  public int vocabularySize() {
    return model.pieces().size();
  }

  @Override
  public @Nullable String token(int id) {
    return id >= 0 && id < model.pieces().size() ? model.pieces().get(id).text() : null;
  }

  @Override
  public int id(String token) {
    Integer id = reserved.getOrDefault(token, ids.get(token));
    return id == null ? -1 : id;
  }

  @Override
  public int padId() {
    return padId;
  }

  @Override
  public int maxLength() {
    return maxLength;
  }
}
