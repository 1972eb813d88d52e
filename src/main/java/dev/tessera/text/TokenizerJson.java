package dev.tessera.text;

import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.checkpoint.Json;
import dev.tessera.text.Template.Part;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads {@code tokenizer.json}, the file in which Hugging Face keeps a whole tokenizer. */
final class TokenizerJson {
  /** Enough for vocabularies of a million tokens. */
  static final Json.Limits LIMITS = new Json.Limits(256L << 20, 16L << 20, 16 << 20);

  private final Fields file;

  private TokenizerJson(Fields file) {
    this.file = file;
  }

  /**
   * The tokenizer in {@code path}.
   *
   * @param padToken the token that fills up batches where the file itself names none, or null
   * @param maxLength the most tokens, {@link Tokenizer#UNLIMITED} to go by the file
   */
  static Tokenizer read(Path path, @Nullable String padToken, int maxLength) throws IOException {
    Fields file = new Fields(path, "", Json.readObject(path, LIMITS));
    return new TokenizerJson(file).tokenizer(padToken, maxLength);
  }

  private Tokenizer tokenizer(@Nullable String padToken, int maxLength) throws IOException {
    SubwordModel model = ModelJson.read(file);
    List<AddedTokens.Token> added = new ArrayList<>();
    for (Fields token : file.objects("added_tokens")) {
      int id = token.integer("id", -1);
      if (id < 0 || id >= Vocabulary.MAX_SIZE) {
        throw token.wrong("id", id, "from 0 to " + (Vocabulary.MAX_SIZE - 1));
      }
      added.add(
          new AddedTokens.Token(
              id,
              token.text("content"),
              token.flag("single_word", false),
              token.flag("lstrip", false),
              token.flag("rstrip", false),
              token.flag("normalized", true),
              token.flag("special", false)));
    }
    Template template = template();
    Fields truncation = file.object("truncation");
    int length = maxLength;
    if (truncation != null) {
      if (length == Tokenizer.UNLIMITED) {
        length = truncation.integer("max_length", length);
      }
      if (truncation.text("direction", "Right").equals("Left")) {
        template = template.cuttingFront();
      }
    }
    Fields padding = file.object("padding");
    PipelineTokenizer tokenizer =
        new PipelineTokenizer(
            new PipelineTokenizer.Stages(
                added,
                normalizer(file.object("normalizer")),
                preTokenizer(file.object("pre_tokenizer")),
                model,
                template,
                decoder(file.object("decoder")),
                padding == null ? -1 : padding.integer("pad_id", 0),
                length));
    return padding == null && padToken != null
        ? tokenizer.withPadId(tokenizer.id(padToken))
        : tokenizer;
  }

  private static Normalizer normalizer(@Nullable Fields json) throws CheckpointException {
    if (json == null) {
      return new Normalizer.None();
    }
    try {
      return switch (json.text("type")) {
        case "Sequence" -> {
          List<Normalizer> parts = new ArrayList<>();
          for (Fields part : json.objects("normalizers")) {
            parts.add(normalizer(part));
          }
          yield new Normalizer.Sequence(parts);
        }
        case "BertNormalizer" -> {
          boolean lowercase = json.flag("lowercase", true);
          yield new Normalizer.Bert(
              json.flag("clean_text", true),
              json.flag("handle_chinese_chars", true),
              json.flag("strip_accents", lowercase),
              lowercase);
        }
        case "NFC" -> new Normalizer.Form(java.text.Normalizer.Form.NFC);
        case "NFD" -> new Normalizer.Form(java.text.Normalizer.Form.NFD);
        case "NFKC" -> new Normalizer.Form(java.text.Normalizer.Form.NFKC);
        case "NFKD" -> new Normalizer.Form(java.text.Normalizer.Form.NFKD);
        case "Lowercase" -> new Normalizer.Lowercase();
        case "StripAccents" -> new Normalizer.StripAccents();
        case "Nmt" -> new Normalizer.Nmt();
        case "Strip" ->
            new Normalizer.Strip(json.flag("strip_left", true), json.flag("strip_right", true));
        case "Replace" -> new Normalizer.Replace(pattern(json), json.text("content"));
        case "Prepend" -> new Normalizer.Prepend(json.text("prepend"));
        case "ByteLevel" -> new Normalizer.Bytes();
        case "Precompiled" -> {
          String base64 = json.text("precompiled_charsmap", "");
          yield base64.isEmpty()
              ? new Normalizer.None()
              : new Normalizer.Precompiled(new CharsMap(Base64.getDecoder().decode(base64)));
        }
        default -> throw json.unsupported("type");
      };
    } catch (IllegalArgumentException e) {
      throw json.wrong(e);
    }
  }

