package dev.tessera.engine.tornado;

import java.util.regex.Pattern;

/** What an exception of TornadoVM says, for a sentence. */
final class Reason {
  private static final Pattern COLOR = Pattern.compile("\u001b\\[[\\d;]*m");

  /** What TornadoVM puts before the message of the layer below. */
  private static final Pattern OUTER = Pattern.compile("(?s).*\\bReason: ");

  private Reason() {}

  /** The first line of the innermost message, without colours; the exception's kind if none. */
  static String of(Throwable e) {
    String message = e.getMessage() == null ? "" : e.getMessage();
    String plain = COLOR.matcher(message).replaceAll("");
    return OUTER
        .matcher(plain)
        .replaceFirst("")
        .lines()
        .map(String::strip)
        .filter(line -> !line.isEmpty())
        .findFirst()
        .orElse(e.getClass().getSimpleName());
  }
}
