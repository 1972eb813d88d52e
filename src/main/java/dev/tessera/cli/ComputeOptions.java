package dev.tessera.cli;

import dev.tessera.engine.DeviceException;
import dev.tessera.engine.Engine;
import dev.tessera.engine.Engines;
import dev.tessera.engine.Precision;
import java.io.IOException;
import picocli.CommandLine.Option;

/** Where and with how many threads a model is computed. */
final class ComputeOptions {
  @Option(
      names = {"-d", "--device"},
      paramLabel = "NAME",
      defaultValue = "auto",
      description =
          "auto, cpu, scalar, or a device of TornadoVM such as opencl:0 or cuda:0; see 'tessera"
              + " devices'. Default: ${DEFAULT-VALUE}.")
  private String device = "auto";

  @Option(
      names = {"-j", "--threads"},
      paramLabel = "N",
      description = "Threads that compute and that decode. Default: the number of cores.")
  private int threads;

  @Option(
      names = "--precision",
      paramLabel = "NAME",
      defaultValue = "fp32",
      description = {
        "Of the factors of products: ${COMPLETION-CANDIDATES}; other than fp32 on devices of",
        "CUDA. Default: ${DEFAULT-VALUE}."
      })
  private Precision precision = Precision.FP32;

  /** At least 1. */
  int threads() {
    return threads == 0 ? Engines.defaultThreads() : threads;
  }

  /** Makes what computes with an engine and closes it in the end. */
  interface Opening<T> {
    T open(Engine engine) throws IOException, Failure;
  }

  /** What {@code opening} makes with the engine asked for. */
  <T> T open(Opening<T> opening) throws IOException, Failure {
    return with(open(), opening);
  }

  /** What {@code opening} makes with {@code engine}, which is closed if that fails. */
  static <T> T with(Engine engine, Opening<T> opening) throws IOException, Failure {
    try {
      return opening.open(engine);
    } catch (IOException | Failure | RuntimeException | Error e) {
      engine.close();
      throw e;
    }
  }

  /** The engine asked for, if it can train. */
  Engine openToTrain() throws Failure {
    if (precision == Precision.FP16) {
      throw new Failure(
          ExitCode.USAGE,
          "--precision fp16 loses small gradients: train with --precision fp32 or tf32");
    }
    return open();
  }

  /** The engine asked for. */
  Engine open() throws Failure {
    if (threads < 0 || threads > 1024) {
      throw new Failure(ExitCode.USAGE, "--threads must be from 1 to 1024, not " + threads);
    }
    try {
      return Engines.open(device, threads(), precision);
    } catch (DeviceException e) {
      throw new Failure(ExitCode.DEVICE, String.valueOf(e.getMessage()), e);
    }
  }
}
