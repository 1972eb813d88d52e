package dev.tessera.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class TerminalTest {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
  private long now;

  @Test
  void saysRateAndTimeLeft() {
    assertThat(Terminal.line(500, 2000, 10))
        .isEqualTo("500 of 2,000 images  25 %  50.0/s  0:30 left");
    assertThat(Terminal.line(1, 1_000_000, 1))
        .isEqualTo("1 of 1,000,000 images  0 %  1.0/s  277:46:39 left");
    assertThat(Terminal.line(1234, -1, 10)).isEqualTo("1,234 images  123.4/s");
  }

  @Test
  void drawsNowAndThenAndMakesWayForMessages() {
    Terminal terminal = new Terminal(out, true, () -> now);
    terminal.advance();
    assertThat(text()).isEmpty();
    now = 1_000_000_000;
    terminal.advance();
    terminal.advance();
    assertThat(text()).isEqualTo("\r\033[K2 images  2.0/s");
    bytes.reset();
    terminal.message("bad\tname");
    assertThat(text()).isEqualTo("\r\033[Kbad?name" + System.lineSeparator());
  }

  @Test
  void isSilentWhereThereIsNoTerminal() {
    Terminal terminal = new Terminal(out, false, () -> now);
    now = 1_000_000_000;
    terminal.advance();
    terminal.erase();
    assertThat(text()).isEmpty();
  }

  private String text() {
    return bytes.toString(StandardCharsets.UTF_8);
  }
}
