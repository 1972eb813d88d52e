package dev.tessera.text;

import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.checkpoint.Json;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.SequencedSet;
import java.util.function.ToIntFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Reads tokenizers from model directories as Hugging Face publishes them: {@code tokenizer.json},
 * {@code spiece.model}, {@code vocab.json} with {@code merges.txt}, or {@code vocab.txt}, in this
 * order, with the settings of {@code tokenizer_config.json}.
 */
public final class Tokenizers {
  /** Larger than any published {@code vocab.txt} or {@code merges.txt}. */
  private static final long MAX_BYTES = 64L << 20;

  private static final String START = "<|startoftext|>";
  private static final String END = "<|endoftext|>";

  private Tokenizers() {}

  /** Whether the directory holds a tokenizer. */
  public static boolean in(Path directory) {
    return Stream.of("tokenizer.json", "spiece.model", "tokenizer.model", "vocab.json", "vocab.txt")
        .anyMatch(name -> Files.isRegularFile(directory.resolve(name)));
  }

  /**
   * The tokenizer in {@code directory}.
   *
   * @throws CheckpointException if there is none, or one that is damaged or of a kind that is not
   *     supported; the message says what to do
   */
  public static Tokenizer load(Path directory) throws IOException {
    TokenizerConfig config = TokenizerConfig.read(directory);
    Path json = directory.resolve("tokenizer.json");
    if (Files.exists(json)) {
      return TokenizerJson.read(json, config.token("pad_token", null), config.maxLength());
    }
    for (String name : new String[] {"spiece.model", "tokenizer.model"}) {
      Path model = directory.resolve(name);
      if (Files.exists(model)) {
        return sentencePiece(SentencePieceModel.read(model), config);
      }
    }
    if (Files.exists(directory.resolve("vocab.json"))) {
      return bytePairs(directory, config);
    }
    Path words = directory.resolve("vocab.txt");
    if (Files.exists(words)) {
      return wordPiece(words, config);
    }
    throw new CheckpointException(
        directory,
        "has no tokenizer; it needs tokenizer.json, spiece.model, vocab.json with merges.txt, or"
            + " vocab.txt");
  }

  /**
   * The tokenizer of open_clip's own models, which cleans texts more than {@link #load} does: it
   * mends characters, resolves HTML entities and makes everything small.
   *
   * @param directory with {@code vocab.json} and {@code merges.txt}, or with {@code tokenizer.json}
   * @param contextLength the most tokens
   */
  public static Tokenizer openClip(Path directory, int contextLength) throws IOException {
    Path json = directory.resolve("tokenizer.json");
    SubwordModel model =
        Files.exists(directory.resolve("vocab.json"))
            ? bpe(directory, "</w>", null)
            : ModelJson.read(new Fields(json, "", Json.readObject(json, TokenizerJson.LIMITS)));
    int start = required(directory, model.vocabulary(), START);
    int end = required(directory, model.vocabulary(), END);
    return new PipelineTokenizer(
        new PipelineTokenizer.Stages(
            List.of(
                new AddedTokens.Token(start, "<start_of_text>", false, false, false, true, true),
                new AddedTokens.Token(end, "<end_of_text>", false, false, false, true, true)),
            new OpenClipCleaning(),
            clipWords("", true),
            model,
            Template.roberta(start, end),
            new Decoder.Clip("</w>"),
            0,
            contextLength));
  }

  /**
   * CLIP's words, in {@link ByteLetters}: single digits, and no spaces.
   *
   * @param alternatives to what a word is, each followed by a bar
   * @param original whether the expression ignores case, as CLIP's own does, and not transformers'
   */
  private static PreTokenizer clipWords(String alternatives, boolean original) {
    String expression =
        alternatives
            + (original ? "(?iu:" : "(?:")
            + "'s|'t|'re|'ve|'m|'ll|'d)|\\p{L}+|\\p{N}|[^\\s\\p{L}\\p{N}"
            // Python's regex takes U+0345 for a letter there when it ignores case, and not for one
            // when it looks for letters.
            + (original ? "\\x{345}" : "")
            + "]+";
    return new PreTokenizer.Sequence(
        List.of(
            new PreTokenizer.Split(Patterns.regex(expression), PreTokenizer.Behavior.REMOVED, true),
            new PreTokenizer.ByteLevel(false, false)));
  }

