package dev.tessera.bench;

import ai.onnxruntime.OrtException;
import dev.tessera.checkpoint.Json;
import dev.tessera.engine.cpu.CpuEngine;
import dev.tessera.graph.Graph;
import dev.tessera.graph.Pruning;
import dev.tessera.model.Model;
import dev.tessera.model.Models;
import dev.tessera.model.Outputs;
import dev.tessera.model.TextEmbedder;
import dev.tessera.tensor.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Vectors of texts, from ids on, by the cpu engine and by ONNX Runtime in turns: one process, the
 * same weights, the same ids, the same number of threads, fp32. Ends with code 1 where the vectors
 * differ.
 */
@Command(
    name = "text.sh",
    mixinStandardHelpOptions = true,
    description =
        "Tessera's cpu engine beside ONNX Runtime, in turns, on a sentence-transformers model.")
public final class TextBenchmark implements Callable<Integer> {
  private static final double TOLERANCE = 1e-4;

  @Option(names = "--model", required = true, description = "directory of a BERT with mean pooling")
  private Path directory = Path.of("");

  @Option(names = "--texts", defaultValue = "256", description = "how many (default: 256)")
  private int count;

  @Option(
      names = "--words",
      split = ",",
      defaultValue = "4,40",
      description = "fewest and most words of a text (default: 4,40)")
  private List<Integer> words = List.of();

  @Option(
      names = "--onnx-batch",
      split = ",",
      defaultValue = "32",
      description = "texts that ONNX Runtime computes at once (default: 32)")
  private List<Integer> batches = List.of();

  @Option(names = "--threads", defaultValue = "2", description = "default: 2")
  private int threads;

  @Option(names = "--rounds", defaultValue = "15", description = "measured pairs (default: 15)")
  private int rounds;

  @Option(
      names = "--warm-up",
      defaultValue = "5",
      description = "seconds that each side runs unmeasured (default: 5)")
  private double warmUp;

  @Option(
      names = "--onnx-attention",
      split = ",",
      defaultValue = "exported,fused",
      description = "exported, or fused into ONNX Runtime's own operator (default: both)")
  private List<OnnxModel.Attention> attentions = List.of();

  public static void main(String[] arguments) {
    System.exit(
        new CommandLine(new TextBenchmark())
            .setCaseInsensitiveEnumValuesAllowed(true)
            .execute(arguments));
  }

  @Override
  public Integer call() throws IOException, OrtException {
    boolean agree = true;
    try (CpuEngine engine = new CpuEngine(threads);
        Model model = Models.load(directory);
        TextEmbedder embedder = new TextEmbedder(model, engine)) {
      List<int[]> texts = texts(embedder);
      long tokens = texts.stream().mapToLong(text -> text.length).sum();
      print("%s, JDK %s", engine.description(), Runtime.version());
      print("ONNX Runtime %s, %d threads, all optimisations", OnnxPeer.version(), threads);
      print(
          "%d texts of %d tokens together; %d rounds after %.0f s of warm-up; milliseconds for all",
          texts.size(), tokens, rounds, warmUp);
      print("");
      print("                        tessera           onnxruntime       onnxruntime ÷ tessera");
      print(
          "attention  onnx batch   median    best    median    best    medians  paired: median"
              + " [25-75 %%] (all)");
      for (OnnxModel.Attention attention : attentions) {
        Path file = Files.createTempFile("tessera-bench", ".onnx");
        try {
          OnnxModel.write(graph(model), model.parameters(), attention, file);
          for (int batch : batches) {
            try (OnnxTexts peer = new OnnxTexts(file, threads, batch)) {
              agree &= compare(embedder, peer, texts, attention, batch);
            }
          }
        } finally {
          Files.delete(file);
        }
      }
    }
    return agree ? 0 : 1;
  }

  private static Graph graph(Model model) {
    Map<String, Shape> inputs = new LinkedHashMap<>();
    for (String name : List.of("input_ids", "attention_mask", "position_ids")) {
      inputs.put(name, Shape.of(2, 8));
    }
    return Pruning.to(model.graph(inputs, Outputs.STAGES), "last_hidden_state");
  }

  /** Runs of words of the sentences that come with the model, or of its vocabulary. */
  private List<int[]> texts(TextEmbedder embedder) throws IOException {
    List<String> vocabulary = new ArrayList<>();
    Path sentences = directory.resolve("sentences.json");
    if (Files.exists(sentences)
        && Json.readObject(sentences).get("sentences") instanceof List<?> list) {
      for (Object sentence : list) {
        vocabulary.addAll(List.of(String.valueOf(sentence).split(" ")));
      }
    }
    for (int id = 2000; vocabulary.size() < 500; id++) {
      vocabulary.add(String.valueOf(embedder.tokenizer().token(id)));
    }
    Random random = new Random(1);
    List<int[]> texts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int length = words.getFirst() + random.nextInt(words.getLast() - words.getFirst() + 1);
      int from = random.nextInt(vocabulary.size() - length);
      String text = String.join(" ", vocabulary.subList(from, from + length));
      texts.add(embedder.tokenizer().encode(text, null, 256).ids());
    }
    return texts;
  }

  private interface Contestant {
    float[][] vectors() throws OrtException;
  }

  private boolean compare(
      TextEmbedder embedder,
      OnnxTexts peer,
      List<int[]> texts,
      OnnxModel.Attention attention,
      int batch)
      throws OrtException {
    Contestant ours = () -> embedder.embedIds(texts);
    Contestant theirs = () -> peer.embed(texts);
    double difference = difference(ours.vectors(), theirs.vectors());
    PairedTimes times = PairedTimes.measure(ours::vectors, theirs::vectors, warmUp, rounds);
    difference = Math.max(difference, difference(ours.vectors(), theirs.vectors()));
    print(
        "%-10s %10d  %s   max |Δ| %.1e",
        attention.name().toLowerCase(Locale.ROOT), batch, times.columns(), difference);
    if (!(difference <= TOLERANCE)) {
      print("FAILED: the vectors differ by more than %s", TOLERANCE);
      return false;
    }
    return true;
  }

  private static double difference(float[][] left, float[][] right) {
    double largest = left.length == right.length ? 0 : Double.NaN;
    for (int i = 0; i < left.length; i++) {
      for (int d = 0; d < left[i].length; d++) {
        largest = Math.max(largest, Math.abs((double) left[i][d] - right[i][d]));
      }
    }
    return largest;
  }

  private static void print(String format, Object... arguments) {
    System.out.println(String.format(Locale.ROOT, format, arguments));
  }
}
