package dev.tessera.cli;

import java.io.PrintStream;
import java.util.Locale;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Standard error during a long run: messages, and below them a line that says how far the run is
 * where standard error is a terminal.
 */
final class Terminal {
  private static final long INTERVAL = 200_000_000;
  private static final String ERASE = "\r\033[K";

  private final PrintStream out;
  private final boolean interactive;
  private final LongSupplier clock;
  private final long start;
  private long lastDrawn;
  private long done;
  private boolean drawn;

  /** The total, once something has counted; below 0 before. */
  private volatile long total = -1;

  private long skipped;

  /**
   * @param interactive whether {@code out} is a terminal
   * @param clock nanoseconds
   */
  Terminal(PrintStream out, boolean interactive, LongSupplier clock) {
    this.out = out;
    this.interactive = interactive;
    this.clock = clock;
    this.start = clock.getAsLong();
    this.lastDrawn = start;
  }

  /**
   * Standard error; the launcher knows what is a terminal.
   *
   * @param outputElsewhere whether results are written to a file: on a terminal of their own they
   *     show well enough how far the run is
   */
  static Terminal ofStandardError(boolean outputElsewhere) {
    String terminals = System.getProperty("tessera.terminals", "");
    boolean interactive = terminals.contains("2") && (outputElsewhere || !terminals.contains("1"));
    return new Terminal(System.err, interactive, System::nanoTime);
  }

  boolean isInteractive() {
    return interactive;
  }

  void total(long count) {
    total = count;
  }

  /** Leaves out the first {@code count} items, which an earlier run has done. */
  synchronized void skip(long count) {
    skipped = count;
  }

  /** Prints a line of its own. */
  synchronized void message(String text) {
    erase();
    out.println(printable(text));
  }

  /** Counts one more item done. */
  synchronized void advance() {
    done++;
    if (interactive) {
      long now = clock.getAsLong();
      if (now - lastDrawn >= INTERVAL) {
        lastDrawn = now;
        out.print(ERASE + line(done, total - skipped, (now - start) / 1e9));
        out.flush();
        drawn = true;
      }
    }
  }

  /** Shows how far the run is, where there is a terminal and it is time for it. */
  synchronized void status(Supplier<String> text) {
    long now = clock.getAsLong();
    if (interactive && now - lastDrawn >= INTERVAL) {
      lastDrawn = now;
      out.print(ERASE + printable(text.get()));
      out.flush();
      drawn = true;
    }
  }

  /** Removes the line. */
  synchronized void erase() {
    if (drawn) {
      out.print(ERASE);
      out.flush();
      drawn = false;
    }
  }

  static String line(long done, long total, double seconds) {
    double rate = done / Math.max(seconds, 1e-9);
    if (total < done) {
      return String.format(Locale.ROOT, "%,d images  %.1f/s", done, rate);
    }
    return String.format(
        Locale.ROOT,
        "%,d of %,d images  %d %%  %.1f/s  %s left",
        done,
        total,
        total == 0 ? 100 : 100 * done / total,
        rate,
        duration(Math.round((total - done) / Math.max(rate, 1e-9))));
  }

  static String duration(long seconds) {
    return seconds < 3600
        ? String.format(Locale.ROOT, "%d:%02d", seconds / 60, seconds % 60)
        : String.format(
            Locale.ROOT, "%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
  }

  /** File names may hold control characters; a terminal must not obey them. */
  static String printable(String text) {
    StringBuilder clean = null;
    for (int i = 0; i < text.length(); i++) {
      if (Character.isISOControl(text.charAt(i))) {
        if (clean == null) {
          clean = new StringBuilder(text);
        }
        clean.setCharAt(i, '?');
      }
    }
    return clean == null ? text : clean.toString();
  }
}