  private static Tokenizer sentencePiece(SentencePieceModel model, TokenizerConfig config)
      throws CheckpointException {
    if (config.tokenizerClass().equals("SiglipTokenizer")) {
      return siglip(model, config);
    }
    int pad = model.id(Objects.requireNonNull(config.token("pad_token", "<pad>")));
    int end = model.id(Objects.requireNonNull(config.token("eos_token", "</s>")));
    int start = model.id(Objects.requireNonNull(config.token("bos_token", "<s>")));
    Template template =
        switch (config.tokenizerClass()) {
          case "T5Tokenizer" -> end < 0 ? Template.NONE : Template.ending(end);
          case "LlamaTokenizer" ->
              config.flag("add_bos_token", true) && start >= 0
                  ? Template.beginning(start)
                  : Template.NONE;
          default -> Template.NONE;
        };
    return new SentencePieceTokenizer(model, template, pad, config.maxLength());
  }

  private static Tokenizer siglip(SentencePieceModel model, TokenizerConfig config)
      throws CheckpointException {
    SentencePieceTokenizer pieces =
        new SentencePieceTokenizer(
            model.withoutDummyPrefix(), Template.NONE, -1, config.maxLength());
    String unknown = Objects.requireNonNull(config.token("unk_token", "<unk>"));
    String end = Objects.requireNonNull(config.token("eos_token", "</s>"));
    String pad = Objects.requireNonNull(config.token("pad_token", "</s>"));
    SequencedSet<String> special = new LinkedHashSet<>(List.of(unknown, end, pad));
    special.addAll(config.addedTokens());
    if (pieces.id(end) < 0) {
      throw new CheckpointException(
          model.file(),
          "has no piece "
              + end
              + " to end a text with; check that all of the tokenizer's files belong together");
    }
    return new SiglipTokenizer(
        pieces,
        tokens(pieces::id, special),
        OpenClipCleaning.canonical(config.flag("do_lower_case", true)),
        unknown,
        pieces.id(end),
        pieces.id(pad));
  }

  private static Tokenizer bytePairs(Path directory, TokenizerConfig config) throws IOException {
    String kind = config.tokenizerClass();
    List<String[]> merges = merges(directory.resolve("merges.txt"));
    boolean clip =
        kind.equals("CLIPTokenizer")
            || (kind.isEmpty() && merges.stream().anyMatch(merge -> merge[1].endsWith("</w>")));
    boolean roberta = kind.equals("RobertaTokenizer");
    String end = roberta ? "</s>" : END;
    Bpe model = bpe(directory, clip ? "</w>" : "", clip ? config.token("unk_token", END) : null);
    Vocabulary vocabulary = model.vocabulary();
    SequencedSet<String> special = new LinkedHashSet<>();
    String bos = config.token("bos_token", clip ? START : roberta ? "<s>" : END);
    String eos = config.token("eos_token", end);
    String pad = config.token("pad_token", clip ? END : roberta ? "<pad>" : null);
    add(special, bos);
    add(special, eos);
    add(special, pad);
    add(special, config.token("unk_token", roberta ? "<unk>" : END));
    if (roberta) {
      add(special, config.token("mask_token", "<mask>"));
    }
    int padId = pad == null ? -1 : vocabulary.id(pad);
    if (clip) {
      Normalizer normalizer =
          new Normalizer.Sequence(
              List.of(
                  new Normalizer.Form(java.text.Normalizer.Form.NFC),
                  new Normalizer.Replace(Patterns.regex("\\s+"), " "),
                  new Normalizer.Lowercase()));
      return new PipelineTokenizer(
          new PipelineTokenizer.Stages(
              tokens(vocabulary::id, special),
              normalizer,
              clipWords("<\\|startoftext\\|>|<\\|endoftext\\|>|", false),
              model,
              Template.roberta(
                  required(directory, vocabulary, Objects.requireNonNull(bos)),
                  required(directory, vocabulary, Objects.requireNonNull(eos))),
              new Decoder.Clip("</w>"),
              padId,
              config.maxLength()));
    }
    return new PipelineTokenizer(
        new PipelineTokenizer.Stages(
            tokens(vocabulary::id, special),
            new Normalizer.None(),
            new PreTokenizer.ByteLevel(config.flag("add_prefix_space", false), true),
            model,
            roberta
                ? Template.roberta(
                    required(directory, vocabulary, Objects.requireNonNull(bos)),
                    required(directory, vocabulary, Objects.requireNonNull(eos)))
                : Template.NONE,
            new Decoder.Bytes(),
            padId,
            config.maxLength()));
  }

