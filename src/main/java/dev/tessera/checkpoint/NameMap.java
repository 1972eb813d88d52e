package dev.tessera.checkpoint;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Which parameter names of a file stand for which canonical names.
 *
 * <p>Canonical are the names that {@code transformers} 4 publishes and {@code save_pretrained}
 * still writes, always with the base model's prefix: {@code
 * vit.encoder.layer.0.layernorm_before.weight}, but {@code classifier.weight}. Understood are those
 * names with and without prefix, the names that {@code transformers} 5 gives its modules, timm's
 * and those of the original DINOv2. What only timm has keeps the nearest canonical form: {@code
 * vit.embeddings.register_tokens}, {@code vit.pre_layernorm}, {@code
 * vit.encoder.layer.0.layer_scale1.lambda1}, {@code fc_norm}.
 *
 * <p>Each rule is a line of {@link #VIT} or {@link #DINOV2}: {@code {layer}} is a layer as
 * transformers spells it, {@code {block}} as timm and DINOv2 do (both become {@code
 * encoder.layer.N}), {@code {p}} is weight or bias.
 */
public final class NameMap {
  /** Where a canonical parameter comes from. */
  public sealed interface Source {
    /** The tensor called {@code name} as it is. */
    record Whole(String name) implements Source {}

    /** Part {@code part} (from 0) of {@code parts} equal parts of the rows of {@code name}. */
    record Rows(String name, int part, int parts) implements Source {}

    /** The matrix called {@code name} with rows for columns. */
    record Transposed(String name) implements Source {}

    /** The rows of all {@code names}, one below the other. */
    record Stacked(List<String> names) implements Source {}

    /** The names in the file that this source needs. */
    default List<String> names() {
      return switch (this) {
        case Whole(String name) -> List.of(name);
        case Transposed(String name) -> List.of(name);
        case Rows(String name, int part, int parts) -> List.of(name);
        case Stacked(List<String> names) -> names;
      };
    }
  }

  /** One line of a table; {@code pieces} &gt; 1: the source is that piece of the one target. */
  private record Rule(String from, List<String> to, int piece, int pieces) {}

  /** A name taken apart: as a template, and what stands for {@code {layer}} and {@code {p}}. */
  private record Parsed(String template, String layer, String p) {
    static Parsed of(String name) {
      Matcher matcher = LAYER.matcher(name);
      String template = name;
      String layer = "";
      if (matcher.lookingAt()) {
        boolean block = matcher.group("block") != null;
        layer = matcher.group(block ? "block" : "layer");
        template = (block ? "{block}." : "{layer}.") + name.substring(matcher.end());
      }
      for (String p : PARAMETERS) {
        if (template.endsWith("." + p)) {
          return new Parsed(
              template.substring(0, template.length() - p.length()) + "{p}", layer, p);
        }
      }
      return new Parsed(template, layer, "");
    }

    String fill(String target) {
      return target.replace("{layer}", "encoder.layer." + layer).replace("{p}", p);
    }
  }

  private static final List<String> PARAMETERS = List.of("weight", "bias");

  /** The original DINOv2 numbers its blocks within chunks: blocks.0.11 is block 11. */
  private static final Pattern LAYER =
      Pattern.compile(
          "(?:encoder\\.layers?|layers)\\.(?<layer>\\d{1,9})\\."
              + "|blocks\\.(?:\\d{1,9}\\.)?(?<block>\\d{1,9})\\.");

  private static final List<Rule> ATTENTION =
      List.of(
          rename("{layer}.attention.q_proj.{p}", "{layer}.attention.attention.query.{p}"),
          rename("{layer}.attention.k_proj.{p}", "{layer}.attention.attention.key.{p}"),
          rename("{layer}.attention.v_proj.{p}", "{layer}.attention.attention.value.{p}"),
          rename("{layer}.attention.o_proj.{p}", "{layer}.attention.output.dense.{p}"),
          split(
              "{block}.attn.qkv.{p}",
              "{layer}.attention.attention.query.{p}",
              "{layer}.attention.attention.key.{p}",
              "{layer}.attention.attention.value.{p}"),
          rename("{block}.attn.proj.{p}", "{layer}.attention.output.dense.{p}"),
          rename("{block}.ls1.gamma", "{layer}.layer_scale1.lambda1"),
          rename("{block}.ls2.gamma", "{layer}.layer_scale2.lambda1"));

  private static final List<Rule> AROUND =
      List.of(
          rename("patch_embed.proj.{p}", "embeddings.patch_embeddings.projection.{p}"),
          rename("cls_token", "embeddings.cls_token"),
          rename("dist_token", "embeddings.distillation_token"),
          rename("reg_token", "embeddings.register_tokens"),
          rename("register_tokens", "embeddings.register_tokens"),
          rename("mask_token", "embeddings.mask_token"),
          rename("pos_embed", "embeddings.position_embeddings"),
          rename("norm_pre.{p}", "pre_layernorm.{p}"),
          rename("norm.{p}", "layernorm.{p}"),
          rename("head.{p}", "classifier.{p}"),
          rename("head_dist.{p}", "distillation_classifier.{p}"));

  private static final Map<String, Rule> VIT =
      table(
          ATTENTION,
          List.of(
              rename("{layer}.mlp.fc1.{p}", "{layer}.intermediate.dense.{p}"),
              rename("{layer}.mlp.fc2.{p}", "{layer}.output.dense.{p}"),
              rename("{block}.norm1.{p}", "{layer}.layernorm_before.{p}"),
              rename("{block}.norm2.{p}", "{layer}.layernorm_after.{p}"),
              // Gate and value of a SwiGLU, stacked as timm's SwiGLUPacked has them.
              piece("{block}.mlp.fc1_g.{p}", "{layer}.intermediate.dense.{p}", 0, 2),
              piece("{block}.mlp.fc1_x.{p}", "{layer}.intermediate.dense.{p}", 1, 2),
              rename("{block}.mlp.w12.{p}", "{layer}.intermediate.dense.{p}"),
              rename("{block}.mlp.w3.{p}", "{layer}.output.dense.{p}"),
              rename("{block}.mlp.fc1.{p}", "{layer}.intermediate.dense.{p}"),
              rename("{block}.mlp.fc2.{p}", "{layer}.output.dense.{p}")),
          AROUND);

  private static final Map<String, Rule> DINOV2 =
      table(
          ATTENTION,
          List.of(
              piece("{layer}.mlp.gate_proj.{p}", "{layer}.mlp.weights_in.{p}", 0, 2),
              piece("{layer}.mlp.up_proj.{p}", "{layer}.mlp.weights_in.{p}", 1, 2),
              rename("{layer}.mlp.down_proj.{p}", "{layer}.mlp.weights_out.{p}"),
              rename("{block}.norm1.{p}", "{layer}.norm1.{p}"),
              rename("{block}.norm2.{p}", "{layer}.norm2.{p}"),
              rename("{block}.mlp.w12.{p}", "{layer}.mlp.weights_in.{p}"),
              rename("{block}.mlp.w3.{p}", "{layer}.mlp.weights_out.{p}"),
              rename("{block}.mlp.fc1.{p}", "{layer}.mlp.fc1.{p}"),
              rename("{block}.mlp.fc2.{p}", "{layer}.mlp.fc2.{p}")),
          AROUND);

  /** The first BERT's names of what normalisations learn. */
  private static final Map<String, Rule> BERT =
      table(
          List.of(
              rename("embeddings.LayerNorm.gamma", "embeddings.LayerNorm.weight"),
              rename("embeddings.LayerNorm.beta", "embeddings.LayerNorm.bias"),
              rename(
                  "{layer}.attention.output.LayerNorm.gamma",
                  "{layer}.attention.output.LayerNorm.weight"),
              rename(
                  "{layer}.attention.output.LayerNorm.beta",
                  "{layer}.attention.output.LayerNorm.bias"),
              rename("{layer}.output.LayerNorm.gamma", "{layer}.output.LayerNorm.weight"),
              rename("{layer}.output.LayerNorm.beta", "{layer}.output.LayerNorm.bias"),
              rename(
                  "cls.predictions.transform.LayerNorm.gamma",
                  "cls.predictions.transform.LayerNorm.weight"),
              rename(
                  "cls.predictions.transform.LayerNorm.beta",
                  "cls.predictions.transform.LayerNorm.bias")));

  /** Parts of the base model; every other name is a head's and takes no prefix. */
  private static final Pattern BASE =
      Pattern.compile("(embeddings|encoder|layernorm|pooler|pre_layernorm)\\..*");

  private final SequencedMap<String, Source> sources;

  private NameMap(SequencedMap<String, Source> sources) {
    this.sources = Collections.unmodifiableSequencedMap(sources);
  }

  /**
   * The map for a model whose base model has the prefix {@code family}: {@code vit}, {@code deit},
   * {@code dinov2}, {@code dinov2_with_registers} or {@code bert}; {@code open_clip} gives the
   * names of {@code CLIPModel}. Names of any other family stand for themselves.
   *
   * @param names the names in the file
   * @throws IllegalArgumentException if two names mean one parameter; the message names both
   */
  public static NameMap of(String family, SequencedSet<String> names) {
    if (family.equals("open_clip")) {
      return new NameMap(OpenClipNames.sources(names));
    }
    Map<String, Rule> rules =
        switch (family) {
          case "vit", "deit" -> VIT;
          case "dinov2", "dinov2_with_registers" -> DINOV2;
          case "bert" -> BERT;
          default -> Map.of();
        };
    SequencedMap<String, Source> sources = new LinkedHashMap<>();
    SequencedMap<String, @Nullable String[]> stacks = new LinkedHashMap<>();
    for (String name : names) {
      if (rules.isEmpty()) {
        sources.put(name, new Source.Whole(name));
        continue;
      }
      String bare = without(family + ".", without("timm_model.", name));
      Parsed parsed = Parsed.of(bare);
      Rule rule = rules.get(parsed.template());
      // Without a rule only the spelling of a layer's own name changes.
      List<String> templates =
          rule != null
              ? rule.to()
              : List.of(parsed.template().startsWith("{layer}") ? parsed.template() : bare);
      List<String> targets = templates.stream().map(parsed::fill).toList();
      if (rule != null && rule.pieces() > 1) {
        String target = prefixed(family, targets.getFirst());
        @Nullable String[] pieces = stacks.computeIfAbsent(target, key -> new String[2]);
        pieces[rule.piece()] = name;
        continue;
      }
      for (int part = 0; part < targets.size(); part++) {
        Source source =
            targets.size() == 1
                ? new Source.Whole(name)
                : new Source.Rows(name, part, targets.size());
        put(sources, prefixed(family, targets.get(part)), source);
      }
    }
    stacks.forEach((target, pieces) -> {
      List<String> present = new ArrayList<>();
      for (String piece : pieces) {
        if (piece != null) {
          present.add(piece);
        }
      }
      // Half a stack is kept under its own name, so that the missing parameter is reported.
      put(
          sources,
          present.size() == pieces.length ? target : present.getFirst(),
          present.size() == pieces.length
              ? new Source.Stacked(List.copyOf(present))
              : new Source.Whole(present.getFirst()));
    });
    return new NameMap(sources);
  }

  /** Canonical name to where it comes from, in the order of the file. */
  public SequencedMap<String, Source> sources() {
    return sources;
  }

  private static void put(SequencedMap<String, Source> sources, String target, Source source) {
    Source other = sources.putIfAbsent(target, source);
    if (other != null) {
      throw new IllegalArgumentException(
          "\""
              + other.names().getFirst()
              + "\" and \""
              + source.names().getFirst()
              + "\" are two names of one parameter, "
              + target);
    }
  }

  private static String without(String prefix, String name) {
    return name.startsWith(prefix) ? name.substring(prefix.length()) : name;
  }

  private static String prefixed(String family, String name) {
    return BASE.matcher(name).matches() ? family + "." + name : name;
  }

  private static Rule rename(String from, String to) {
    return new Rule(from, List.of(to), 0, 1);
  }

  private static Rule split(String from, String... to) {
    return new Rule(from, List.of(to), 0, 1);
  }

  private static Rule piece(String from, String to, int piece, int pieces) {
    return new Rule(from, List.of(to), piece, pieces);
  }

  @SafeVarargs
  private static Map<String, Rule> table(List<Rule>... parts) {
    Map<String, Rule> rules = new HashMap<>();
    for (List<Rule> part : parts) {
      for (Rule rule : part) {
        if (rules.put(rule.from(), rule) != null) {
          throw new IllegalStateException("two rules for " + rule.from());
        }
      }
    }
    return Map.copyOf(rules);
  }
}