  private static PreTokenizer preTokenizer(@Nullable Fields json) throws CheckpointException {
    if (json == null) {
      return new PreTokenizer.None();
    }
    try {
      return switch (json.text("type")) {
        case "Sequence" -> {
          List<PreTokenizer> parts = new ArrayList<>();
          for (Fields part : json.objects("pretokenizers")) {
            parts.add(preTokenizer(part));
          }
          yield new PreTokenizer.Sequence(parts);
        }
        case "BertPreTokenizer" -> PreTokenizer.bert();
        case "ByteLevel" ->
            new PreTokenizer.ByteLevel(
                json.flag("add_prefix_space", true), json.flag("use_regex", true));
        case "Whitespace" -> new PreTokenizer.Words();
        case "WhitespaceSplit" ->
            new PreTokenizer.Delimiters(Characters::isWhitespace, PreTokenizer.Behavior.REMOVED);
        case "Punctuation" ->
            new PreTokenizer.Delimiters(
                Characters::isPunctuation, behavior(json, PreTokenizer.Behavior.ISOLATED));
        case "Digits" ->
            new PreTokenizer.Delimiters(
                Characters::isNumber,
                json.flag("individual_digits", false)
                    ? PreTokenizer.Behavior.ISOLATED
                    : PreTokenizer.Behavior.CONTIGUOUS);
        case "CharDelimiterSplit" -> {
          String delimiter = json.text("delimiter");
          yield new PreTokenizer.Split(
              Patterns.literal(delimiter), PreTokenizer.Behavior.REMOVED, false);
        }
        case "Split" ->
            new PreTokenizer.Split(
                pattern(json),
                behavior(json, PreTokenizer.Behavior.ISOLATED),
                json.flag("invert", false));
        case "Metaspace" -> {
          boolean always = json.flag("add_prefix_space", true);
          String scheme = json.text("prepend_scheme", always ? "always" : "never");
          yield new PreTokenizer.Metaspace(
              json.text("replacement", SentencePieceNormalizer.SPACE),
              switch (scheme) {
                case "always" -> piece -> true;
                case "never" -> piece -> false;
                case "first" -> PreTokenizer.Piece::first;
                default -> throw json.unsupported("prepend_scheme");
              },
              json.flag("split", true));
        }
        default -> throw json.unsupported("type");
      };
    } catch (IllegalArgumentException e) {
      throw json.wrong(e);
    }
  }

  private static PreTokenizer.Behavior behavior(Fields json, PreTokenizer.Behavior fallback)
      throws CheckpointException {
    return switch (json.text("behavior", "")) {
      case "" -> fallback;
      case "Removed" -> PreTokenizer.Behavior.REMOVED;
      case "Isolated" -> PreTokenizer.Behavior.ISOLATED;
      case "MergedWithPrevious" -> PreTokenizer.Behavior.MERGED_WITH_PREVIOUS;
      case "MergedWithNext" -> PreTokenizer.Behavior.MERGED_WITH_NEXT;
      case "Contiguous" -> PreTokenizer.Behavior.CONTIGUOUS;
      default -> throw json.unsupported("behavior");
    };
  }

  /** {@code {"pattern": {"Regex": ...}}} or {@code {"pattern": {"String": ...}}}. */
  private static Pattern pattern(Fields json) throws CheckpointException {
    Fields pattern = json.object("pattern");
    if (pattern == null) {
      throw json.wrong("pattern", null, "an object");
    }
    return pattern.has("Regex")
        ? Patterns.regex(pattern.text("Regex"))
        : Patterns.literal(pattern.text("String"));
  }

