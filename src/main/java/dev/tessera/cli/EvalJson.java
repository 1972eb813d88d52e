package dev.tessera.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import dev.tessera.metrics.Calibration;
import dev.tessera.metrics.ClassScores;
import dev.tessera.metrics.ConfusionMatrix;
import dev.tessera.metrics.Evaluation;
import dev.tessera.metrics.Mistakes.Mistake;
import dev.tessera.report.EvaluationReport;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.function.ToDoubleFunction;

/** An evaluation as one JSON object; all shares are fractions, from 0 to 1. */
final class EvalJson {
  private EvalJson() {}

  static String text(EvaluationReport report) {
    StringWriter text = new StringWriter();
    DefaultPrettyPrinter printer = new DefaultPrettyPrinter();
    // A line for each key, but none for each number of a matrix.
    printer.indentObjectsWith(new DefaultIndenter("  ", "\n"));
    try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
      json.setPrettyPrinter(printer);
      write(json, report);
    } catch (IOException e) {
      throw new UncheckedIOException("writing to a string cannot fail", e);
    }
    return text.append('\n').toString();
  }

  private static void write(JsonGenerator json, EvaluationReport report) throws IOException {
    Evaluation evaluation = report.evaluation();
    json.writeStartObject();
    json.writeNumberField("top1", evaluation.top1());
    json.writeNumberField("top5", evaluation.top5());
    json.writeNumberField("loss", evaluation.loss());
    json.writeNumberField("ece", evaluation.calibration().expectedError());
    json.writeNumberField("mce", evaluation.calibration().maximumError());
    json.writeNumberField("confidence", evaluation.calibration().confidence());
    means(json, "precision", report, ClassScores::precision);
    means(json, "recall", report, ClassScores::recall);
    means(json, "f1", report, ClassScores::f1);
    json.writeNumberField("images", evaluation.count());
    json.writeNumberField("unreadable", report.problems().size());
    json.writeStringField("model", report.model());
    json.writeStringField("data", report.data());
    json.writeStringField("layout", report.layout());
    json.writeStringField("split", report.part());
    json.writeArrayFieldStart("classes");
    for (ClassScores one : report.classes()) {
      json.writeStartObject();
      json.writeStringField("label", report.labels().get(one.index()));
      json.writeNumberField("index", one.index());
      json.writeNumberField("images", one.support());
      json.writeNumberField("answered", one.predicted());
      json.writeNumberField("right", one.correct());
      json.writeNumberField("precision", one.precision());
      json.writeNumberField("recall", one.recall());
      json.writeNumberField("f1", one.f1());
      json.writeEndObject();
    }
    json.writeEndArray();
    confusion(json, report);
    calibration(json, evaluation.calibration());
    mistakes(json, report);
    json.writeArrayFieldStart("problems");
    for (String problem : report.problems()) {
      json.writeString(problem);
    }
    json.writeEndArray();
    json.writeEndObject();
  }

  private static void means(
      JsonGenerator json, String name, EvaluationReport report, ToDoubleFunction<ClassScores> score)
      throws IOException {
    json.writeNumberField("macro_" + name, ClassScores.macro(report.tested(), score));
    json.writeNumberField("weighted_" + name, ClassScores.weighted(report.tested(), score));
  }

  /** Rows are right classes, columns answers, both in the order of {@code classes}. */
  private static void confusion(JsonGenerator json, EvaluationReport report) throws IOException {
    ConfusionMatrix matrix = report.evaluation().confusion();
    List<ClassScores> classes = report.classes();
    json.writeArrayFieldStart("confusion");
    for (ClassScores truth : classes) {
      json.writeStartArray();
      for (ClassScores predicted : classes) {
        json.writeNumber(matrix.count(truth.index(), predicted.index()));
      }
      json.writeEndArray();
    }
    json.writeEndArray();
  }

  private static void calibration(JsonGenerator json, Calibration calibration) throws IOException {
    json.writeArrayFieldStart("calibration");
    for (Calibration.Bin bin : calibration.bins()) {
      json.writeStartObject();
      json.writeNumberField("above", bin.low());
      json.writeNumberField("to", bin.high());
      json.writeNumberField("images", bin.count());
      if (bin.count() > 0) {
        json.writeNumberField("confidence", bin.confidence());
        json.writeNumberField("accuracy", bin.accuracy());
      }
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  private static void mistakes(JsonGenerator json, EvaluationReport report) throws IOException {
    json.writeArrayFieldStart("mistakes");
    for (Mistake mistake : report.mistakes()) {
      json.writeStartObject();
      json.writeStringField("file", mistake.id());
      json.writeStringField("right", report.labels().get(mistake.truth()));
      json.writeStringField("answered", report.labels().get(mistake.predicted()));
      json.writeNumberField("score", mistake.confidence());
      json.writeNumberField("right_score", mistake.truthScore());
      json.writeEndObject();
    }
    json.writeEndArray();
  }
}
