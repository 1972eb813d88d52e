package dev.tessera.text;

import dev.tessera.checkpoint.CheckpointException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a {@code spiece.model} of <a
 * href="https://github.com/google/sentencepiece">sentencepiece</a> holds: a message in the format
 * of protocol buffers ({@code sentencepiece_model.proto}).
 *
 * @param file named in errors
 * @param kind which algorithm takes text apart
 * @param pieces by id
 * @param byteFallback whether what has no piece becomes pieces of bytes
 * @param spaceAsSuffix whether the sign for a space ends a word rather than begins it
 * @param unknownSurface what an unknown piece is decoded to
 * @param charsMap what characters are replaced by, or null
 * @param dummyPrefix whether a text gets a space in front
 * @param removeExtraSpaces whether spaces at the ends and beside other spaces are removed
 * @param escapeSpaces whether a space becomes U+2581
 */
record SentencePieceModel(
    Path file,
    Kind kind,
    List<Piece> pieces,
    boolean byteFallback,
    boolean spaceAsSuffix,
    String unknownSurface,
    @Nullable CharsMap charsMap,
    boolean dummyPrefix,
    boolean removeExtraSpaces,
    boolean escapeSpaces) {
  /** Larger than any published file. */
  private static final long MAX_BYTES = 64L << 20;

  enum Kind {
    UNIGRAM,
    BPE
  }

  enum Type {
    NORMAL,
    UNKNOWN,
    CONTROL,
    USER_DEFINED,
    UNUSED,
    BYTE
  }

  /**
   * One entry of the vocabulary.
   *
   * @param score the logarithm of its probability or, for byte-pair encoding, its rank negated
   */
  record Piece(String text, float score, Type type) {}

  static SentencePieceModel read(Path file) throws IOException {
    if (Files.size(file) > MAX_BYTES) {
      throw new CheckpointException(
          file,
          "has %d bytes but at most %d are read as a sentencepiece model; check that it is one"
              .formatted(Files.size(file), MAX_BYTES));
    }
    try {
      return new Reader(file).read(new ProtoReader(Files.readAllBytes(file)));
    } catch (IllegalArgumentException e) {
      throw new CheckpointException(
          file,
          "is no sentencepiece model: " + e.getMessage() + "; replace it by an intact copy",
          e);
    }
  }

  /** This model, but without a space in front of a text. */
  SentencePieceModel withoutDummyPrefix() {
    return new SentencePieceModel(
        file,
        kind,
        pieces,
        byteFallback,
        spaceAsSuffix,
        unknownSurface,
        charsMap,
        false,
        removeExtraSpaces,
        escapeSpaces);
  }

  /** The id of a piece, or -1. */
  int id(String text) {
    for (int id = 0; id < pieces.size(); id++) {
      if (pieces.get(id).text().equals(text)) {
        return id;
      }
    }
    return -1;
  }

  /** The id of the unknown piece. */
  int unknown() {
    for (int id = 0; id < pieces.size(); id++) {
      if (pieces.get(id).type() == Type.UNKNOWN) {
        return id;
      }
    }
    throw new IllegalStateException("checked when it was read");
  }

  /** The fields that are needed, by the numbers that the .proto file gives them. */
  private static final class Reader {
    private final Path file;
    private final List<Piece> pieces = new ArrayList<>();
    private int model = 1;
    private boolean byteFallback;
    private boolean spaceAsSuffix;
    private String unknownSurface = " \u2047 ";
    private byte[] charsMap = new byte[0];
    private boolean dummyPrefix = true;
    private boolean removeExtraSpaces = true;
    private boolean escapeSpaces = true;

    Reader(Path file) {
      this.file = file;
    }

    SentencePieceModel read(ProtoReader message) throws CheckpointException {
      while (message.next()) {
        switch (message.field()) {
          case 1 -> {
            require(pieces.size() < Vocabulary.MAX_SIZE, "it has too many pieces");
            pieces.add(piece(message.message()));
          }
          case 2 -> trainer(message.message());
          case 3 -> normalizer(message.message());
          default -> {}
        }
      }
      require(
          pieces.stream().filter(piece -> piece.type() == Type.UNKNOWN).count() == 1,
          "it has not exactly one unknown piece");
      Kind kind =
          switch (model) {
            case 1 -> Kind.UNIGRAM;
            case 2 -> Kind.BPE;
            default ->
                throw new CheckpointException(
                    file, "is a model of words or characters; supported are unigram and bpe");
          };
      return new SentencePieceModel(
          file,
          kind,
          List.copyOf(pieces),
          byteFallback,
          spaceAsSuffix,
          unknownSurface,
          charsMap.length == 0 ? null : new CharsMap(charsMap),
          dummyPrefix,
          removeExtraSpaces,
          escapeSpaces);
    }

    private static Piece piece(ProtoReader message) {
      String text = "";
      float score = 0;
      int type = 1;
      while (message.next()) {
        switch (message.field()) {
          case 1 -> text = new String(message.bytes(), StandardCharsets.UTF_8);
          case 2 -> score = message.float32();
          case 3 -> type = (int) message.integer();
          default -> {}
        }
      }
      require(!text.isEmpty(), "a piece is empty");
      require(Float.isFinite(score), "a piece has the score " + score);
      return new Piece(
          text,
          score,
          switch (type) {
            case 1 -> Type.NORMAL;
            case 2 -> Type.UNKNOWN;
            case 3 -> Type.CONTROL;
            case 4 -> Type.USER_DEFINED;
            case 5 -> Type.UNUSED;
            case 6 -> Type.BYTE;
            default -> throw new IllegalArgumentException("a piece is of type " + type);
          });
    }

    private void trainer(ProtoReader message) {
      while (message.next()) {
        switch (message.field()) {
          case 3 -> model = (int) message.integer();
          case 24 -> spaceAsSuffix = message.integer() != 0;
          case 35 -> byteFallback = message.integer() != 0;
          case 44 -> unknownSurface = new String(message.bytes(), StandardCharsets.UTF_8);
          default -> {}
        }
      }
    }

    private void normalizer(ProtoReader message) {
      while (message.next()) {
        switch (message.field()) {
          case 2 -> charsMap = message.bytes();
          case 3 -> dummyPrefix = message.integer() != 0;
          case 4 -> removeExtraSpaces = message.integer() != 0;
          case 5 -> escapeSpaces = message.integer() != 0;
          default -> {}
        }
      }
    }

    private static void require(boolean condition, String problem) {
      if (!condition) {
        throw new IllegalArgumentException(problem);
      }
    }
  }
}