  private static Tokenizer wordPiece(Path file, TokenizerConfig config) throws IOException {
    Vocabulary vocabulary = Vocabulary.of(file, lines(file));
    String unknown = Objects.requireNonNull(config.token("unk_token", "[UNK]"));
    String cls = Objects.requireNonNull(config.token("cls_token", "[CLS]"));
    String sep = Objects.requireNonNull(config.token("sep_token", "[SEP]"));
    String pad = Objects.requireNonNull(config.token("pad_token", "[PAD]"));
    SequencedSet<String> special = new LinkedHashSet<>(List.of(unknown, cls, sep, pad));
    add(special, config.token("mask_token", "[MASK]"));
    boolean lowercase = config.flag("do_lower_case", true);
    return new PipelineTokenizer(
        new PipelineTokenizer.Stages(
            tokens(vocabulary::id, special),
            new Normalizer.Bert(
                true,
                config.flag("tokenize_chinese_chars", true),
                config.flag("strip_accents", lowercase),
                lowercase),
            PreTokenizer.bert(),
            new WordPiece(vocabulary, required(file, vocabulary, unknown), "##", 100),
            Template.bert(required(file, vocabulary, cls), required(file, vocabulary, sep)),
            new Decoder.Words("##", true),
            vocabulary.id(pad),
            config.maxLength()));
  }

  private static void add(SequencedSet<String> tokens, @Nullable String token) {
    if (token != null) {
      tokens.add(token);
    }
  }

  /**
   * Those of the tokens that the vocabulary has.
   *
   * @param vocabulary from a token to its id, or -1
   */
  private static List<AddedTokens.Token> tokens(
      ToIntFunction<String> vocabulary, SequencedSet<String> contents) {
    List<AddedTokens.Token> tokens = new ArrayList<>();
    for (String content : contents) {
      int id = vocabulary.applyAsInt(content);
      if (id >= 0) {
        tokens.add(AddedTokens.Token.special(id, content));
      }
    }
    return tokens;
  }

  private static int required(Path file, Vocabulary vocabulary, String token)
      throws CheckpointException {
    int id = vocabulary.id(token);
    if (id < 0) {
      throw new CheckpointException(
          file,
          "has a vocabulary without the special token "
              + token
              + "; check that all of the tokenizer's files belong together");
    }
    return id;
  }

  private static Bpe bpe(Path directory, String endSuffix, @Nullable String unknown)
      throws IOException {
    Path file = directory.resolve("vocab.json");
    Vocabulary vocabulary = Vocabulary.of(file, Json.readObject(file, TokenizerJson.LIMITS));
    Path mergesFile = directory.resolve("merges.txt");
    Bpe.Settings settings =
        new Bpe.Settings(
            unknown == null ? -1 : vocabulary.id(unknown), "", endSuffix, false, false, false);
    try {
      return new Bpe(vocabulary, merges(mergesFile), settings);
    } catch (IllegalArgumentException e) {
      throw new CheckpointException(
          mergesFile, "does not belong to vocab.json: " + e.getMessage(), e);
    }
  }

  private static List<String[]> merges(Path file) throws IOException {
    List<String[]> merges = new ArrayList<>();
    for (String line : lines(file)) {
      if (line.isEmpty() || line.startsWith("#version")) {
        continue;
      }
      String[] pair = line.split(" ", -1);
      if (pair.length != 2) {
        throw new CheckpointException(
            file,
            "has a line that is not two tokens and a space between them; replace it by an intact"
                + " copy");
      }
      merges.add(pair);
    }
    return merges;
  }

  /** The lines of a file in UTF-8, ended by line feeds alone: other separators may be tokens. */
  private static List<String> lines(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new CheckpointException(file, "is missing; the tokenizer needs it");
    }
    if (Files.size(file) > MAX_BYTES) {
      throw new CheckpointException(
          file,
          "has %d bytes but at most %d are read as a vocabulary; check that it is one"
              .formatted(Files.size(file), MAX_BYTES));
    }
    String text;
    try {
      text = Files.readString(file);
    } catch (CharacterCodingException e) {
      throw new CheckpointException(file, "is not UTF-8; replace it by an intact copy", e);
    }
    List<String> lines = new ArrayList<>();
    for (int from = 0; from < text.length(); ) {
      int to = text.indexOf('\n', from);
      to = to < 0 ? text.length() : to;
      int end = to > from && text.charAt(to - 1) == '\r' ? to - 1 : to;
      lines.add(text.substring(from, end));
      from = to + 1;
    }
    return lines;
  }
}