  private Template template() throws CheckpointException {
    Fields json = file.object("post_processor");
    return json == null ? Template.NONE : template(json);
  }

  private static Template template(Fields json) throws CheckpointException {
    return switch (json.text("type")) {
      case "ByteLevel" -> Template.NONE;
      case "BertProcessing" -> Template.bert(idOf(json, "cls"), idOf(json, "sep"));
      case "RobertaProcessing" -> Template.roberta(idOf(json, "cls"), idOf(json, "sep"));
      case "TemplateProcessing" -> new Template(parts(json, "single"), parts(json, "pair"), false);
      case "Sequence" -> {
        Template chosen = Template.NONE;
        for (Fields part : json.objects("processors")) {
          Template template = template(part);
          if (!template.equals(Template.NONE) && !chosen.equals(Template.NONE)) {
            throw json.unsupported("processors");
          }
          chosen = template.equals(Template.NONE) ? chosen : template;
        }
        yield chosen;
      }
      default -> throw json.unsupported("type");
    };
  }

  /** The id in a pair {@code ["[CLS]", 101]}. */
  private static int idOf(Fields json, String key) throws CheckpointException {
    List<?> pair = json.list(key);
    if (pair.size() == 2 && pair.getLast() instanceof Long id && id >= 0 && id < 1 << 24) {
      return id.intValue();
    }
    throw json.wrong(key, json.values().get(key), "a token and its id");
  }

  private static List<Part> parts(Fields json, String key) throws CheckpointException {
    Fields tokens = json.object("special_tokens");
    List<Part> parts = new ArrayList<>();
    for (Fields part : json.objects(key)) {
      Fields sequence = part.object("Sequence");
      if (sequence != null) {
        parts.add(new Part.Text(sequence.text("id").equals("B"), sequence.integer("type_id", 0)));
        continue;
      }
      Fields special = part.object("SpecialToken");
      Fields token = special == null || tokens == null ? null : tokens.object(special.text("id"));
      if (special == null || token == null) {
        throw json.unsupported(key);
      }
      List<Integer> ids = new ArrayList<>();
      for (Object id : token.list("ids")) {
        if (!(id instanceof Long number) || number < 0 || number >= Vocabulary.MAX_SIZE) {
          throw token.wrong("ids", id, "an id of the vocabulary");
        }
        ids.add(number.intValue());
      }
      parts.add(new Part.Special(ids, special.integer("type_id", 0)));
    }
    return parts;
  }

  private static Decoder decoder(@Nullable Fields json) throws CheckpointException {
    if (json == null) {
      return new Decoder.Spaces();
    }
    try {
      return switch (json.text("type")) {
        case "Sequence" -> {
          List<Decoder> parts = new ArrayList<>();
          for (Fields part : json.objects("decoders")) {
            parts.add(decoder(part));
          }
          yield new Decoder.Sequence(parts);
        }
        case "WordPiece" ->
            new Decoder.Words(json.text("prefix", "##"), json.flag("cleanup", true));
        case "ByteLevel" -> new Decoder.Bytes();
        case "ByteFallback" -> new Decoder.ByteFallback();
        case "Metaspace" -> {
          boolean always = json.flag("add_prefix_space", true);
          String scheme = json.text("prepend_scheme", always ? "always" : "never");
          yield new Decoder.Metaspace(
              json.text("replacement", SentencePieceNormalizer.SPACE), !scheme.equals("never"));
        }
        case "BPEDecoder" -> new Decoder.Suffixes(json.text("suffix", "</w>"));
        case "Fuse" -> new Decoder.Fuse();
        case "Replace" -> new Decoder.Replace(pattern(json), json.text("content"));
        case "Strip" -> {
          String content = json.text("content", " ");
          if (content.length() != 1) {
            throw json.unsupported("content");
          }
          yield new Decoder.Strip(
              content.charAt(0), json.integer("start", 0), json.integer("stop", 0));
        }
        default -> throw json.unsupported("type");
      };
    } catch (IllegalArgumentException e) {
      throw json.wrong(e);
    }
  }
}
